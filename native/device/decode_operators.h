// Decode attention, whatever runs its kernels (device/row_operators.h says what Launch is).
#pragma once

#include "device/attention_operators.h"
#include "kernels/decode_attention.cuh"
#include "kernels/slot_attention.cuh"

namespace zero_rl::operators {

static_assert(device::kSplit == kDecodeSplit && device::kPageTokens == kPageTokens);

template <class Launch>
struct DecodeOperators {
  static void decode_attention(const at::Tensor& qkv, const at::Tensor& keys, const at::Tensor& values,
                               const at::Tensor& tables, const at::Tensor& positions, int64_t heads, int64_t kv_heads,
                               const at::Tensor& partials, const at::Tensor& out) {
    const int64_t rows = qkv.size(0);
    const int64_t dim = head_dim_of(qkv, heads, kv_heads);
    check(positions, "positions", at::kInt, {rows}, qkv);
    TORCH_CHECK(tables.dim() == 2 && tables.size(0) == rows, "Expected a row of tables for each of ", rows,
                " rows but received ", tables.sizes());
    check(partials, "partials", at::kFloat, {rows, heads, decode_splits(tables.size(1)), dim + 2}, qkv);
    check(out, "out", qkv.scalar_type(), {rows, heads * dim}, qkv);
    with_dtype(qkv, [&](auto type) {
      using T = typename decltype(type)::type;
      const device::DecodeOperands<T> operands{data<T>(qkv),
                                               paged_cache<const T>(keys, values, tables, qkv, kv_heads, dim),
                                               data<int32_t>(positions),
                                               data<float>(partials),
                                               data<T>(out),
                                               rows,
                                               static_cast<int>(heads),
                                               static_cast<int>(kv_heads),
                                               static_cast<int>(dim),
                                               1.0F / std::sqrt(static_cast<float>(dim)),
                                               can_pack(device::kPack<T>, dim, {&keys, &values})};
      attend_splits<device::DecodeSplitBody, T>(qkv, operands);
      Launch::warps(qkv, rows * heads, device::DecodeMergeBody<T>{operands});
    });
  }

  static void attend_to_slots(const at::Tensor& qkv, const at::Tensor& keys, const at::Tensor& values,
                               const at::Tensor& slots, const at::Tensor& lengths, const at::Tensor& prefix_keys,
                               const at::Tensor& prefix_values, const at::Tensor& prefixes,
                               const at::Tensor& prefix_lengths, int64_t heads, int64_t kv_heads,
                               const at::Tensor& partials, const at::Tensor& out) {
    const int64_t rows = qkv.size(0);
    const int64_t dim = head_dim_of(qkv, heads, kv_heads);
    check_cache(keys, values, slots, lengths, "keys", qkv, kv_heads, dim);
    check_cache(prefix_keys, prefix_values, prefixes, prefix_lengths, "prefix_keys", qkv, kv_heads, dim);
    check(partials, "partials", at::kFloat, {rows, heads, decode_splits(prefix_keys.size(2), keys.size(2)), dim + 2},
          qkv);
    check(out, "out", qkv.scalar_type(), {rows, heads * dim}, qkv);
    with_dtype(qkv, [&](auto type) {
      using T = typename decltype(type)::type;
      const auto part = [](const at::Tensor& k, const at::Tensor& v, const at::Tensor& places, const at::Tensor& sizes) {
        return device::CachePart<T>{data<T>(k),          data<T>(v), data<int32_t>(places),
                                    data<int32_t>(sizes), k.size(0),  k.size(2)};
      };
      const device::SlotOperands<T> operands{data<T>(qkv),
                                               part(prefix_keys, prefix_values, prefixes, prefix_lengths),
                                               part(keys, values, slots, lengths),
                                               data<float>(partials),
                                               data<T>(out),
                                               rows,
                                               static_cast<int>(heads),
                                               static_cast<int>(kv_heads),
                                               static_cast<int>(dim),
                                               1.0F / std::sqrt(static_cast<float>(dim)),
                                               can_pack(device::kPack<T>, dim, {&keys, &values, &prefix_keys, &prefix_values})};
      attend_splits<device::SlotSplitBody, T>(qkv, operands);
      Launch::warps(qkv, rows * heads, device::SlotMergeBody<T>{operands});
    });
  }

  static void implement(torch::Library& library) {
    library.impl("decode_attention", &decode_attention);
    library.impl("decode_attention.slots", &attend_to_slots);
  }

 private:
  // places and lengths say which sequence of the cache a row uses and how much of it.
  static void check_cache(const at::Tensor& keys, const at::Tensor& values, const at::Tensor& places,
                          const at::Tensor& lengths, const char* name, const at::Tensor& qkv, int64_t kv_heads,
                          int64_t dim) {
    TORCH_CHECK(keys.dim() == 4, "Expected four dimensions for ", name, " but received ", keys.sizes());
    check(keys, name, qkv.scalar_type(), {keys.size(0), kv_heads, keys.size(2), dim}, qkv);
    check(values, "the values beside them", qkv.scalar_type(), keys.sizes(), qkv);
    check(places, "slots or prefixes", at::kInt, {qkv.size(0)}, qkv);
    check(lengths, "lengths", at::kInt, {qkv.size(0)}, qkv);
  }

  template <template <class, int, int> class Body, class T, class Operands>
  static void attend_splits(const at::Tensor& like, const Operands& operands) {
    if (operands.dim <= 64) {
      attend_heads<Body, T, 64>(like, operands);
    } else if (operands.dim <= 128) {
      attend_heads<Body, T, 128>(like, operands);
    } else {
      attend_heads<Body, T, 256>(like, operands);
    }
  }

  // In runs of query heads that fit the group of a key head: fewer idle ones, more registers each.
  template <template <class, int, int> class Body, class T, int kDims, class Operands>
  static void attend_heads(const at::Tensor& like, const Operands& operands) {
    const int siblings = operands.siblings();
    if constexpr (sizeof(T) == sizeof(float)) {
      run<Body, T, 8, kDims>(like, operands);
    } else if (siblings == 1) {
      run<Body, T, 1, kDims>(like, operands);
    } else if (siblings == 2) {
      run<Body, T, 2, kDims>(like, operands);
    } else if (siblings <= 4) {
      run<Body, T, 4, kDims>(like, operands);
    } else if (siblings <= 7) {
      run<Body, T, 7, kDims>(like, operands);
    } else {
      run<Body, T, 8, kDims>(like, operands);
    }
  }

  template <template <class, int, int> class Body, class T, int kHeads, int kDims, class Operands>
  static void run(const at::Tensor& like, const Operands& operands) {
    const Body<T, kHeads, kDims> body{operands};
    constexpr int64_t shared_bytes = device::DecodeShared<T, kHeads, kDims>::kBytes;
    Launch::blocks(like, body.blocks(), device::kDecodeThreads, shared_bytes, body);
  }
};

}  // namespace zero_rl::operators
