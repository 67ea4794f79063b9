#include "kernels/element.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

template <class T>
void adamw(const AdamW& a) {
  T* weights = static_cast<T*>(a.weights);
  parallel_ranges(a.count, 16384, [&](int64_t begin, int64_t end, int) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) {
      const float gradient = a.gradient[i] * a.gradient_scale;
      const float exp_avg = a.exp_avg[i] + (1.0f - a.beta1) * (gradient - a.exp_avg[i]);
      const float exp_avg_sq = a.beta2 * a.exp_avg_sq[i] + (1.0f - a.beta2) * gradient * gradient;
      a.exp_avg[i] = exp_avg;
      a.exp_avg_sq[i] = exp_avg_sq;
      const float denominator = std::sqrt(exp_avg_sq) * a.inverse_sqrt_correction + a.eps;
      a.master[i] = a.master[i] * a.decay - a.step_size * exp_avg / denominator;
    }
    if (weights != nullptr) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) weights[i] = from_float<T>(a.master[i]);
    }
  });
}

// Sums of fixed blocks, added in order: the same for every thread count.
double squared_norm(const float* values, int64_t count) {
  constexpr int64_t kBlock = 8192;
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  Scratch sums(blocks);
  parallel_ranges(blocks, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t last = std::min(count, (block + 1) * kBlock);
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = block * kBlock; i < last; ++i) sum += values[i] * values[i];
      sums.data()[block] = sum;
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
