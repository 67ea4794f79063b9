// What one token adds to the loss, and the derivative with respect to its log-prob, or to its value for a critic.
#pragma once

#include <algorithm>
#include <cmath>

#include "learn/objective.h"
#include "runtime/host_device.h"

namespace zero_rl {

namespace objective_terms {

// exp of a log ratio; a larger ratio says that the two policies have nothing in common.
ZERO_RL_HOST_DEVICE inline double ratio_of(double log_ratio) {
  constexpr double most = 20;
  return std::exp(std::clamp(log_ratio, -most, most));
}

ZERO_RL_HOST_DEVICE inline TokenLoss clipped_loss(const Objective& objective, double ratio, double advantage) {
  const double low = 1.0 - objective.clip_low;
  const double high = 1.0 + objective.clip_high;
  TokenLoss result{};
  result.clipped = (advantage > 0 && ratio > high) || (advantage < 0 && ratio < low);
  result.loss = -std::min(ratio * advantage, std::clamp(ratio, low, high) * advantage);
  result.derivative = result.clipped ? 0.0 : -ratio * advantage;
  if (objective.dual_clip > 0 && advantage < 0 && ratio > objective.dual_clip) {
    result = {.loss = -objective.dual_clip * advantage, .derivative = 0, .clipped = true};
  }
  return result;
}

ZERO_RL_HOST_DEVICE inline TokenLoss value_loss(const Objective& objective, const TokenInputs& token) {
  const double value = token.log_prob;
  const double target = token.advantage;
  const double error = value - target;
  if (objective.clip_high > 0) {
    const double old = token.old_log_prob;
    const double moved = std::clamp(value, old - objective.clip_high, old + objective.clip_high);
    const double other = moved - target;
    if (moved != value && other * other > error * error) {
      return {.loss = 0.5 * other * other, .derivative = 0, .clipped = true};
    }
  }
  return {.loss = 0.5 * error * error, .derivative = error, .clipped = false};
}

ZERO_RL_HOST_DEVICE inline TokenLoss policy_loss(const Objective& objective, const TokenInputs& token) {
  const double advantage = token.advantage;
  switch (objective.kind) {
    case ObjectiveKind::kPpo:
      return clipped_loss(objective, ratio_of(token.log_prob - token.old_log_prob), advantage);
    case ObjectiveKind::kGspo: {
      TokenLoss result = clipped_loss(objective, ratio_of(token.sequence_log_ratio), advantage);
      if (objective.product_ratio) result.loss *= token.loss_share;
      return result;
    }
    case ObjectiveKind::kCispo: {
      const double ratio = ratio_of(token.log_prob - token.old_log_prob);
      const double bounded = std::clamp<double>(ratio, 1.0 - objective.clip_low, 1.0 + objective.clip_high);
      return {.loss = -bounded * advantage * token.log_prob,
              .derivative = -bounded * advantage,
              .clipped = bounded != ratio && advantage != 0};
    }
    default:
      return {.loss = -advantage * token.log_prob, .derivative = -advantage, .clipped = false};
  }
}

// The estimate of the KL and its derivative with respect to the log-prob.
ZERO_RL_HOST_DEVICE inline TokenLoss kl_loss(const Objective& objective, const TokenInputs& token) {
  const double difference = static_cast<double>(token.log_prob) - token.reference_log_prob;
  double value = 0.5 * difference * difference;
  double derivative = difference;
  if (objective.kl_estimator == KlEstimator::kK3) {
    const double inverse_ratio = ratio_of(-difference);
    value = inverse_ratio - 1.0 + difference;
    derivative = 1.0 - inverse_ratio;
  }
  if (objective.kl_corrected) {
    const double ratio = ratio_of(token.log_prob - token.old_log_prob);
    derivative = ratio * (derivative + value);
    value *= ratio;
  }
  return {.loss = value, .derivative = derivative, .clipped = false};
}

}  // namespace objective_terms

// With ρ = exp(logp − old):
//   reinforce  −A·logp (Williams, 1992)
//   ppo        −min(ρA, clip(ρ)A) (Schulman et al., arXiv 1707.06347); with a dual clip c at most −cA where A < 0
//              (Ye et al., arXiv 1912.09729)
//   gspo       the same with the ratio s of the whole response, whose gradient is s·∇logp (Zheng et al., arXiv 2507.18071)
//   cispo      −sg(clip(ρ))·A·logp (MiniMax, arXiv 2506.13585)
//   value      ½·max((V − R)², (clip(V, V_old ± c) − R)²)
// KL: k2 = ½(logp − ref)², k3 = exp(ref − logp) − 1 − (ref − logp) (Schulman, 2020); corrected, ρ·k
// (DeepSeek-V3.2, arXiv 2512.02556).
ZERO_RL_HOST_DEVICE inline TokenLoss token_loss(const Objective& objective, const TokenInputs& token) {
  if (objective.kind == ObjectiveKind::kValue) return objective_terms::value_loss(objective, token);
  TokenLoss result = objective_terms::policy_loss(objective, token);
  if (objective.kl_coefficient != 0) {
    const TokenLoss kl = objective_terms::kl_loss(objective, token);
    result.loss += objective.kl_coefficient * kl.loss;
    result.derivative += objective.kl_coefficient * kl.derivative;
  }
  return result;
}

}  // namespace zero_rl
