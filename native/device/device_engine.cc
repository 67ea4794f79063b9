#include "device/device_engine.h"

#include <c10/util/Exception.h>

#include <algorithm>

#include "runtime/error.h"

namespace zero_rl {

namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

struct RuntimeScope : Engine::Scope {
  explicit RuntimeScope(std::unique_ptr<Runtime::Scope> scope) : scope(std::move(scope)) {}
  std::unique_ptr<Runtime::Scope> scope;
};

// Runs work; a device without memory left becomes an error that says what to lower.
template <class Work>
decltype(auto) with_memory(Runtime& runtime, const char* advice, const Work& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError&) {
    runtime.release_unused();
    throw out_of_memory_error("The device " + runtime.device().str() + " ran out of memory (" +
                              std::to_string(runtime.available_bytes() / kMiB) + " MiB are left); " + advice);
  }
}

constexpr const char* kLoadAdvice = "use dtype bfloat16 or a smaller model";
constexpr const char* kSampleAdvice = "lower maxBatch, n or maxTokens";
constexpr const char* kPassAdvice = "score fewer tokens per sequence";
constexpr const char* kStepAdvice =
    "lower memoryBudgetMiB, or load the policy with moments 'bfloat16' or 'host', or with masterWeights false";

// Of what is free, left to what allocators round up and libraries take.
int64_t usable(int64_t bytes) { return bytes / 10 * 9; }

}  // namespace

DeviceEngine::DeviceEngine(const ModelConfig& config, const EngineOptions& options)
    : runtime_(make_runtime(options.device)) {
  const auto scope = runtime_->enter();
  with_memory(*runtime_, kLoadAdvice, [&] {
    model_ = std::make_unique<DeviceModel>(config, options.dtype, options.masters, *runtime_);
    generator_ = std::make_unique<DeviceGenerator>(*model_);
    trainer_ = std::make_unique<DeviceTrainer>(*model_, moment_storage(options.moments));
  });
}

std::unique_ptr<Engine::Scope> DeviceEngine::enter() { return std::make_unique<RuntimeScope>(runtime_->enter()); }

GenerateStats DeviceEngine::generate(const GenerateRequest& request, const CompletionSink& sink,
                                     const AbortFlag& abort) {
  return with_memory(*runtime_, kSampleAdvice, [&] {
    const int64_t budget = usable(runtime_->available_bytes() + generator_->held_bytes());
    return generator_->generate(request, budget, sink, abort);
  });
}

void DeviceEngine::make_room() {
  generator_->release();
  runtime_->release_unused();
}

int64_t DeviceEngine::pass_budget(int64_t asked) {
  const int64_t free = usable(runtime_->available_bytes());
  const int64_t held = generator_->held_bytes();
  if (asked > 0 ? free < asked : free < held) {
    make_room();
  }
  return asked > 0 ? asked : usable(runtime_->available_bytes());
}

std::vector<float> DeviceEngine::log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort) {
  return with_memory(*runtime_, kPassAdvice,
                     [&] { return trainer_->log_probs(sequences, temperature, pass_budget(0), abort); });
}

void DeviceEngine::hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort) {
  with_memory(*runtime_, kPassAdvice, [&] { trainer_->hidden_states(sequences, pass_budget(0), sink, abort); });
}

StepStats DeviceEngine::step(const StepRequest& request, const AbortFlag& abort) {
  return with_memory(*runtime_, kStepAdvice, [&] {
    if (!trainer_->has_state()) make_room();  // gradients and moments stay
    trainer_->ensure_state();
    return trainer_->step(request, pass_budget(request.memory_budget), abort);
  });
}

const at::Tensor& DeviceEngine::moment(Moment moment) {
  return with_memory(*runtime_, kStepAdvice, [&]() -> const at::Tensor& {
    if (!trainer_->has_state()) make_room();
    Moments& moments = trainer_->moments();
    return moment == Moment::kExpAvg ? moments.exp_avg() : moments.exp_avg_sq();
  });
}

}  // namespace zero_rl
