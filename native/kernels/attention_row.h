// The softmax over one query's scores: shared by the packed and the decoding attention, so that both add in the same
// order.
#pragma once

#include "kernels/vector_math.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

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
  const float top = maximum_lane(tops);
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
  maximum = top;
  return sum_lanes(sums);
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
