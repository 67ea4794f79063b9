// What the border to JavaScript asks for: one set of weights, which samples, scores and learns. Memory goes to caches while
// sequences are drawn and to activations while it learns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "generate/scheduler.h"
#include "learn/trainer.h"
#include "model/model.h"

namespace zero_rl {

enum class Moment { kExpAvg, kExpAvgSq };

struct EngineOptions {
  std::string device;  // `cpu` or `cuda:N`
  bool on_device = false;  // the operators of devices on the CPU too, for tests
  at::ScalarType dtype = at::kFloat;
  bool masters = true;
  std::string moments;  // see learn/moments.h
  int64_t memory_bytes = 0;  // most that the engine may hold; 0: what the machine gives
};

class Engine {
 public:
  Engine(const Description& description, const EngineOptions& options);

  // While it lives the engine may be used on the thread that made it; null where nothing needs to be done.
  std::unique_ptr<Operators::Scope> enter() { return operators_->enter(); }

  const Description& description() const { return model_->description; }
  const ParameterStore& parameters() const { return model_->parameters; }
  // Joins the sequences that are being drawn, which nothing else may interrupt: tick() is called until it returns false.
  void submit(Submission submission);
  bool tick();
  // One value per response token: log-probs, or the values of a critic.
  std::vector<float> log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort);
  // The normed hidden states before each response token, a micro-batch at a time.
  void hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort);
  StepStats step(const StepRequest& request, const AbortFlag& abort);

  // Optimizer steps taken.
  int64_t steps() const { return trainer_->steps(); }
  void set_steps(int64_t steps) { trainer_->set_steps(steps); }
  // [size], where and as the engine stores it; zeros before the first step.
  const at::Tensor& moment(Moment moment);

 private:
  // Runs work; a device without memory left becomes an error that says what to lower.
  template <class Work>
  decltype(auto) with_memory(const char* advice, const Work& work);
  // Of weights, gradients, moments and copies.
  int64_t held_bytes() const;
  // For caches and activations, those of caches that are kept included.
  int64_t bytes_left();
  // Gives back what generation keeps between requests.
  void make_room();
  // Bytes of activations: those asked for, or most of what is free. Caches make room where they are in the way.
  int64_t pass_budget(int64_t asked);

  int64_t memory_bytes_;
  std::unique_ptr<Operators> operators_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace zero_rl
