// Decode attention, whatever runs its kernels (device/row_operators.h says what Launch is).
#pragma once

#include "device/attention_operators.h"
#include "kernels/decode_attention.cuh"

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
      attend_splits(qkv, operands);
      Launch::warps(qkv, rows * heads, device::DecodeMergeBody<T>{operands});
    });
  }

  static void implement(torch::Library& library) { library.impl("decode_attention", &decode_attention); }

 private:
  template <class T>
  static void attend_splits(const at::Tensor& like, const device::DecodeOperands<T>& operands) {
    if (operands.dim <= 64) {
      attend_heads<64>(like, operands);
    } else if (operands.dim <= 128) {
      attend_heads<128>(like, operands);
    } else {
      attend_heads<256>(like, operands);
    }
  }

  // In runs of query heads that fit the group of a key head: fewer idle ones, more registers each.
  template <int kDims, class T>
  static void attend_heads(const at::Tensor& like, const device::DecodeOperands<T>& operands) {
    const int siblings = operands.siblings();
    if constexpr (sizeof(T) == sizeof(float)) {
      run<8, kDims>(like, operands);
    } else if (siblings == 1) {
      run<1, kDims>(like, operands);
    } else if (siblings == 2) {
      run<2, kDims>(like, operands);
    } else if (siblings <= 4) {
      run<4, kDims>(like, operands);
    } else if (siblings <= 7) {
      run<7, kDims>(like, operands);
    } else {
      run<8, kDims>(like, operands);
    }
  }

  template <int kHeads, int kDims, class T>
  static void run(const at::Tensor& like, const device::DecodeOperands<T>& operands) {
    const device::DecodeSplitBody<T, kHeads, kDims> body{operands};
    constexpr int64_t shared_bytes = device::DecodeShared<T, kHeads, kDims>::kBytes;
    Launch::blocks(like, body.blocks(), device::kDecodeThreads, shared_bytes, body);
  }
};

}  // namespace zero_rl::operators
