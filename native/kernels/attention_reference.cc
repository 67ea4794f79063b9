// Causal attention by ATen's flash attention for the CPU: one call for segments of one length, else one each; segments
// with a prefix or a cached context, which it does not know, by products and a mask.
// Its backward pass has no grouped heads, so that keys and values are repeated and their gradients summed; bfloat16
// is widened there, or every one of those sums would be rounded.
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <cmath>

#include "kernels/reference.h"
#include "kernels/reference_pages.h"

namespace zero_rl::kernels::reference {

namespace {

bool stands_alone(const Segment& segment) { return segment.prefix_length == 0 && segment.context_length == 0; }

// Calls body(first token, sequences, length) for each run of segments of one length that see nothing before them.
template <class Body>
void for_each_run(const Attention& a, const Body& body) {
  for (int64_t first = 0; first < a.segment_count;) {
    const Segment& segment = a.segments[first];
    int64_t end = first + 1;
    if (stands_alone(segment)) {
      while (end < a.segment_count && a.segments[end].length == segment.length && stands_alone(a.segments[end]) &&
             a.segments[end].begin == a.segments[end - 1].begin + segment.length) {
        ++end;
      }
      if (segment.length > 0) body(segment.begin, end - first, segment.length);
    }
    first = end;
  }
}

// Heads [first, first + count) of rows of `width` columns as [S, heads, L, D].
at::Tensor heads_of(const void* data, at::ScalarType dtype, int64_t token, int64_t sequences, int64_t length,
                    int64_t width, int64_t first, int64_t count, int64_t dim) {
  const auto* bytes = static_cast<const char*>(data) + (token * width + first * dim) * c10::elementSize(dtype);
  return strided(bytes, {sequences, count, length, dim}, {length * width, dim, width, 1}, dtype);
}

// One segment with C cached tokens and a prefix of P, in float32: query [Hq, L, D], keys and values [Hq, C + P + L, D], scores
// [Hq, L, C + P + L].
template <at::ScalarType Dtype>
struct Prefixed {
  Prefixed(const Attention& attention, const Segment& s)
      : a(attention), segment(s), group(a.heads / a.kv_heads), scale(1 / std::sqrt(static_cast<double>(a.head_dim))) {
    query = rows(a.qkv, s.begin, s.length, 0, a.heads);
    keys = context(a.heads);
    values = context(a.heads + a.kv_heads);
    const int64_t before = s.context_length + s.prefix_length;
    const at::Tensor hidden = at::ones({s.length, before + s.length}, at::kBool).triu(before + 1);
    scores = (at::matmul(query, keys.transpose(1, 2)) * scale).masked_fill(hidden, -INFINITY);
  }

  at::Tensor view(const void* data, int64_t token, int64_t length, int64_t first, int64_t count) const {
    const int64_t width = (a.heads + 2 * a.kv_heads) * a.head_dim;
    return heads_of(data, Dtype, token, 1, length, width, first, count, a.head_dim).select(0, 0);
  }
  at::Tensor rows(const void* data, int64_t token, int64_t length, int64_t first, int64_t count) const {
    return view(data, token, length, first, count).to(at::kFloat);
  }
  at::Tensor context(int64_t first) const {
    std::vector<at::Tensor> parts;
    if (segment.context_length > 0) {
      const Context cached = cached_context(a.cache, Dtype, a.layer, segment.context_table, segment.context_length);
      parts.push_back(first == a.heads ? cached.keys : cached.values);
    }
    if (segment.prefix_length > 0) parts.push_back(rows(a.qkv, segment.prefix_begin, segment.prefix_length, first, a.kv_heads));
    parts.push_back(rows(a.qkv, segment.begin, segment.length, first, a.kv_heads));
    return at::cat(parts, 1).repeat_interleave(group, 0);
  }
  at::Tensor result(const void* data) const {  // [Hq, L, D]
    return heads_of(data, Dtype, segment.begin, 1, segment.length, a.heads * a.head_dim, 0, a.heads, a.head_dim)
        .select(0, 0);
  }
  at::Tensor lse() const {  // [Hq, L]
    return dense(a.lse + segment.begin * a.heads, {segment.length, a.heads}, at::kFloat).t();
  }
  // Adds the gradient of `context` to the rows of the prefix and writes those of the segment.
  void spread(void* dqkv, int64_t first, const at::Tensor& gradient) const {
    const at::Tensor sum = gradient.view({a.kv_heads, group, -1, a.head_dim}).sum(1);
    view(dqkv, segment.prefix_begin, segment.prefix_length, first, a.kv_heads)
        .add_(sum.narrow(1, 0, segment.prefix_length));
    view(dqkv, segment.begin, segment.length, first, a.kv_heads)
        .copy_(sum.narrow(1, segment.prefix_length, segment.length));
  }

  const Attention& a;
  const Segment& segment;
  int64_t group;
  double scale;
  at::Tensor query;
  at::Tensor keys;
  at::Tensor values;
  at::Tensor scores;
};

template <class Body>
void for_each_prefixed(const Attention& a, const Body& body) {
  for (int64_t i = 0; i < a.segment_count; ++i) {
    if (!stands_alone(a.segments[i])) body(a.segments[i]);
  }
}

template <at::ScalarType Dtype>
void attention(const Attention& a) {
  for_each_prefixed(a, [&](const Segment& segment) {
    const Prefixed<Dtype> p(a, segment);
    const at::Tensor lse = at::logsumexp(p.scores, 2);
    p.result(a.out).copy_(at::matmul((p.scores - lse.unsqueeze(2)).exp(), p.values));
    if (a.lse != nullptr) p.lse().copy_(lse);
  });
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
  for_each_prefixed(a, [&](const Segment& segment) {
    const Prefixed<Dtype> p(a, segment);
    const at::Tensor dout = p.result(b.dout).to(at::kFloat);
    const at::Tensor probabilities = (p.scores - p.lse().unsqueeze(2)).exp();
    const at::Tensor delta = (dout * p.result(a.out)).sum(2, /*keepdim=*/true);
    const at::Tensor dscores = probabilities * (at::matmul(dout, p.values.transpose(1, 2)) - delta) * p.scale;
    p.view(b.dqkv, segment.begin, segment.length, 0, a.heads).copy_(at::matmul(dscores, p.keys));
    p.spread(b.dqkv, a.heads, at::matmul(dscores.transpose(1, 2), p.query));
    p.spread(b.dqkv, a.heads + a.kv_heads, at::matmul(probabilities.transpose(1, 2), dout));
  });
}

// In float32 where rows of a prefix get gradients from several segments, or every one of those sums would be rounded.
void attention_backward_bfloat16(const AttentionBackward& b) {
  const Attention& a = b.forward;
  int64_t tokens = 0;
  bool prefixed = false;
  for (int64_t i = 0; i < a.segment_count; ++i) {
    tokens = std::max(tokens, a.segments[i].begin + a.segments[i].length);
    prefixed = prefixed || a.segments[i].prefix_length > 0;
  }
  if (!prefixed) return attention_backward<at::kBFloat16>(b);
  const int64_t width = (a.heads + 2 * a.kv_heads) * a.head_dim;
  const auto wide = [&](const void* data, int64_t columns) {
    return dense(data, {tokens, columns}, at::kBFloat16).to(at::kFloat);
  };
  const at::Tensor qkv = wide(a.qkv, width);
  const at::Tensor out = wide(a.out, a.heads * a.head_dim);
  const at::Tensor dout = wide(b.dout, a.heads * a.head_dim);
  const at::Tensor dqkv = wide(b.dqkv, width);
  AttentionBackward widened = b;
  widened.forward.qkv = qkv.data_ptr();
  widened.forward.out = out.data_ptr();
  widened.dout = dout.data_ptr();
  widened.dqkv = dqkv.data_ptr();
  attention_backward<at::kFloat>(widened);
  dense(b.dqkv, {tokens, width}, at::kBFloat16).copy_(dqkv);
}

}  // namespace

void register_attention(Table& float32, Table& bfloat16) {
  float32.attention = attention<at::kFloat>;
  bfloat16.attention = attention<at::kBFloat16>;
}

void register_attention_backward(Table& float32, Table& bfloat16) {
  float32.attention_backward = attention_backward<at::kFloat>;
  bfloat16.attention_backward = attention_backward_bfloat16;
}

}  // namespace zero_rl::kernels::reference
