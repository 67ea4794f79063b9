// Scoring and policy-gradient steps on a device; learn/trainer.h says what they are.
#pragma once

#include <optional>

#include "device/device_head.h"
#include "device/moments.h"
#include "device/packed_pass.h"
#include "learn/trainer.h"

namespace zero_rl {

class DeviceTrainer {
 public:
  DeviceTrainer(DeviceModel& model, MomentStorage storage) : model_(model), storage_(storage) {}

  std::vector<float> log_probs(const Sequences& sequences, float temperature, int64_t budget, const AbortFlag& abort);
  void hidden_states(const Sequences& sequences, int64_t budget, const HiddenSink& sink, const AbortFlag& abort);
  // `budget`: bytes of activations and of the head per micro-batch.
  StepStats step(const StepRequest& request, int64_t budget, const AbortFlag& abort);

  bool has_state() const { return gradients_.has_value(); }
  // Allocates gradients and moments unless that was done.
  void ensure_state();
  Moments& moments();
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  // How a budget is spent: rows that go through the head together, and bytes left for activations.
  struct Plan {
    int64_t chunk_rows;
    int64_t activations;
  };
  Plan plan_of(int64_t budget) const;
  int64_t micro_batch_tokens(const Plan& plan) const;
  // Calls `head(batch, saved)` with the last hidden states of each micro-batch.
  template <class Head>
  void score(const Sequences& sequences, const Plan& plan, const AbortFlag& abort, const Head& head);
  Keep keep_of(int64_t tokens, const Plan& plan) const;
  void accumulate(const StepRequest& request, const SequenceRatios& ratios, const MicroBatch& batch, const Plan& plan,
                  StepStats& stats, const AbortFlag& abort);
  void tally(const StepRequest& request, const MicroBatch& batch, const HeadResults& results, StepStats& stats) const;
  double gradient_norm() const;
  void update(const StepRequest& request, double grad_norm);

  DeviceModel& model_;
  MomentStorage storage_;
  int64_t steps_ = 0;
  std::optional<Gradients> gradients_;
  std::optional<Moments> moments_;
};

}  // namespace zero_rl
