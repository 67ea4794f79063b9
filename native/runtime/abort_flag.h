// Set from another thread, polled by long work between layers, decode steps and micro-batches.
#pragma once

#include <atomic>

#include "runtime/error.h"

namespace zero_rl {

class AbortFlag {
 public:
  void set() noexcept { set_.store(true, std::memory_order_relaxed); }
  // Every flag, also of work to come: the process ends.
  static void set_all() noexcept { all_.store(true, std::memory_order_relaxed); }
  static bool all_set() noexcept { return all_.load(std::memory_order_relaxed); }
  bool is_set() const noexcept { return set_.load(std::memory_order_relaxed) || all_set(); }
  void check() const {
    if (is_set()) throw aborted_error();
  }

 private:
  inline static std::atomic<bool> all_{false};
  std::atomic<bool> set_{false};
};

}  // namespace zero_rl
