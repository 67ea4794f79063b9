// The gradient of the logits where the loss depends on the entropy too: one pass over the exponentials.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zero_rl {

struct EntropyGradient {
  const float* exponentials;          // [R, V]
  const float* sums;                  // [R]
  const int32_t* targets;             // [R]
  const float* coefficients;          // [R] d loss / d log-prob
  const float* entropies;             // [R]
  const float* entropy_coefficients;  // [R] d loss / d entropy
  float inverse_temperature;
};

// With p = e/Σe: dlogits_j = (c·([j is the target] − p_j) − h·p_j·(log p_j + H))/temperature. `dlogits` [R, V], whose
// rows may lie at the front of those of the exponentials.
void entropy_gradient(const EntropyGradient& arguments, const at::Tensor& dlogits);

}  // namespace zero_rl
