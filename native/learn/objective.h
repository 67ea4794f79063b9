// What one token adds to the loss, and the derivative with respect to its log-prob.
#pragma once

namespace zero_rl {

enum class ObjectiveKind { kReinforce, kPpo };
enum class KlEstimator { kK2, kK3 };

struct Objective {
  ObjectiveKind kind = ObjectiveKind::kReinforce;
  float clip_low = 0.2F;
  float clip_high = 0.2F;
  float kl_coefficient = 0;
  KlEstimator kl_estimator = KlEstimator::kK2;
};

struct TokenInputs {
  float log_prob = 0;
  float advantage = 0;
  float old_log_prob = 0;
  float reference_log_prob = 0;
};

struct TokenLoss {
  double loss;
  double derivative;  // d loss / d log_prob
  bool clipped;
};

// reinforce: −A·logp (Williams, 1992). ppo: −min(ρA, clip(ρ)A), ρ = exp(logp − old) (Schulman et al.,
// arXiv 1707.06347). KL: k2 = ½(logp − ref)², k3 = exp(ref − logp) − 1 − (ref − logp) (Schulman, 2020).
TokenLoss token_loss(const Objective& objective, const TokenInputs& token);

}  // namespace zero_rl
