// Objectives, and what one token gives to them and gets from them: learn/token_loss.h is the formula.
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

}  // namespace zero_rl
