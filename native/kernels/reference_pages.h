// Pages of a cache as tensors, for the twins.
#pragma once

#include <ATen/ops/cat.h>

#include <vector>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

// [Hk, D, kPageTokens] of one layer of a page.
inline at::Tensor page_keys(const PagedCache& cache, at::ScalarType dtype, int64_t layer, int64_t page) {
  const auto element = static_cast<int64_t>(c10::elementSize(dtype));
  return dense(static_cast<const char*>(cache.pool) + (page * cache.page_stride() + cache.keys_at(layer, 0)) * element,
               {cache.kv_heads, cache.head_dim, kPageTokens}, dtype);
}

// [Hk, kPageTokens, D]
inline at::Tensor page_values(const PagedCache& cache, at::ScalarType dtype, int64_t layer, int64_t page) {
  const auto element = static_cast<int64_t>(c10::elementSize(dtype));
  return dense(static_cast<const char*>(cache.pool) + (page * cache.page_stride() + cache.values_at(layer, 0)) * element,
               {cache.kv_heads, kPageTokens, cache.head_dim}, dtype);
}

struct Context {
  at::Tensor keys;  // float32 [Hk, length, D]
  at::Tensor values;
};

inline Context cached_context(const PagedCache& cache, at::ScalarType dtype, int64_t layer, const int32_t* table,
                              int64_t length) {
  std::vector<at::Tensor> keys;
  std::vector<at::Tensor> values;
  for (int64_t i = 0; i < key_tiles(length); ++i) {
    keys.push_back(page_keys(cache, dtype, layer, table[i]).transpose(1, 2));
    values.push_back(page_values(cache, dtype, layer, table[i]));
  }
  const auto joined = [&](const std::vector<at::Tensor>& pages) {
    return at::cat(pages, 1).narrow(1, 0, length).to(at::kFloat);
  };
  return {joined(keys), joined(values)};
}

}  // namespace zero_rl::kernels::reference
