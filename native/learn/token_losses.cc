#include "learn/token_losses.h"

#include "learn/token_loss.h"

namespace zero_rl {

namespace {

const float* values_or_null(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

}  // namespace

void token_losses(const Objective& objective, const LossInputs& inputs, const LossResults& results, int64_t rows,
                  float* coefficients, float* entropy_coefficients) {
  const float* log_probs = results.log_probs.data_ptr<float>();
  const float* advantages = inputs.advantages.data_ptr<float>();
  const float* weights = inputs.weights.data_ptr<float>();
  const float* old = values_or_null(inputs.old_log_probs);
  const float* reference = values_or_null(inputs.reference_log_probs);
  const float* ratios = values_or_null(inputs.sequence_log_ratios);
  const float* shares = values_or_null(inputs.loss_shares);
  float* losses = results.losses.data_ptr<float>();
  float* clipped = results.clipped.data_ptr<float>();
  for (int64_t i = 0; i < rows; ++i) {
    coefficients[i] = losses[i] = clipped[i] = 0;
    if (entropy_coefficients != nullptr) entropy_coefficients[i] = 0;
    const double weight = weights[i];
    if (weight == 0) continue;
    TokenInputs token{.log_prob = log_probs[i], .advantage = advantages[i]};
    if (old != nullptr) token.old_log_prob = old[i];
    if (reference != nullptr) token.reference_log_prob = reference[i];
    if (ratios != nullptr) token.sequence_log_ratio = ratios[i];
    if (shares != nullptr) token.loss_share = shares[i];
    const TokenLoss loss = token_loss(objective, token);
    coefficients[i] = static_cast<float>(weight * loss.derivative);
    losses[i] = static_cast<float>(weight * loss.loss);
    clipped[i] = loss.clipped ? 1.0F : 0.0F;
    if (entropy_coefficients != nullptr) {
      entropy_coefficients[i] = static_cast<float>(-weight * objective.entropy_coefficient);
    }
  }
}

}  // namespace zero_rl
