// What AdamW multiplies with in one step: torch.optim.AdamW's update after torch.nn.utils.clip_grad_norm_.
#pragma once

#include <algorithm>
#include <cmath>

#include "learn/trainer.h"

namespace zero_rl {

struct UpdateFactors {
  double gradient_scale;
  double step_size;
  double inverse_sqrt_correction;
  double decay;
};

// `step` counts from 1.
inline UpdateFactors update_factors(const StepRequest& request, int64_t step, double grad_norm) {
  const auto power = [&](double beta) { return std::pow(beta, static_cast<double>(step)); };
  const bool clips = request.max_grad_norm > 0;
  return {.gradient_scale = clips ? std::min(1.0, request.max_grad_norm / (grad_norm + 1e-6)) : 1.0,
          .step_size = request.learning_rate / (1 - power(request.beta1)),
          .inverse_sqrt_correction = 1 / std::sqrt(1 - power(request.beta2)),
          .decay = 1 - request.learning_rate * request.weight_decay};
}

}  // namespace zero_rl
