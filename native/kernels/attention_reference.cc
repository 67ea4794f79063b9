// Causal attention by ATen's flash attention for the CPU: one call for sequences of one length, else one each.
// Its backward pass has no grouped heads, so that keys and values are repeated and their gradients summed; bfloat16
// is widened there, or every one of those sums would be rounded.
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

// Calls body(first token, sequences, length) for each run of sequences of one length.
template <class Body>
void for_each_run(const Attention& a, const Body& body) {
  for (int64_t first = 0; first < a.sequences;) {
    const int64_t length = a.offsets[first + 1] - a.offsets[first];
    int64_t end = first + 1;
    while (end < a.sequences && a.offsets[end + 1] - a.offsets[end] == length) ++end;
    if (length > 0) body(a.offsets[first], end - first, length);
    first = end;
  }
}

// Heads [first, first + count) of rows of `width` columns as [S, heads, L, D].
at::Tensor heads_of(const void* data, at::ScalarType dtype, int64_t token, int64_t sequences, int64_t length,
                    int64_t width, int64_t first, int64_t count, int64_t dim) {
  const auto* bytes = static_cast<const char*>(data) + (token * width + first * dim) * c10::elementSize(dtype);
  return strided(bytes, {sequences, count, length, dim}, {length * width, dim, width, 1}, dtype);
}

template <at::ScalarType Dtype>
void attention(const Attention& a) {
  const int64_t width = (a.heads + 2 * a.kv_heads) * a.head_dim;
  for_each_run(a, [&](int64_t token, int64_t sequences, int64_t length) {
    const auto part = [&](int64_t first, int64_t count) {
      return heads_of(a.qkv, Dtype, token, sequences, length, width, first, count, a.head_dim);
    };
    const auto [out, lse] = at::_scaled_dot_product_flash_attention_for_cpu(
        part(0, a.heads), part(a.heads, a.kv_heads), part(a.heads + a.kv_heads, a.kv_heads), 0.0, /*is_causal=*/true);
    heads_of(a.out, Dtype, token, sequences, length, a.heads * a.head_dim, 0, a.heads, a.head_dim).copy_(out);
    if (a.lse != nullptr) {
      dense(a.lse + token * a.heads, {sequences, length, a.heads}, at::kFloat).copy_(lse.transpose(1, 2));
    }
  });
}

template <at::ScalarType Dtype>
void attention_backward(const AttentionBackward& b) {
  const Attention& a = b.forward;
  const int64_t width = (a.heads + 2 * a.kv_heads) * a.head_dim;
  const int64_t group = a.heads / a.kv_heads;
  for_each_run(a, [&](int64_t token, int64_t sequences, int64_t length) {
    const auto part = [&](const void* data, int64_t first, int64_t count) {
      return heads_of(data, Dtype, token, sequences, length, width, first, count, a.head_dim);
    };
    const auto result = [&](const void* data) {
      return heads_of(data, Dtype, token, sequences, length, a.heads * a.head_dim, 0, a.heads, a.head_dim);
    };
    const at::Tensor lse =
        dense(a.lse + token * a.heads, {sequences, length, a.heads}, at::kFloat).transpose(1, 2).contiguous();
    const auto wide = [](const at::Tensor& tensor) { return tensor.to(at::kFloat); };
    const auto repeated = [&](int64_t first) {
      return wide(part(a.qkv, first, a.kv_heads)).repeat_interleave(group, 1);
    };
    const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
        wide(result(b.dout)), wide(part(a.qkv, 0, a.heads)), repeated(a.heads), repeated(a.heads + a.kv_heads),
        wide(result(a.out)), lse, 0.0, /*is_causal=*/true);
    const auto summed = [&](const at::Tensor& gradient) {
      return gradient.view({sequences, a.kv_heads, group, length, a.head_dim}).sum(2);
    };
    part(b.dqkv, 0, a.heads).copy_(dq);
    part(b.dqkv, a.heads, a.kv_heads).copy_(summed(dk.contiguous()));
    part(b.dqkv, a.heads + a.kv_heads, a.kv_heads).copy_(summed(dv.contiguous()));
  });
}

}  // namespace

void register_attention(Table& float32, Table& bfloat16) {
  float32.attention = attention<at::kFloat>;
  float32.attention_backward = attention_backward<at::kFloat>;
  bfloat16.attention = attention<at::kBFloat16>;
  bfloat16.attention_backward = attention_backward<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
