#include "runtime/engine_thread.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <sys/prctl.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace zero_rl {

struct EngineThread::State {
  struct Entry {
    std::function<void()> task;
    bool joins = false;
  };

  void push(Entry entry) {
    {
      const std::lock_guard lock(mutex);
      entries.push_back(std::move(entry));
    }
    ready.notify_one();
  }

  // The next task; none while turns are taken and nothing may join them.
  std::function<void()> next() {
    std::unique_lock lock(mutex);
    if (turns.empty()) ready.wait(lock, [this] { return !entries.empty(); });
    if (entries.empty() || (!turns.empty() && !entries.front().joins)) return nullptr;
    std::function<void()> task = std::move(entries.front().task);
    entries.pop_front();
    return task;
  }

  std::mutex mutex;
  std::condition_variable ready;
  std::deque<Entry> entries;
  std::vector<std::function<bool()>> turns;  // of the engine's thread
};

EngineThread::EngineThread() : state_(new State) {
  std::thread([state = state_] {
    prctl(PR_SET_NAME, "zero-rl engine");
    at::init_num_threads();
    at::globalContext().setFlushDenormal(true);
    const c10::InferenceMode inference;
    for (;;) {
      if (std::function<void()> task = state->next()) {
        task();
      } else {
        std::erase_if(state->turns, [](const std::function<bool()>& turn) { return !turn(); });
      }
    }
  }).detach();
}

EngineThread& EngineThread::instance() {
  static EngineThread* const engine = new EngineThread;
  return *engine;
}

void EngineThread::submit(std::function<void()> task) { state_->push({.task = std::move(task), .joins = false}); }

void EngineThread::join(std::function<void()> task) { state_->push({.task = std::move(task), .joins = true}); }

void EngineThread::keep(std::function<bool()> turn) { state_->turns.push_back(std::move(turn)); }

}  // namespace zero_rl
