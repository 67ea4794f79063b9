// Scoring and policy-gradient steps over a model, with AdamW's state.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "learn/gradients.h"
#include "learn/hidden_rows.h"
#include "learn/objective.h"
#include "learn/sequence_ratio.h"
#include "learn/sequences.h"
#include "model/model.h"
#include "runtime/abort_flag.h"

namespace zero_rl {

// All vectors hold one value per response token, sequences one after the other; old and reference
// log-probs may be empty. For a critic advantages are returns, and old log-probs its values at the rollout.
struct StepRequest {
  Sequences sequences;
  std::vector<float> advantages;
  std::vector<float> weights;  // share of each token in the aggregated loss, 0 where masked
  std::vector<float> old_log_probs;
  std::vector<float> reference_log_probs;
  Objective objective;
  float temperature = 1;
  double learning_rate = 1e-6;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0;
  double max_grad_norm = 1;  // 0: no clipping
  int64_t memory_budget = int64_t{1} << 30;  // bytes of activations per micro-batch
};

struct StepStats {
  double loss = 0;
  double grad_norm = 0;
  double entropy = 0;
  double kl = 0;
  double log_prob_difference = 0;
  double clip_fraction = 0;
  int64_t tokens = 0;
  int64_t total_tokens = 0;
  int64_t micro_batches = 0;
  bool applied = false;

  // Makes means of the sums over tokens.
  void finish();
  // Whether the gradient may be used.
  bool finite() const;
};

class Trainer {
 public:
  explicit Trainer(Model& model) : model_(model) {}

  // One value per response token: log-probs, or the values of a critic.
  std::vector<float> log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort);

  // The normed hidden states before each response token.
  void hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort);

  // Forward, backward, clip, AdamW. An abort leaves weights and moments as they were.
  StepStats step(const StepRequest& request, const AbortFlag& abort);

  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  // [size], of the parameters' dtype of state; zeros before the first step.
  const at::Tensor& exp_avg();
  const at::Tensor& exp_avg_sq();

 private:
  // Calls `head(batch, saved)` with the last hidden states of each micro-batch.
  template <class Head>
  void score(const Sequences& sequences, const AbortFlag& abort, const Head& head);
  void ensure_state();
  // Bytes that a budget leaves for activations.
  int64_t activation_bytes(int64_t budget) const;
  // Tokens whose activations fit when all are kept.
  int64_t kept_tokens(int64_t budget) const;
  int64_t micro_batch_tokens(int64_t budget) const;
  Keep keep_of(const MicroBatch& batch, int64_t budget) const;
  void accumulate(const StepRequest& request, const SequenceRatios& ratios, const MicroBatch& batch, StepStats& stats,
                  const AbortFlag& abort);
  void update(const StepRequest& request, double grad_norm);

  Model& model_;
  int64_t steps_ = 0;
  std::optional<Gradients> gradients_;
  at::Tensor exp_avg_;     // [size], of the gradient's dtype
  at::Tensor exp_avg_sq_;  // [size]
};

}  // namespace zero_rl
