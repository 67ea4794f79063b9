// The pages of a key/value cache by number: who holds each, and which are free. A page is kPageTokens tokens at absolute
// positions, in all layers.
#pragma once

#include <cstdint>
#include <vector>

#include "operators/operators.h"

namespace zero_rl {

constexpr int64_t pages_of(int64_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

class PagePool {
 public:
  explicit PagePool(int64_t pages) : states_(pages) {}

  int64_t size() const { return static_cast<int64_t>(states_.size()); }
  // Free pages that were in use before, and those that never were.
  int64_t recycled() const { return static_cast<int64_t>(recycled_.size()); }
  int64_t fresh() const { return size() - fresh_; }
  int64_t free() const { return recycled() + fresh(); }
  // Pages that are remembered and that nobody holds: to be had by forgetting them.
  int64_t idle() const { return idle_; }
  // Pages that somebody holds.
  int64_t held() const { return size() - free() - idle(); }

  // A free page with one holder, the one freed last first; −1 where there is none.
  int32_t take();
  void hold(int32_t page);
  void release(int32_t page);
  bool held(int32_t page) const { return states_[page].holders > 0; }
  // A page that is remembered is not free even when nobody holds it.
  void remember(int32_t page);
  void forget(int32_t page);

 private:
  struct State {
    int32_t holders = 0;
    bool remembered = false;
  };
  std::vector<State> states_;
  std::vector<int32_t> recycled_;
  int64_t fresh_ = 0;  // pages from here on were never used
  int64_t idle_ = 0;
};

}  // namespace zero_rl
