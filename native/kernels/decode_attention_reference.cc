// One query per sequence by at::scaled_dot_product_attention, after the sequence's keys and values have been
// gathered: ATen knows no shared prefix. bfloat16 is widened, since that function is very slow in it on the CPU.
#include <ATen/ops/cat.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void decode_attention(const DecodeAttention& a) {
  const int64_t width = (a.heads + 2 * a.kv_heads) * a.head_dim;
  const at::Tensor qkv = dense(a.qkv, {a.rows, width}, Dtype);
  const at::Tensor out = dense(a.out, {a.rows, a.heads, a.head_dim}, Dtype);
  for (int64_t row = 0; row < a.rows; ++row) {
    const KvSequence& s = a.sequences[row];
    // [Hk, tiles, D, kKeyTile] and [Hk, capacity, D] of the layer
    const auto tiles_of = [&](const void* data, int64_t capacity) {
      return dense(data, {a.layer + 1, a.kv_heads, key_tiles(capacity), a.head_dim, kKeyTile}, Dtype).select(0, a.layer);
    };
    const auto keys_of = [&](const void* data, int64_t capacity) {  // [Hk, D, padded capacity]
      return tiles_of(data, capacity).transpose(1, 2).flatten(2);
    };
    const auto values_of = [&](const void* data, int64_t capacity) {
      return dense(data, {a.layer + 1, a.kv_heads, capacity, a.head_dim}, Dtype).select(0, a.layer);
    };
    const at::Tensor own_values = values_of(s.values, s.capacity);
    const at::Tensor heads = qkv.select(0, row).view({a.heads + 2 * a.kv_heads, a.head_dim});
    tiles_of(s.keys, s.capacity)
        .select(1, s.length / kKeyTile)
        .select(2, s.length % kKeyTile)
        .copy_(heads.narrow(0, a.heads, a.kv_heads));
    own_values.select(1, s.length).copy_(heads.narrow(0, a.heads + a.kv_heads, a.kv_heads));
    const at::Tensor keys =
        at::cat({keys_of(s.prefix_keys, s.prefix_length).narrow(2, 0, s.prefix_length),
                 keys_of(s.keys, s.capacity).narrow(2, 0, s.length + 1)},
                2)
            .transpose(1, 2);
    const at::Tensor values =
        at::cat({values_of(s.prefix_values, s.prefix_length), own_values.narrow(1, 0, s.length + 1)}, 1);
    const auto wide = [](const at::Tensor& tensor) { return tensor.to(at::kFloat).unsqueeze(0); };
    const at::Tensor query = wide(heads.narrow(0, 0, a.heads).unsqueeze(1));  // [1, Hq, 1, D]
    out.select(0, row).copy_(at::scaled_dot_product_attention(query, wide(keys), wide(values), {}, 0.0, false,
                                                              ::std::nullopt, /*enable_gqa=*/true)
                                 .view({a.heads, a.head_dim}));
  }
}

template <at::ScalarType Dtype>
void store_prefix(const StorePrefix& s) {
  const int64_t width = (s.heads + 2 * s.kv_heads) * s.head_dim;
  const auto part = [&](int64_t first) {
    const auto* bytes = static_cast<const char*>(s.qkv) + first * s.head_dim * c10::elementSize(Dtype);
    return strided(bytes, {s.kv_heads, s.length, s.head_dim}, {s.head_dim, width, 1}, Dtype);
  };
  const at::Tensor tiles =
      dense(s.keys, {s.layer + 1, s.kv_heads, key_tiles(s.length), s.head_dim, kKeyTile}, Dtype).select(0, s.layer);
  tiles.zero_();
  for (int64_t t = 0; t < s.length; ++t) {
    tiles.select(1, t / kKeyTile).select(2, t % kKeyTile).copy_(part(s.heads).select(1, t));
  }
  dense(s.values, {s.layer + 1, s.kv_heads, s.length, s.head_dim}, Dtype)
      .select(0, s.layer)
      .copy_(part(s.heads + s.kv_heads));
}

}  // namespace

void register_decode_attention(Table& float32, Table& bfloat16) {
  float32.decode_attention = decode_attention<at::kFloat>;
  float32.store_prefix = store_prefix<at::kFloat>;
  bfloat16.decode_attention = decode_attention<at::kBFloat16>;
  bfloat16.store_prefix = store_prefix<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
