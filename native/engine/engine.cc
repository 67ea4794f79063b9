#include "engine/engine.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <string>

#include "operators/make_operators.h"
#include "runtime/error.h"
#include "runtime/memory_budget.h"

namespace zero_rl {

namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr const char* kLoadAdvice = "use dtype bfloat16 or a smaller model";
constexpr const char* kSampleAdvice = "lower maxBatch, n or maxTokens";
constexpr const char* kPassAdvice = "score fewer tokens per sequence";
constexpr const char* kStepAdvice =
    "lower memoryBudgetMiB, or load the policy with moments 'bfloat16' or 'host', or with masterWeights false";

// Of what is free, left to what allocators round up and libraries take.
int64_t usable(int64_t bytes) { return bytes / 10 * 9; }

}  // namespace

template <class Work>
decltype(auto) Engine::with_memory(const char* advice, const Work& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError&) {
    operators_->release_unused();
    throw out_of_memory_error("The device " + operators_->device().str() + " ran out of memory (" +
                              std::to_string(operators_->available_bytes() / kMiB) + " MiB are left); " + advice);
  }
}

Engine::Engine(const Description& description, const EngineOptions& options)
    : memory_bytes_(options.memory_bytes), operators_(make_operators(options.device, options.on_device, options.dtype)) {
  const auto scope = enter();
  with_memory(kLoadAdvice, [&] {
    model_ = std::make_unique<Model>(description, options.dtype, options.masters, *operators_);
    scheduler_ = std::make_unique<Scheduler>(*model_);
    trainer_ = std::make_unique<Trainer>(*model_, moment_storage(options.moments));
  });
}

int64_t Engine::held_bytes() const {
  const ParameterStore& parameters = model_->parameters;
  const auto bytes = [](const at::Tensor& tensor) { return tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : 0; };
  return bytes(parameters.weights()) + bytes(parameters.remainders()) + operators_->copy_bytes() + trainer_->held_bytes();
}

int64_t Engine::bytes_left() {
  const int64_t kept = scheduler_->held_bytes();
  if (operators_->device().is_cpu()) {
    return memory_bytes_ > 0 ? memory_left(memory_bytes_, held_bytes()) : memory_left(0, 0) + kept;
  }
  const int64_t free = usable(operators_->available_bytes() + kept);
  return memory_bytes_ > 0 ? std::clamp<int64_t>(memory_bytes_ - held_bytes(), 0, free) : free;
}

void Engine::submit(Submission submission) {
  with_memory(kSampleAdvice, [&] { scheduler_->submit(std::move(submission), [this] { return bytes_left(); }); });
}

bool Engine::tick() {
  try {
    return with_memory(kSampleAdvice, [&] { return scheduler_->tick(); });
  } catch (...) {
    scheduler_->fail(std::current_exception());
    return false;
  }
}

void Engine::make_room() {
  scheduler_->release();
  operators_->release_unused();
}

int64_t Engine::pass_budget(int64_t asked) {
  const int64_t most = operators_->limits().pass_bytes;
  const int64_t kept = scheduler_->held_bytes();
  int64_t free = bytes_left() - kept;
  if (free < (asked > 0 ? asked : std::min(kept, most))) {
    make_room();
    free = bytes_left() - scheduler_->held_bytes();
  }
  return std::min(free, asked > 0 ? asked : most);
}

std::vector<float> Engine::log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort) {
  return with_memory(kPassAdvice, [&] { return trainer_->log_probs(sequences, temperature, pass_budget(0), abort); });
}

void Engine::hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort) {
  with_memory(kPassAdvice, [&] { trainer_->hidden_states(sequences, pass_budget(0), sink, abort); });
}

StepStats Engine::step(const StepRequest& request, const AbortFlag& abort) {
  return with_memory(kStepAdvice, [&] {
    if (!trainer_->has_state()) make_room();  // gradients and moments stay
    trainer_->ensure_state();
    return trainer_->step(request, pass_budget(request.memory_budget), abort);
  });
}

const at::Tensor& Engine::moment(Moment moment) {
  return with_memory(kStepAdvice, [&]() -> const at::Tensor& {
    if (!trainer_->has_state()) make_room();
    Moments& moments = trainer_->moments();
    return moment == Moment::kExpAvg ? moments.exp_avg() : moments.exp_avg_sq();
  });
}

}  // namespace zero_rl
