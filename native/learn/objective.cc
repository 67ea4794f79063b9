#include "learn/objective.h"

#include <algorithm>
#include <cmath>

namespace zero_rl {

namespace {

// exp of a log ratio; a larger ratio says that the two policies have nothing in common.
constexpr double kMaxLogRatio = 20;

double ratio_of(double log_ratio) { return std::exp(std::clamp(log_ratio, -kMaxLogRatio, kMaxLogRatio)); }

}  // namespace

TokenLoss token_loss(const Objective& objective, const TokenInputs& token) {
  const double log_prob = token.log_prob;
  const double advantage = token.advantage;
  TokenLoss result{};
  if (objective.kind == ObjectiveKind::kReinforce) {
    result.loss = -advantage * log_prob;
    result.derivative = -advantage;
  } else {
    const double ratio = ratio_of(log_prob - token.old_log_prob);
    const double low = 1.0 - objective.clip_low;
    const double high = 1.0 + objective.clip_high;
    result.clipped = (advantage > 0 && ratio > high) || (advantage < 0 && ratio < low);
    result.loss = -std::min(ratio * advantage, std::clamp(ratio, low, high) * advantage);
    result.derivative = result.clipped ? 0.0 : -ratio * advantage;
  }
  if (objective.kl_coefficient != 0) {
    const double difference = log_prob - token.reference_log_prob;
    if (objective.kl_estimator == KlEstimator::kK2) {
      result.loss += objective.kl_coefficient * 0.5 * difference * difference;
      result.derivative += objective.kl_coefficient * difference;
    } else {
      const double inverse_ratio = ratio_of(-difference);
      result.loss += objective.kl_coefficient * (inverse_ratio - 1.0 + difference);
      result.derivative += objective.kl_coefficient * (1.0 - inverse_ratio);
    }
  }
  return result;
}

}  // namespace zero_rl
