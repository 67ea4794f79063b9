#include "device/flash_attention.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <cmath>

namespace zero_rl::operators {

namespace {

struct Heads {
  Heads(const at::Tensor& qkv, int64_t heads, int64_t kv_heads) {
    const at::Tensor all = qkv.view({qkv.size(0), heads + 2 * kv_heads, -1});
    query = all.narrow(1, 0, heads);
    key = all.narrow(1, heads, kv_heads);
    value = all.narrow(1, heads + kv_heads, kv_heads);
    scale = 1 / std::sqrt(static_cast<double>(all.size(2)));
  }
  // [T, Hq, D] of [T, Hq·D]
  at::Tensor rows(const at::Tensor& out) const { return out.view(query.sizes()); }

  at::Tensor query;  // [T, Hq, D]
  at::Tensor key;    // [T, Hk, D]
  at::Tensor value;
  double scale;
};

at::Tensor like(const at::Tensor& tensor) { return at::empty(tensor.sizes(), tensor.options()); }

// What queries see of `key` and `value`, beside what is in out [T, Hq, D] and lse.
void add_part(const Heads& heads, const Segments::Part& part, const at::Tensor& key, const at::Tensor& value,
              const at::Tensor& out, const at::Tensor& lse) {
  const at::Tensor query = at::index_select(heads.query, 0, part.queries);
  const at::Tensor part_out = like(query);
  const at::Tensor part_lse = at::empty({query.size(1), query.size(0)}, lse.options());
  varlen_attention(query, key, value, part.query_offsets, part.key_offsets, part.most_queries, part.most_keys,
                   /*causal=*/false, heads.scale, part_out, part_lse);
  merge_attention(part_out, part_lse, part.queries, out, lse);
}

}  // namespace

bool takes_flash_attention(const at::Tensor& qkv, const Segments& segments, int64_t heads, int64_t kv_heads) {
  return segments.flash.has_value() && qkv.is_cuda() && qkv.scalar_type() == at::kBFloat16 &&
         qkv.size(1) / (heads + 2 * kv_heads) % 8 == 0;
}

void flash_attention(const at::Tensor& qkv, const Segments& segments, int64_t heads, int64_t kv_heads,
                     const OptionalTensor& keys, const OptionalTensor& values, const OptionalTensor& tables,
                     const at::Tensor& out, const at::Tensor& lse) {
  if (qkv.size(0) == 0) return;
  const Segments::Flash& flash = *segments.flash;
  const Heads h(qkv, heads, kv_heads);
  const at::Tensor rows = h.rows(out);
  varlen_attention(h.query, h.key, h.value, flash.offsets, flash.offsets, flash.max_length, flash.max_length,
                   /*causal=*/true, h.scale, rows, lse);
  if (flash.prefixes) {
    const at::Tensor& prefix = flash.prefixes->keys;
    add_part(h, *flash.prefixes, at::index_select(h.key, 0, prefix), at::index_select(h.value, 0, prefix), rows, lse);
  }
  if (flash.contexts) {
    TORCH_CHECK(keys.has_value() && values.has_value() && tables.has_value(), "Expected keys, values and tables of contexts");
    const at::Tensor& places = flash.contexts->keys;
    const at::Tensor key = at::empty({places.size(0), kv_heads, h.key.size(2)}, qkv.options());
    const at::Tensor value = like(key);
    gather_context(*keys, *values, *tables, places, key, value);
    add_part(h, *flash.contexts, key, value, rows, lse);
  }
}

void flash_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                              const at::Tensor& lse, const Segments& segments, int64_t heads, int64_t kv_heads,
                              const at::Tensor& dqkv) {
  if (qkv.size(0) == 0) return;
  const Segments::Flash& flash = *segments.flash;
  const Heads h(qkv, heads, kv_heads);
  const Heads gradients(dqkv, heads, kv_heads);
  const at::Tensor drows = h.rows(dout);
  const at::Tensor rows = h.rows(out);
  // Weights follow from the log-sum-exp over all that a token sees, so that the parts' gradients add up.
  varlen_attention_backward(drows, h.query, h.key, h.value, rows, lse, flash.offsets, flash.offsets, flash.max_length,
                            flash.max_length, /*causal=*/true, h.scale, gradients.query, gradients.key,
                            gradients.value);
  if (!flash.prefixes) return;
  const Segments::Part& part = *flash.prefixes;
  const at::Tensor query = at::index_select(h.query, 0, part.queries);
  const at::Tensor key = at::index_select(h.key, 0, part.keys);
  const at::Tensor value = at::index_select(h.value, 0, part.keys);
  const at::Tensor dquery = like(query);
  const at::Tensor dkey = like(key);
  const at::Tensor dvalue = like(value);
  varlen_attention_backward(at::index_select(drows, 0, part.queries), query, key, value,
                            at::index_select(rows, 0, part.queries), at::index_select(lse, 1, part.queries),
                            part.query_offsets, part.key_offsets, part.most_queries, part.most_keys,
                            /*causal=*/false, h.scale, dquery, dkey, dvalue);
  const auto add = [](at::Tensor to, const at::Tensor& places, const at::Tensor& gradient) {
    to.index_add_(0, places, gradient);
  };
  add(gradients.query, part.queries, dquery);
  add(gradients.key, part.keys, dkey);
  add(gradients.value, part.keys, dvalue);
}

}  // namespace zero_rl::operators
