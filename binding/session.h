#pragma once

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "runtime/engine_thread.h"
#include "runtime/error.h"
#include "runtime/thread_pool.h"

namespace zero_rl::binding {

// What jobs share with the wrapper; freed on the engine thread once no job needs it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Description description, EngineOptions options, int threads)
      : description_(std::move(description)), options_(std::move(options)), threads_(threads) {}

  // The engine, on the engine thread, as long as the scope lives. The first one makes it: weights of a device take a while.
  std::unique_ptr<Operators::Scope> enter() {
    ThreadPool::instance().set_threads(threads_);
    if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
    if (engine_ == nullptr) {
      engine_ = std::make_unique<Engine>(description_, options_);
      EngineThread::instance().end_with_process();
    }
    return engine_->enter();
  }
  // Joins the sequences that are being drawn, or begins with them.
  void submit(Submission submission) {
    const auto entered = enter();
    engine().submit(std::move(submission));
    if (std::exchange(ticking_, true)) return;
    EngineThread::instance().keep([session = shared_from_this()] {
      const auto entered = session->enter();
      return session->ticking_ = session->engine().tick();
    });
  }
  Engine& engine() const {
    if (engine_ == nullptr) throw native_error("The model has no weights yet");
    return *engine_;
  }

  // Elements [start, start + count) of a training buffer, in float32.
  at::Tensor read_state(const std::string& name, int64_t start, int64_t count) const {
    if (name == "master") return read_masters(start, count);
    return moments(name).narrow(0, start, count).to(at::kCPU, at::kFloat);
  }
  at::Tensor read_masters(int64_t start, int64_t count) const {
    at::Tensor values = at::empty({count}, at::TensorOptions().dtype(at::kFloat));
    engine().parameters().read_masters(start, count, values.data_ptr<float>());
    return values;
  }
  void write_state(const std::string& name, int64_t start, const std::vector<float>& values) const {
    const auto count = static_cast<int64_t>(values.size());
    if (name == "master") {
      engine().parameters().write_masters(start, count, values.data());
      return;
    }
    moments(name).narrow(0, start, count).copy_(
        at::from_blob(const_cast<float*>(values.data()), {count}, at::TensorOptions().dtype(at::kFloat)));
  }

 private:
  const at::Tensor& moments(const std::string& name) const {
    return engine().moment(name == "expAvg" ? Moment::kExpAvg : Moment::kExpAvgSq);
  }

  Description description_;
  EngineOptions options_;
  int threads_;
  std::unique_ptr<Engine> engine_;
  bool ticking_ = false;  // the engine's thread takes turns
};

}  // namespace zero_rl::binding
