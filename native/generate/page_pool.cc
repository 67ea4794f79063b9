#include "generate/page_pool.h"

#include "runtime/host_device.h"

namespace zero_rl {

int32_t PagePool::take() {
  int32_t page = -1;
  if (!recycled_.empty()) {
    page = recycled_.back();
    recycled_.pop_back();
  } else if (fresh_ < size()) {
    page = static_cast<int32_t>(fresh_++);
  } else {
    return -1;
  }
  states_[page].holders = 1;
  return page;
}

void PagePool::hold(int32_t page) {
  State& state = states_[page];
  ZERO_RL_DEBUG_CHECK(state.holders > 0 || state.remembered);
  if (state.holders++ == 0) --idle_;
}

void PagePool::release(int32_t page) {
  State& state = states_[page];
  ZERO_RL_DEBUG_CHECK(state.holders > 0);
  if (--state.holders > 0) return;
  if (state.remembered) {
    ++idle_;
  } else {
    recycled_.push_back(page);
  }
}

void PagePool::remember(int32_t page) {
  ZERO_RL_DEBUG_CHECK(states_[page].holders > 0 && !states_[page].remembered);
  states_[page].remembered = true;
}

void PagePool::forget(int32_t page) {
  State& state = states_[page];
  ZERO_RL_DEBUG_CHECK(state.remembered);
  state.remembered = false;
  if (state.holders > 0) return;
  --idle_;
  recycled_.push_back(page);
}

}  // namespace zero_rl
