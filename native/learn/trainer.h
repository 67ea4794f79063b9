// Scoring and policy-gradient steps over a model, with AdamW's state.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "learn/gradients.h"
#include "learn/hidden_rows.h"
#include "learn/moments.h"
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
  int64_t memory_budget = 0;  // bytes of activations and of the head per micro-batch; 0: most of what is free
};

struct StepStats {
  double loss = 0;
  double grad_norm = 0;
  double entropy = 0;  // a mean over the tokens measured, like the next two
  double kl = 0;
  double log_prob_difference = 0;
  double clip_fraction = 0;  // of all that train
  int64_t tokens = 0;           // that train
  int64_t measured_tokens = 0;  // of these, in sequences that were run: those without a gradient are not
  int64_t total_tokens = 0;     // prompts and responses of the sequences that were run
  int64_t micro_batches = 0;
  bool applied = false;

  // Makes means of the sums over tokens.
  void finish();
  // Whether the gradient may be used.
  bool finite() const;
};

class Trainer {
 public:
  Trainer(Model& model, MomentStorage storage) : model_(model), storage_(storage) {}

  // One value per response token: log-probs, or the values of a critic. `budget`: bytes of activations and of the head.
  std::vector<float> log_probs(const Sequences& sequences, float temperature, int64_t budget, const AbortFlag& abort);

  // The normed hidden states before each response token.
  void hidden_states(const Sequences& sequences, int64_t budget, const HiddenSink& sink, const AbortFlag& abort);

  // Forward, backward, clip, AdamW. An abort leaves weights and moments as they were. Sequences whose advantages are all zero
  // have no gradient where the loss has no other term: they are not run.
  StepStats step(const StepRequest& request, int64_t budget, const AbortFlag& abort);

  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  bool has_state() const { return gradients_.has_value(); }
  // Bytes of gradients and moments where the weights are.
  int64_t held_bytes() const;
  // Allocates gradients and moments unless that was done; zeros before the first step.
  void ensure_state();
  Moments& moments();

 private:
  // How a budget is spent: rows that go through the head together, and bytes left for activations.
  struct Plan {
    int64_t chunk_rows;
    int64_t activations;
  };
  Plan plan_of(int64_t budget) const;
  // Tokens of a micro-batch.
  int64_t scored_tokens(const Plan& plan) const;
  int64_t trained_tokens(const Plan& plan) const;
  Keep keep_of(int64_t tokens, const Plan& plan) const;
  // Calls `head(batch, saved)` with the last hidden states of each micro-batch.
  template <class Head>
  void score(const Sequences& sequences, const std::vector<bool>& skipped, const Plan& plan, const AbortFlag& abort,
             const Head& head);
  std::vector<float> log_probs(const Sequences& sequences, const std::vector<bool>& skipped, float temperature,
                               int64_t budget, const AbortFlag& abort);
  void accumulate(const StepRequest& request, const SequenceRatios& ratios, const MicroBatch& batch, const Plan& plan,
                  StepStats& stats, const AbortFlag& abort);
  void update(const StepRequest& request, double grad_norm);

  Model& model_;
  MomentStorage storage_;
  int64_t steps_ = 0;
  std::optional<Gradients> gradients_;
  std::optional<Moments> moments_;
};

}  // namespace zero_rl
