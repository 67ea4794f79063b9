// What the cases of attention share.
#pragma once

#include "bench/kernel_case.h"

namespace zero_rl::bench {

struct Heads {
  explicit Heads(const Sizes& sizes)
      : heads(sizes.at("heads")),
        kv_heads(sizes.at("kv_heads")),
        head_dim(sizes.at("head_dim")),
        width((heads + 2 * kv_heads) * head_dim) {}
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  int64_t width;
};

// A pool of pages, all NaN, so that what is read without having been written shows.
struct Pages {
  Pages(const Heads& h, int64_t layers, int64_t count, at::ScalarType dtype);
  kernels::PagedCache cache() const {
    return {.pool = pool.data_ptr(), .pages = pages, .layers = layers, .kv_heads = kv_heads, .head_dim = head_dim};
  }
  // Writes `rows` of qkv from row `first` on to the positions from `position` on.
  void store(const kernels::Table& table, const at::Tensor& qkv, int64_t first, int64_t rows, const int32_t* pages,
             int64_t position, int64_t layer) const;

  at::Tensor pool;
  int64_t pages;
  int64_t layers;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
};

// Page numbers from `first` on, in an order that is not theirs.
std::vector<int32_t> scattered_pages(int64_t first, int64_t count);

}  // namespace zero_rl::bench
