// Keys and values of one layer in pages of kPageTokens tokens, which lie at absolute positions of their sequences.
#pragma once

#include <cstdint>

#include "runtime/host_device.h"

namespace zero_rl::device {

constexpr int kPageTokens = 32;

template <class T>
struct PagedCache {
  T* keys;  // [pages, kv_heads, kPageTokens, dim], or null
  T* values;
  const int32_t* tables;  // rows of `covered`: the page of tokens [32m, 32m + 32)
  int64_t stride;         // between rows
  int64_t covered;
  int64_t pages;
  int kv_heads;
  int dim;

  ZERO_RL_HOST_DEVICE int64_t tokens() const { return covered * kPageTokens; }
  // Elements before the run of a head's tokens in page m of a row.
  ZERO_RL_HOST_DEVICE int64_t page(int64_t row, int64_t m, int kv_head) const {
    ZERO_RL_DEBUG_CHECK(m >= 0 && m < covered);
    const int32_t page = tables[row * stride + m];
    ZERO_RL_DEBUG_CHECK(page >= 0 && page < pages);
    return (static_cast<int64_t>(page) * kv_heads + kv_head) * (kPageTokens * dim);
  }
  ZERO_RL_HOST_DEVICE int64_t place(int64_t row, int kv_head, int64_t position) const {
    return page(row, position / kPageTokens, kv_head) + position % kPageTokens * dim;
  }
};

}  // namespace zero_rl::device
