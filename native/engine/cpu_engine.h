// The engine over raw pointers.
#pragma once

#include "engine/engine.h"
#include "model/model.h"

namespace zero_rl {

class CpuEngine : public Engine {
 public:
  CpuEngine(const ModelConfig& config, at::ScalarType dtype, bool masters)
      : model_(config, dtype, masters), trainer_(model_) {}

  const ModelConfig& config() const override { return model_.config; }
  const ParameterStore& parameters() const override { return model_.parameters; }
  GenerateStats generate(const GenerateRequest& request, const CompletionSink& sink, const AbortFlag& abort) override {
    return zero_rl::generate(model_, request, sink, abort);
  }
  std::vector<float> log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort) override {
    return trainer_.log_probs(sequences, temperature, abort);
  }
  void hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort) override {
    trainer_.hidden_states(sequences, sink, abort);
  }
  StepStats step(const StepRequest& request, const AbortFlag& abort) override { return trainer_.step(request, abort); }

  int64_t steps() const override { return trainer_.steps(); }
  void set_steps(int64_t steps) override { trainer_.set_steps(steps); }
  const at::Tensor& moment(Moment moment) override {
    return moment == Moment::kExpAvg ? trainer_.exp_avg() : trainer_.exp_avg_sq();
  }

 private:
  Model model_;
  Trainer trainer_;
};

}  // namespace zero_rl
