#include "learn/objective.h"

#include <algorithm>
#include <cmath>

namespace zero_rl {

namespace {

// exp of a log ratio; a larger ratio says that the two policies have nothing in common.
constexpr double kMaxLogRatio = 20;

double ratio_of(double log_ratio) { return std::exp(std::clamp(log_ratio, -kMaxLogRatio, kMaxLogRatio)); }

TokenLoss clipped_loss(const Objective& objective, double ratio, double advantage) {
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

TokenLoss value_loss(const Objective& objective, const TokenInputs& token) {
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

TokenLoss policy_loss(const Objective& objective, const TokenInputs& token) {
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
              .clipped = bounded != ratio};
    }
    default:
      return {.loss = -advantage * token.log_prob, .derivative = -advantage, .clipped = false};
  }
}

// The estimate of the KL and its derivative with respect to the log-prob.
TokenLoss kl_loss(const Objective& objective, const TokenInputs& token) {
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

}  // namespace

TokenLoss token_loss(const Objective& objective, const TokenInputs& token) {
  if (objective.kind == ObjectiveKind::kValue) return value_loss(objective, token);
  TokenLoss result = policy_loss(objective, token);
  if (objective.kl_coefficient != 0) {
    const TokenLoss kl = kl_loss(objective, token);
    result.loss += objective.kl_coefficient * kl.loss;
    result.derivative += objective.kl_coefficient * kl.derivative;
  }
  return result;
}

}  // namespace zero_rl
