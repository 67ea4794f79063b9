// The softmax over one query's scores: shared by the packed and the decoding attention, so that both add in the same
// order.
#pragma once

#include "kernels/vector_math.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// The first `valid` lanes of a vector, `otherwise` in the rest.
static inline Vector first_lanes(Vector value, int64_t valid, float otherwise) {
  for (int64_t lane = valid; lane < kLanes; ++lane) value[lane] = otherwise;
  return value;
}

// Scores become exponentials relative to their maximum; returns the sum and sets the maximum. Reads and writes up to a
// multiple of kLanes; what is written beyond `count` is 0.
static inline float exponentiate(float* scores, int64_t count, float& maximum) {
  const int64_t whole = count / kLanes * kLanes;
  Vector tops = splat(-INFINITY);
  for (int64_t j = 0; j < whole; j += kLanes) {
    const Vector score = load(scores + j);
    tops = score > tops ? score : tops;
  }
  if (whole < count) {
    const Vector score = first_lanes(load(scores + whole), count - whole, -INFINITY);
    tops = score > tops ? score : tops;
  }
  float top = tops[0];
  for (int64_t lane = 1; lane < kLanes; ++lane) top = tops[lane] > top ? tops[lane] : top;
  Vector sums{};
  for (int64_t j = 0; j < whole; j += kLanes) {
    const Vector value = fast_exp(load(scores + j) - top);
    store(scores + j, value);
    sums += value;
  }
  if (whole < count) {
    const Vector value = first_lanes(fast_exp(load(scores + whole) - top), count - whole, 0);
    store(scores + whole, value);
    sums += value;
  }
  float sum = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) sum += sums[lane];
  maximum = top;
  return sum;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
