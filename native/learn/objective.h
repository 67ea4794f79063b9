// What one token adds to the loss, and the derivative with respect to its log-prob, or to its value for a critic.
#pragma once

namespace zero_rl {

enum class ObjectiveKind { kReinforce, kPpo, kGspo, kCispo, kValue };
enum class KlEstimator { kK2, kK3 };

struct Objective {
  ObjectiveKind kind = ObjectiveKind::kReinforce;
  float clip_low = 0.2F;
  float clip_high = 0.2F;  // of a value: the most it may move; 0: no clipping
  float dual_clip = 0;     // most that a ratio counts where A < 0; 0: no bound
  bool product_ratio = false;  // sequence ratio: the product over the tokens instead of the geometric mean
  float kl_coefficient = 0;
  KlEstimator kl_estimator = KlEstimator::kK2;
  bool kl_corrected = false;  // times ρ of the token, gradient included
  float entropy_coefficient = 0;

  bool needs_sequence_ratio() const { return kind == ObjectiveKind::kGspo; }
};

struct TokenInputs {
  float log_prob = 0;   // the value of a critic
  float advantage = 0;  // the return that a critic learns
  float old_log_prob = 0;
  float reference_log_prob = 0;
  float sequence_log_ratio = 0;  // of the whole response
  float loss_share = 1;          // of the token in its response's loss under a product ratio: 1/T
};

struct TokenLoss {
  double loss;
  double derivative;  // d loss / d log_prob
  bool clipped;
};

// With ρ = exp(logp − old):
//   reinforce  −A·logp (Williams, 1992)
//   ppo        −min(ρA, clip(ρ)A) (Schulman et al., arXiv 1707.06347); with a dual clip c at most −cA where A < 0
//              (Ye et al., arXiv 1912.09729)
//   gspo       the same with the ratio s of the whole response, whose gradient is s·∇logp (Zheng et al., arXiv 2507.18071)
//   cispo      −sg(clip(ρ))·A·logp (MiniMax, arXiv 2506.13585)
//   value      ½·max((V − R)², (clip(V, V_old ± c) − R)²)
// KL: k2 = ½(logp − ref)², k3 = exp(ref − logp) − 1 − (ref − logp) (Schulman, 2020); corrected, ρ·k
// (DeepSeek-V3.2, arXiv 2512.02556).
TokenLoss token_loss(const Objective& objective, const TokenInputs& token);

}  // namespace zero_rl
