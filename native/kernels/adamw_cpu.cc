#include "kernels/element.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

// By value, so that no store to a buffer can be taken for a store to a coefficient.
inline void update_range(const AdamW a, int64_t begin, int64_t end) {
  float* const master = a.master;
  float* const exp_avgs = a.exp_avg;
  float* const exp_avg_sqs = a.exp_avg_sq;
  const float* const gradients = a.gradient;
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) {
    const float gradient = gradients[i] * a.gradient_scale;
    const float exp_avg = exp_avgs[i] + (1.0f - a.beta1) * (gradient - exp_avgs[i]);
    const float exp_avg_sq = a.beta2 * exp_avg_sqs[i] + (1.0f - a.beta2) * gradient * gradient;
    exp_avgs[i] = exp_avg;
    exp_avg_sqs[i] = exp_avg_sq;
    const float denominator = std::sqrt(exp_avg_sq) * a.inverse_sqrt_correction + a.eps;
    master[i] = master[i] * a.decay - a.step_size * exp_avg / denominator;
  }
}

template <class T>
inline void round_range(const float* master, T* weights, int64_t begin, int64_t end) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) weights[i] = from_float<T>(master[i]);
}

inline float sum_of_squares(const float* values, int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += values[i] * values[i];
  return sum;
}

template <class T>
void adamw(const AdamW& a) {
  parallel_ranges(a.count, 16384, [&](int64_t begin, int64_t end, int) {
    update_range(a, begin, end);
    if (a.weights != nullptr) round_range(a.master, static_cast<T*>(a.weights), begin, end);
  });
}

// Sums of fixed blocks, added in order: the same for every thread count.
double squared_norm(const float* values, int64_t count) {
  constexpr int64_t kBlock = 8192;
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  Scratch sums(blocks);
  parallel_ranges(blocks, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t start = block * kBlock;
      sums.data()[block] = sum_of_squares(values + start, std::min(count - start, kBlock));
    }
  });
  double total = 0;
  for (int64_t block = 0; block < blocks; ++block) total += sums.data()[block];
  return total;
}

}  // namespace

void register_adamw(Table& float32, Table& bfloat16) {
  float32.adamw = adamw<float>;
  bfloat16.adamw = adamw<Bfloat16>;
  float32.squared_norm = squared_norm;
  bfloat16.squared_norm = squared_norm;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
