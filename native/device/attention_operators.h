// Rotation and attention of packed segments, whatever runs their kernels (device/row_operators.h says what Launch is).
#pragma once

#include <cmath>

#include "device/row_operators.h"
#include "kernels/attention.cuh"
#include "kernels/rotate.cuh"

namespace zero_rl::operators {

// The dimension of a head of rows [T, (Hq + 2Hk)·D], after checks.
inline int64_t head_dim_of(const at::Tensor& qkv, int64_t heads, int64_t kv_heads) {
  check_matrix(qkv, "qkv");
  check(qkv, "qkv", qkv.scalar_type(), qkv.sizes(), qkv);
  TORCH_CHECK(heads > 0 && kv_heads > 0 && heads % kv_heads == 0, "Expected heads to be a multiple of kv_heads but received ",
              heads, " and ", kv_heads);
  const int64_t dim = qkv.size(1) / (heads + 2 * kv_heads);
  TORCH_CHECK(dim > 0 && dim % 2 == 0 && dim <= device::kMostHeadDim && dim * (heads + 2 * kv_heads) == qkv.size(1),
              "Expected rows of ", heads + 2 * kv_heads, " heads of an even dimension of at most ", device::kMostHeadDim,
              " for qkv but received ", qkv.sizes());
  return dim;
}

// Pages of a cache's layer and the tables that name them, after checks; nothing of them where keys are missing.
template <class T>
device::PagedCache<T> paged_cache(const OptionalTensor& keys, const OptionalTensor& values, const OptionalTensor& tables,
                                  const at::Tensor& qkv, int64_t kv_heads, int64_t dim) {
  TORCH_CHECK(values.has_value() == keys.has_value() && tables.has_value() == keys.has_value(),
              "Expected tables, keys and values together");
  if (!keys.has_value()) return {};
  TORCH_CHECK(keys->dim() == 4, "Expected four dimensions for keys but received ", keys->sizes());
  check(*keys, "keys", qkv.scalar_type(), {keys->size(0), kv_heads, device::kPageTokens, dim}, qkv);
  check(*values, "values", qkv.scalar_type(), keys->sizes(), qkv);
  TORCH_CHECK(tables->dim() == 2, "Expected two dimensions for tables but received ", tables->sizes());
  check_rows(*tables, "tables", at::kInt, tables->size(0), tables->size(1), qkv);
  using Element = std::remove_const_t<T>;
  return {data<Element>(*keys), data<Element>(*values), data<int32_t>(*tables),     tables->stride(0),
          tables->size(1),      keys->size(0),          static_cast<int>(kv_heads), static_cast<int>(dim)};
}

template <class Launch>
struct AttentionOperators {
  static void rotate(const at::Tensor& qkv, const at::Tensor& positions, const at::Tensor& cosines,
                     const at::Tensor& sines, bool rotated, int64_t heads, int64_t kv_heads,
                     const OptionalTensor& q_norm, const OptionalTensor& k_norm, double eps,
                     const OptionalTensor& raw_qk, const OptionalTensor& q_rstd, const OptionalTensor& k_rstd,
                     const OptionalTensor& tables, const OptionalTensor& table_rows, const OptionalTensor& keys,
                     const OptionalTensor& values) {
    const device::Rotation rotation = rotation_of(qkv, positions, cosines, sines, rotated, heads, kv_heads);
    check_norms(qkv, rotation, q_norm, k_norm, raw_qk, q_rstd, k_rstd);
    if (table_rows.has_value()) {
      check(*table_rows, "table_rows", at::kInt, {qkv.size(0)}, qkv);
    } else if (tables.has_value()) {
      TORCH_CHECK(tables->size(0) == qkv.size(0), "Expected a row of tables for each of ", qkv.size(0),
                  " tokens but received ", tables->sizes());
    }
    with_dtype(qkv, [&](auto type) {
      using T = typename decltype(type)::type;
      const device::PagedStore<T> store{paged_cache<T>(keys, values, tables, qkv, kv_heads, rotation.dim()),
                                        data<int32_t>(table_rows), rotation.positions};
      const auto run = [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        Launch::warps(qkv, qkv.size(0) * rotation.all_heads(),
                      device::RotateBody<T, V>{rotation, data<T>(qkv), data<T>(q_norm), data<T>(k_norm),
                                               data<T>(raw_qk), data<float>(q_rstd), data<float>(k_rstd), store,
                                               static_cast<float>(eps)});
      };
      // Two elements for each lane and half of a head of 128; heads begin at multiples of an even dimension.
      rotation.half % 2 == 0 ? run(std::integral_constant<int, 2>()) : run(std::integral_constant<int, 1>());
    });
  }

  static void rotate_backward(const at::Tensor& dqkv, const at::Tensor& positions, const at::Tensor& cosines,
                              const at::Tensor& sines, bool rotated, int64_t heads, int64_t kv_heads,
                              const OptionalTensor& q_norm, const OptionalTensor& k_norm, const OptionalTensor& raw_qk,
                              const OptionalTensor& q_rstd, const OptionalTensor& k_rstd, const OptionalTensor& dq_norm,
                              const OptionalTensor& dk_norm) {
    const device::Rotation rotation = rotation_of(dqkv, positions, cosines, sines, rotated, heads, kv_heads);
    const int64_t tokens = dqkv.size(0);
    const int64_t dim = rotation.dim();
    check_norms(dqkv, rotation, q_norm, k_norm, raw_qk, q_rstd, k_rstd);
    const bool normed = q_norm.has_value();
    if (normed) {
      TORCH_CHECK(raw_qk.has_value() && q_rstd.has_value() && dq_norm.has_value() && dk_norm.has_value(),
                  "Expected raw_qk, q_rstd, k_rstd, dq_norm and dk_norm beside q_norm");
      check(*dq_norm, "dq_norm", at::kFloat, {dim}, dqkv);
      check(*dk_norm, "dk_norm", at::kFloat, {dim}, dqkv);
    }
    if (tokens == 0 || !(rotated || normed)) return;
    const int64_t parts = normed ? device::row_parts(tokens) : tokens;
    const at::Tensor partials = scratch({2, normed ? parts : 0, dim}, at::kFloat, dqkv);
    with_dtype(dqkv, [&](auto type) {
      using T = typename decltype(type)::type;
      Launch::warps(dqkv, 2 * parts,
                    device::RotateBackwardBody<T>{rotation, data<T>(dqkv), data<T>(q_norm), data<T>(k_norm),
                                                  data<T>(raw_qk), data<float>(q_rstd), data<float>(k_rstd),
                                                  data<float>(partials), tokens, parts});
    });
    if (!normed) return;
    RowOperators<Launch>::add_parts(partials.select(0, 0), *dq_norm);
    RowOperators<Launch>::add_parts(partials.select(0, 1), *dk_norm);
  }

  static void attention(const at::Tensor& qkv, const at::Tensor& segments, int64_t heads, int64_t kv_heads,
                        const OptionalTensor& keys, const OptionalTensor& values, const OptionalTensor& tables,
                        const at::Tensor& out, const at::Tensor& lse) {
    const device::PackedHeads packed = packed_heads(qkv, segments, heads, kv_heads, out, lse);
    if (tables.has_value()) {
      TORCH_CHECK(tables->size(0) == packed.segment_count, "Expected a row of tables for each of ",
                  packed.segment_count, " segments but received ", tables->sizes());
    }
    with_dtype(qkv, [&](auto type) {
      using T = typename decltype(type)::type;
      const auto cache = paged_cache<const T>(keys, values, tables, qkv, kv_heads, packed.dim);
      Launch::warps(qkv, packed.tokens * heads,
                    device::AttentionBody<T>{packed, data<T>(qkv), cache, data<T>(out), data<float>(lse)});
    });
  }

  static void attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                                 const at::Tensor& lse, const at::Tensor& segments, int64_t heads, int64_t kv_heads,
                                 const at::Tensor& dqkv) {
    const device::PackedHeads packed = packed_heads(qkv, segments, heads, kv_heads, out, lse);
    check(dout, "dout", qkv.scalar_type(), out.sizes(), qkv);
    check(dqkv, "dqkv", qkv.scalar_type(), qkv.sizes(), qkv);
    with_dtype(qkv, [&](auto type) {
      using T = typename decltype(type)::type;
      const device::AttentionGradient<T> gradient{packed,       data<T>(dout),    data<T>(qkv),
                                                  data<T>(out), data<float>(lse), data<T>(dqkv)};
      Launch::warps(qkv, packed.tokens * heads, device::AttentionQueryGradientBody<T>{gradient});
      Launch::warps(qkv, packed.tokens * kv_heads, device::AttentionKeyGradientBody<T>{gradient});
    });
  }

  static void merge_attention(const at::Tensor& part, const at::Tensor& part_lse, const at::Tensor& rows,
                              const at::Tensor& out, const at::Tensor& lse) {
    TORCH_CHECK(out.dim() == 3, "Expected three dimensions for out but received ", out.sizes());
    check_compute_dtype(out, "out");
    const int64_t tokens = out.size(0);
    const int64_t heads = out.size(1);
    const int64_t dim = out.size(2);
    const int64_t queries = rows.numel();
    check(out, "out", out.scalar_type(), out.sizes(), out);
    check(lse, "lse", at::kFloat, {heads, tokens}, out);
    check(rows, "rows", at::kInt, {queries}, out);
    check(part, "part", out.scalar_type(), {queries, heads, dim}, out);
    check(part_lse, "part_lse", at::kFloat, {heads, queries}, out);
    with_dtype(out, [&](auto type) {
      using T = typename decltype(type)::type;
      Launch::warps(out, queries * heads,
                    device::MergeAttentionBody<T>{data<T>(part), data<float>(part_lse), data<int32_t>(rows),
                                                  data<T>(out), data<float>(lse), queries, tokens,
                                                  static_cast<int>(heads), static_cast<int>(dim)});
    });
  }

  static void gather_context(const at::Tensor& keys, const at::Tensor& values, const at::Tensor& tables,
                             const at::Tensor& places, const at::Tensor& out_keys, const at::Tensor& out_values) {
    TORCH_CHECK(keys.dim() == 4, "Expected four dimensions for keys but received ", keys.sizes());
    check_compute_dtype(keys, "keys");
    const int64_t kv_heads = keys.size(1);
    const int64_t dim = keys.size(3);
    const int64_t count = places.size(0);
    check(places, "places", at::kInt, {count, 2}, keys);
    check(out_keys, "out_keys", keys.scalar_type(), {count, kv_heads, dim}, keys);
    check(out_values, "out_values", keys.scalar_type(), out_keys.sizes(), keys);
    with_dtype(keys, [&](auto type) {
      using T = typename decltype(type)::type;
      const auto cache = paged_cache<const T>(keys, values, tables, keys, kv_heads, dim);
      with_pack<T>(dim, {&keys, &values, &out_keys, &out_values}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        Launch::elements(keys, out_keys.numel() / V,
                         device::GatherContextBody<T, V>{cache, data<int32_t>(places), data<T>(out_keys),
                                                         data<T>(out_values)});
      });
    });
  }

  static void implement(torch::Library& library) {
    library.impl("rotate", &rotate);
    library.impl("rotate_backward", &rotate_backward);
    library.impl("attention", &attention);
    library.impl("attention_backward", &attention_backward);
    library.impl("merge_attention", &merge_attention);
    library.impl("gather_context", &gather_context);
  }

 private:
  static device::Rotation rotation_of(const at::Tensor& qkv, const at::Tensor& positions, const at::Tensor& cosines,
                                      const at::Tensor& sines, bool rotated, int64_t heads, int64_t kv_heads) {
    const int64_t half = head_dim_of(qkv, heads, kv_heads) / 2;
    check(positions, "positions", at::kInt, {qkv.size(0)}, qkv);
    if (rotated) {
      check(cosines, "cosines", at::kFloat, {cosines.size(0), half}, qkv);
      check(sines, "sines", at::kFloat, cosines.sizes(), qkv);
    }
    return {data<int32_t>(positions), rotated ? data<float>(cosines) : nullptr, rotated ? data<float>(sines) : nullptr,
            rotated ? cosines.size(0) : 0, rotated, static_cast<int>(heads), static_cast<int>(kv_heads),
            static_cast<int>(half)};
  }

  static void check_norms(const at::Tensor& qkv, const device::Rotation& rotation, const OptionalTensor& q_norm,
                          const OptionalTensor& k_norm, const OptionalTensor& raw_qk, const OptionalTensor& q_rstd,
                          const OptionalTensor& k_rstd) {
    const int64_t tokens = qkv.size(0);
    const int64_t dim = rotation.dim();
    TORCH_CHECK(q_norm.has_value() == k_norm.has_value(), "Expected q_norm and k_norm together");
    TORCH_CHECK(q_rstd.has_value() == k_rstd.has_value(), "Expected q_rstd and k_rstd together");
    if (q_norm.has_value()) {
      check(*q_norm, "q_norm", qkv.scalar_type(), {dim}, qkv);
      check(*k_norm, "k_norm", qkv.scalar_type(), {dim}, qkv);
    }
    if (raw_qk.has_value()) {
      check(*raw_qk, "raw_qk", qkv.scalar_type(), {tokens, rotation.rotated_heads() * dim}, qkv);
    }
    if (q_rstd.has_value()) {
      check(*q_rstd, "q_rstd", at::kFloat, {tokens, rotation.heads}, qkv);
      check(*k_rstd, "k_rstd", at::kFloat, {tokens, rotation.kv_heads}, qkv);
    }
  }

  static device::PackedHeads packed_heads(const at::Tensor& qkv, const at::Tensor& segments, int64_t heads,
                                          int64_t kv_heads, const at::Tensor& out, const at::Tensor& lse) {
    const int64_t dim = head_dim_of(qkv, heads, kv_heads);
    TORCH_CHECK(segments.size(0) > 0, "Expected at least one segment");
    check(segments, "segments", at::kInt, {segments.size(0), 5}, qkv);
    static_assert(sizeof(device::PackedSegment) == 5 * sizeof(int32_t));
    check(out, "out", qkv.scalar_type(), {qkv.size(0), heads * dim}, qkv);
    check(lse, "lse", at::kFloat, {heads, qkv.size(0)}, qkv);
    return {data<device::PackedSegment>(segments), segments.size(0),           qkv.size(0),
            static_cast<int>(heads),               static_cast<int>(kv_heads), static_cast<int>(dim),
            1.0F / std::sqrt(static_cast<float>(dim))};
  }
};

}  // namespace zero_rl::operators
