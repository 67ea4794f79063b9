#include "runtime/thread_pool.h"

#include <pmmintrin.h>
#include <sys/prctl.h>
#include <xmmintrin.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/error.h"

namespace zero_rl {

namespace {

// About 30 microseconds: longer than the serial parts between two kernels, shorter than a scheduler's slice.
constexpr int kSpins = 1500;

thread_local bool inside_work = false;

template <class Done>
bool spin_until(const Done& done) {
  for (int i = 0; i < kSpins; ++i) {
    if (done()) return true;
    _mm_pause();
  }
  return done();
}

}  // namespace

struct ThreadPool::Team {
  explicit Team(int size) {
    workers.reserve(static_cast<size_t>(size));
    try {
      for (int index = 1; index < size; ++index) workers.emplace_back([this, index] { work(index); });
    } catch (const std::system_error&) {
      stop();
      throw out_of_memory_error("The engine could start only " + std::to_string(workers.size() + 1) + " of its " +
                                std::to_string(size) +
                                " threads; lower threads, or give the process more memory or processes");
    }
  }

  ~Team() { stop(); }

  void stop() {
    count = 0;
    stopping = true;
    publish();
    for (std::thread& worker : workers) worker.join();
  }

  // The body of one thread; of several exceptions the first is kept.
  void call(int index) noexcept {
    try {
      body(context, index);
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
  }

  void publish() {
    pending.store(static_cast<uint32_t>(workers.size()), std::memory_order_relaxed);
    generation.fetch_add(1, std::memory_order_seq_cst);
    generation.notify_all();
  }

  void work(int index) {
    prctl(PR_SET_NAME, "zero-rl worker");
    _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
    _MM_SET_DENORMALS_ZERO_MODE(_MM_DENORMALS_ZERO_ON);
    inside_work = true;
    for (uint32_t seen = 0;;) {
      if (!spin_until([&] { return generation.load(std::memory_order_acquire) != seen; })) {
        generation.wait(seen, std::memory_order_acquire);
      }
      ++seen;
      const bool stop = stopping;
      if (index < count) call(index);
      if (pending.fetch_sub(1, std::memory_order_seq_cst) == 1) pending.notify_one();
      if (stop) return;
    }
  }

  void finish() {
    const auto done = [&] { return pending.load(std::memory_order_acquire) == 0; };
    while (!spin_until(done)) {
      const uint32_t left = pending.load(std::memory_order_acquire);
      if (left != 0) pending.wait(left, std::memory_order_acquire);
    }
  }

  std::vector<std::thread> workers;
  // Written before `generation` grows, read by the workers after.
  int count = 0;
  void (*body)(void*, int) = nullptr;
  void* context = nullptr;
  bool stopping = false;
  // Written by the thread that turns `failed`, read by the submitting one when all have ended.
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  alignas(64) std::atomic<uint32_t> generation{0};
  alignas(64) std::atomic<uint32_t> pending{0};
};

ThreadPool& ThreadPool::instance() {
  static ThreadPool* const pool = new ThreadPool;
  return *pool;
}

void ThreadPool::set_threads(int threads) {
  const int current = team_ == nullptr ? 1 : static_cast<int>(team_->workers.size()) + 1;
  if (threads == current) return;
  delete team_;
  team_ = nullptr;
  if (threads > 1) team_ = new Team(threads);
}

int ThreadPool::threads() const noexcept {
  return inside_work || team_ == nullptr ? 1 : static_cast<int>(team_->workers.size()) + 1;
}

void ThreadPool::run(int count, void (*body)(void*, int), void* context) {
  if (count <= 1) {
    if (count == 1) body(context, 0);
    return;
  }
  team_->count = count;
  team_->body = body;
  team_->context = context;
  team_->publish();
  inside_work = true;
  team_->call(0);
  inside_work = false;
  team_->finish();
  if (team_->failed.load(std::memory_order_relaxed)) {
    team_->failed.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(team_->error, nullptr));
  }
}

}  // namespace zero_rl
