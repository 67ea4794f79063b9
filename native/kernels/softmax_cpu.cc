#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kElementsPerThread = 4096;
constexpr int64_t kBlock = 512;

inline float row_maximum(const float* logits, int64_t vocab) {
  float maximum = -INFINITY;
#pragma omp simd reduction(max : maximum)
  for (int64_t j = 0; j < vocab; ++j) maximum = logits[j] > maximum ? logits[j] : maximum;
  return maximum;
}

// e = exp(z), z = logit · scale − maximum; adds Σ e and Σ e·z.
inline void exponentiate_block(const float* logits, float* exponentials, float scale, float maximum, int64_t count,
                               double& sum, double& weighted) {
  float part = 0;
  float part_weighted = 0;
#pragma omp simd reduction(+ : part, part_weighted)
  for (int64_t j = 0; j < count; ++j) {
    const float z = logits[j] * scale - maximum;
    const float e = fast_exp(z);
    exponentials[j] = e;
    part += e;
    part_weighted += e * z;
  }
  sum += part;
  weighted += part_weighted;
}

// An exponential whose place dlogits may have taken in another type.
inline float read(const float* exponential) {
  float value;
  std::memcpy(&value, exponential, sizeof value);
  return value;
}

// What is written never reaches what is still to be read.
template <class T>
inline void scale_row(const float* exponentials, T* dlogits, float scale, int64_t vocab) {
  int64_t j = 0;
  for (; j + kLanes <= vocab; j += kLanes) store_narrow(dlogits + j, load(exponentials + j) * scale);
  for (; j < vocab; ++j) dlogits[j] = from_float<T>(read(exponentials + j) * scale);
}

void softmax(const Softmax& a) {
  parallel_ranges(a.rows, 1 + kElementsPerThread / a.vocab, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* logits = a.logits + row * a.vocab;
      float* exponentials = a.exponentials + row * a.vocab;
      const float target = a.targets != nullptr ? logits[a.targets[row]] : 0;  // exponentials may be written over logits
      const float maximum = row_maximum(logits, a.vocab) * a.inverse_temperature;
      double sum = 0;
      double weighted = 0;
      for (int64_t block = 0; block < a.vocab; block += kBlock) {
        const int64_t count = a.vocab - block < kBlock ? a.vocab - block : kBlock;
        exponentiate_block(logits + block, exponentials + block, a.inverse_temperature, maximum, count, sum, weighted);
      }
      a.maxima[row] = maximum;
      a.sums[row] = static_cast<float>(sum);
      if (a.log_probs != nullptr) a.log_probs[row] = log_prob(target, a.inverse_temperature, maximum, a.sums[row]);
      if (a.entropies != nullptr) a.entropies[row] = static_cast<float>(std::log(sum) - weighted / sum);
    }
  });
}

template <class T>
void log_prob_gradient(const LogProbGradient& a) {
  parallel_ranges(a.rows, 1 + kElementsPerThread / a.vocab, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* exponentials = a.exponentials + row * a.vocab;
      T* dlogits = static_cast<T*>(a.dlogits) + row * a.dlogits_stride;
      const float coefficient = a.coefficients[row] * a.inverse_temperature;
      const int64_t target = a.targets[row];
      const float target_probability = read(exponentials + target) / a.sums[row];
      scale_row(exponentials, dlogits, -coefficient / a.sums[row], a.vocab);
      dlogits[target] = from_float<T>(coefficient * (1.0f - target_probability));
    }
  });
}

}  // namespace

void register_softmax(Table& float32, Table& bfloat16) {
  float32.softmax = softmax;
  bfloat16.softmax = softmax;
  float32.log_prob_gradient = log_prob_gradient<float>;
  bfloat16.log_prob_gradient = log_prob_gradient<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
