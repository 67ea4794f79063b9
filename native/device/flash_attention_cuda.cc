#include "device/flash_attention.h"

#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/empty.h>

namespace zero_rl::operators {

namespace {

struct Heads {
  at::Tensor query;  // [T, Hq, D]
  at::Tensor key;    // [T, Hk, D]
  at::Tensor value;
};

Heads heads_of(const at::Tensor& qkv, const device::PackedHeads& packed) {
  const at::Tensor all = qkv.view({packed.tokens, packed.heads + 2 * packed.kv_heads, packed.dim});
  return {all.narrow(1, 0, packed.heads), all.narrow(1, packed.heads, packed.kv_heads),
          all.narrow(1, packed.heads + packed.kv_heads, packed.kv_heads)};
}

at::Tensor rows_of(const at::Tensor& out, const device::PackedHeads& packed) {
  return out.view({packed.tokens, packed.heads, packed.dim});
}

}  // namespace

bool takes_flash_attention(const at::Tensor& qkv, int64_t head_dim) {
  return qkv.scalar_type() == at::kBFloat16 && head_dim % 8 == 0;
}

void flash_attention(const at::Tensor& qkv, const at::Tensor& offsets, int64_t max_length,
                     const device::PackedHeads& packed, const at::Tensor& out, const at::Tensor& lse) {
  const Heads heads = heads_of(qkv, packed);
  const auto result = at::_flash_attention_forward(heads.query, heads.key, heads.value, offsets, offsets, max_length,
                                                   max_length, /*dropout_p=*/0.0, /*is_causal=*/true,
                                                   /*return_debug_mask=*/false, packed.scale);
  rows_of(out, packed).copy_(std::get<0>(result));
  lse.copy_(std::get<1>(result));
}

void flash_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                              const at::Tensor& lse, const at::Tensor& offsets, int64_t max_length,
                              const device::PackedHeads& packed, const at::Tensor& dqkv) {
  const Heads heads = heads_of(qkv, packed);
  const at::Tensor unused = at::empty({2}, qkv.options().dtype(at::kLong));  // the state of dropout
  const auto [dquery, dkey, dvalue] = at::_flash_attention_backward(
      rows_of(dout, packed), heads.query, heads.key, heads.value, rows_of(out, packed), lse, offsets, offsets,
      max_length, max_length, /*dropout_p=*/0.0, /*is_causal=*/true, unused, unused, packed.scale);
  const Heads gradients = heads_of(dqkv, packed);
  gradients.query.copy_(dquery);
  gradients.key.copy_(dkey);
  gradients.value.copy_(dvalue);
}

}  // namespace zero_rl::operators
