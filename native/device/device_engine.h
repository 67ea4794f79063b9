// The engine in terms of tensors and the operators of device/operators.h: one set of weights on a device, which samples,
// scores and learns. Memory goes to caches while sequences are drawn and to activations while it learns.
#pragma once

#include <memory>

#include "device/device_generator.h"
#include "device/device_trainer.h"
#include "engine/engine.h"

namespace zero_rl {

class DeviceEngine : public Engine {
 public:
  DeviceEngine(const ModelConfig& config, const EngineOptions& options);

  std::unique_ptr<Scope> enter() override;
  const ModelConfig& config() const override { return model_->config; }
  const ParameterStore& parameters() const override { return model_->parameters; }
  GenerateStats generate(const GenerateRequest& request, const CompletionSink& sink, const AbortFlag& abort) override;
  std::vector<float> log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort) override;
  void hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort) override;
  StepStats step(const StepRequest& request, const AbortFlag& abort) override;

  int64_t steps() const override { return trainer_->steps(); }
  void set_steps(int64_t steps) override { trainer_->set_steps(steps); }
  const at::Tensor& moment(Moment moment) override;

 private:
  // Gives back what generation keeps between requests.
  void make_room();
  // Bytes of activations: those asked for, or most of what is free. Caches make room where they are in the way.
  int64_t pass_budget(int64_t asked);

  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<DeviceModel> model_;
  std::unique_ptr<DeviceGenerator> generator_;
  std::unique_ptr<DeviceTrainer> trainer_;
};

}  // namespace zero_rl
