#include "runtime/engine_thread.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <sys/prctl.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/abort_flag.h"

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

  // The next task; none while turns are taken and nothing may join them. Does not return after the end.
  std::function<void()> next() {
    std::unique_lock lock(mutex);
    busy = false;
    idle.notify_all();
    ready.wait(lock, [this] { return !ended && !(turns.empty() && entries.empty()); });
    busy = true;
    if (entries.empty() || (!turns.empty() && !entries.front().joins)) return nullptr;
    std::function<void()> task = std::move(entries.front().task);
    entries.pop_front();
    return task;
  }

  std::mutex mutex;
  std::condition_variable ready;
  std::condition_variable idle;
  bool busy = false;
  bool ended = false;
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

void EngineThread::end() {
  AbortFlag::set_all();
  std::unique_lock lock(state_->mutex);
  state_->ended = true;
  // By the system's clock, which glibc 2.28 can wait by too.
  state_->idle.wait_until(lock, std::chrono::system_clock::now() + std::chrono::seconds(5),
                          [this] { return !state_->busy; });
}

void EngineThread::end_with_process() {
  std::atexit([] { instance().end(); });
}

bool EngineThread::ended() const {
  const std::lock_guard lock(state_->mutex);
  return state_->ended && !state_->busy;
}

void EngineThread::keep(std::function<bool()> turn) { state_->turns.push_back(std::move(turn)); }

}  // namespace zero_rl
