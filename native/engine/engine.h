// What the border to JavaScript asks of an engine. There are two: over raw pointers on the CPU (engine/cpu_engine.h), and in
// terms of tensors and operators on a device (device/device_engine.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "generate/generator.h"
#include "learn/trainer.h"
#include "model/parameter_store.h"

namespace zero_rl {

enum class Moment { kExpAvg, kExpAvgSq };

class Engine {
 public:
  virtual ~Engine() = default;

  // While it lives the engine may be used on the thread that made it; null where nothing needs to be done.
  class Scope {
   public:
    virtual ~Scope() = default;
  };
  virtual std::unique_ptr<Scope> enter() { return nullptr; }

  virtual const ModelConfig& config() const = 0;
  virtual const ParameterStore& parameters() const = 0;
  virtual GenerateStats generate(const GenerateRequest& request, const CompletionSink& sink, const AbortFlag& abort) = 0;
  // One value per response token: log-probs, or the values of a critic.
  virtual std::vector<float> log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort) = 0;
  // The normed hidden states before each response token, a micro-batch at a time.
  virtual void hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort) = 0;
  virtual StepStats step(const StepRequest& request, const AbortFlag& abort) = 0;

  // Optimizer steps taken.
  virtual int64_t steps() const = 0;
  virtual void set_steps(int64_t steps) = 0;
  // [size], where and as the engine stores it; zeros before the first step.
  virtual const at::Tensor& moment(Moment moment) = 0;
};

struct EngineOptions {
  std::string device;  // `cpu` or `cuda:N`
  bool on_device = false;  // the device engine on the CPU too, for tests
  at::ScalarType dtype = at::kFloat;
  bool masters = true;
  std::string moments;  // see device/moments.h
  int64_t memory_bytes = 0;  // most that the engine may hold where its weights are; 0: what the machine gives, see runtime/memory_budget.h
};

std::unique_ptr<Engine> make_engine(const ModelConfig& config, const EngineOptions& options);

}  // namespace zero_rl
