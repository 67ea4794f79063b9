#include "runtime/engine_thread.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <sys/prctl.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace zero_rl {

struct EngineThread::State {
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::function<void()>> tasks;
};

EngineThread::EngineThread() : state_(new State) {
  std::thread([state = state_] {
    prctl(PR_SET_NAME, "zero-rl engine");
    at::init_num_threads();
    at::globalContext().setFlushDenormal(true);
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock lock(state->mutex);
        state->ready.wait(lock, [state] { return !state->tasks.empty(); });
        task = std::move(state->tasks.front());
        state->tasks.pop_front();
      }
      task();
    }
  }).detach();
}

EngineThread& EngineThread::instance() {
  static EngineThread* const engine = new EngineThread;
  return *engine;
}

void EngineThread::submit(std::function<void()> task) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->tasks.push_back(std::move(task));
  }
  state_->ready.notify_one();
}

}  // namespace zero_rl
