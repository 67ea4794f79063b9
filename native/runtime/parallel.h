// Ways to share out work among the engine's threads. What a body throws, such as std::bad_alloc, is thrown by the call once
// all threads have ended. A call inside a body is serial.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>

#include "runtime/thread_pool.h"

namespace zero_rl {

// body(thread) on each of `count` threads at once; count <= ThreadPool::threads().
template <class Body>
inline void parallel_threads(int count, const Body& body) {
  ThreadPool::instance().run(
      count, [](void* context, int index) { (*static_cast<const Body*>(context))(index); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Splits [0, n) into one contiguous range per thread; the split depends on the thread count only.
// grain: the least items worth a thread. body(begin, end, thread).
template <class Body>
inline void parallel_ranges(int64_t n, int64_t grain, const Body& body) {
  const int64_t wanted = std::max<int64_t>(1, n / std::max<int64_t>(1, grain));
  const int64_t count = std::min<int64_t>(ThreadPool::instance().threads(), wanted);
  if (count <= 1) {
    body(int64_t{0}, n, 0);
    return;
  }
  parallel_threads(static_cast<int>(count),
                   [&](int thread) { body(n * thread / count, n * (thread + 1) / count, thread); });
}

// body(task) for 0 <= task < count: a thread that is free takes the next one.
template <class Body>
inline void parallel_tasks(int64_t count, const Body& body) {
  std::atomic<int64_t> next{0};
  const int64_t threads = std::min<int64_t>(ThreadPool::instance().threads(), count);
  parallel_threads(static_cast<int>(threads), [&](int) {
    for (int64_t task = next.fetch_add(1, std::memory_order_relaxed); task < count;
         task = next.fetch_add(1, std::memory_order_relaxed)) {
      body(task);
    }
  });
}

}  // namespace zero_rl
