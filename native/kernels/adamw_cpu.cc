#include <algorithm>

#include "kernels/element.h"
#include "kernels/register.h"
#include "kernels/rounding.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kElementsPerThread = 16384;
constexpr int64_t kBlock = 256;  // elements that are widened at a time

// Float32 elements of one block.
struct Block {
  float* master;
  const float* gradient;
  float* exp_avg;
  float* exp_avg_sq;
};

// By value, so that no store to a buffer can be taken for a store to a coefficient.
inline void update(const AdamW a, const Block block, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = block.gradient[i] * a.gradient_scale;
    const float exp_avg = block.exp_avg[i] + (1.0f - a.beta1) * (gradient - block.exp_avg[i]);
    const float exp_avg_sq = a.beta2 * block.exp_avg_sq[i] + (1.0f - a.beta2) * gradient * gradient;
    block.exp_avg[i] = exp_avg;
    block.exp_avg_sq[i] = exp_avg_sq;
    const float denominator = std::sqrt(exp_avg_sq) * a.inverse_sqrt_correction + a.eps;
    block.master[i] = block.master[i] * a.decay - a.step_size * exp_avg / denominator;
  }
}

inline void widen(const Bfloat16* from, int64_t count, float* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) to[i] = to_float(from[i]);
}

inline void round_stochastically(const float* from, int64_t count, uint32_t key, int64_t first, Bfloat16* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    to[i].bits = stochastic_half(from[i], rounding_noise(key, static_cast<uint32_t>(first + i)) >> 16);
  }
}

inline void update_joined(const AdamW& a, int64_t first, int64_t count) {
  auto* weights = static_cast<uint16_t*>(a.weights) + first;
  int16_t* remainders = a.remainders + first;
  float master[kBlock];
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) master[i] = joined(weights[i], remainders[i]);
  update(a,
         {master, a.gradient + first, static_cast<float*>(a.exp_avg) + first,
          static_cast<float*>(a.exp_avg_sq) + first},
         count);
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    weights[i] = upper_half(master[i]);
    remainders[i] = remainder(master[i]);
  }
}

inline void update_narrow(const AdamW& a, int64_t first, int64_t count) {
  auto* weights = static_cast<Bfloat16*>(a.weights) + first;
  auto* exp_avgs = static_cast<Bfloat16*>(a.exp_avg) + first;
  auto* exp_avg_sqs = static_cast<Bfloat16*>(a.exp_avg_sq) + first;
  float master[kBlock];
  float exp_avg[kBlock];
  float exp_avg_sq[kBlock];
  widen(weights, count, master);
  widen(exp_avgs, count, exp_avg);
  widen(exp_avg_sqs, count, exp_avg_sq);
  update(a, {master, a.gradient + first, exp_avg, exp_avg_sq}, count);
  round_stochastically(master, count, rounding_noise(a.noise, 0), first, weights);
  round_stochastically(exp_avg, count, rounding_noise(a.noise, 1), first, exp_avgs);
  round_stochastically(exp_avg_sq, count, rounding_noise(a.noise, 2), first, exp_avg_sqs);
}

void adamw_float32(const AdamW& a) {
  parallel_ranges(a.count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    update(a,
           {static_cast<float*>(a.weights) + begin, a.gradient + begin,
            static_cast<float*>(a.exp_avg) + begin, static_cast<float*>(a.exp_avg_sq) + begin},
           end - begin);
  });
}

void adamw_bfloat16(const AdamW& a) {
  parallel_ranges(a.count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    for (int64_t first = begin; first < end; first += kBlock) {
      const int64_t count = std::min(end - first, kBlock);
      if (a.remainders != nullptr) {
        update_joined(a, first, count);
      } else {
        update_narrow(a, first, count);
      }
    }
  });
}

inline float sum_of_squares(const float* values, int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += values[i] * values[i];
  return sum;
}

// Sums of fixed blocks, added in order: the same for every thread count.
double squared_norm(const float* values, int64_t count) {
  constexpr int64_t kSummed = 8192;
  const int64_t blocks = (count + kSummed - 1) / kSummed;
  Scratch sums(blocks);
  parallel_ranges(blocks, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t start = block * kSummed;
      sums.data()[block] = sum_of_squares(values + start, std::min(count - start, kSummed));
    }
  });
  double total = 0;
  for (int64_t block = 0; block < blocks; ++block) total += sums.data()[block];
  return total;
}

}  // namespace

void register_adamw(Table& float32, Table& bfloat16) {
  float32.adamw = adamw_float32;
  bfloat16.adamw = adamw_bfloat16;
  float32.squared_norm = squared_norm;
  bfloat16.squared_norm = squared_norm;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
