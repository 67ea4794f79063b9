// What stands in for flash attention on the CPU, so that what is composed of it can be tested there: products and a softmax.
#include <ATen/TensorOperators.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <torch/library.h>

#include <cmath>

namespace zero_rl::bench {

namespace {

// One sequence of queries with its keys, heads first, in float64.
struct Sequence {
  Sequence(const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t index)
      : first_query(query_offsets.data_ptr<int32_t>()[index]),
        queries(query_offsets.data_ptr<int32_t>()[index + 1] - first_query),
        first_key(key_offsets.data_ptr<int32_t>()[index]),
        keys(key_offsets.data_ptr<int32_t>()[index + 1] - first_key) {}

  at::Tensor of_queries(const at::Tensor& rows) const {
    return rows.narrow(0, first_query, queries).transpose(0, 1).to(at::kDouble);
  }
  at::Tensor of_keys(const at::Tensor& rows, int64_t heads) const {
    return rows.narrow(0, first_key, keys).transpose(0, 1).to(at::kDouble).repeat_interleave(heads / rows.size(1), 0);
  }
  at::Tensor scores(const at::Tensor& query, const at::Tensor& key, bool causal, double scale) const {
    const at::Tensor all = at::matmul(of_queries(query), of_keys(key, query.size(1)).transpose(1, 2)) * scale;
    if (!causal) return all;
    return all.masked_fill(at::ones({queries, keys}, at::kBool).triu(keys - queries + 1), -INFINITY);
  }
  // The sum over the query heads of each key head.
  void write_keys(const at::Tensor& rows, const at::Tensor& gradient) const {
    const at::Tensor sum = gradient.view({rows.size(1), -1, keys, rows.size(2)}).sum(1);
    rows.narrow(0, first_key, keys).copy_(sum.transpose(0, 1));
  }

  int64_t first_query;
  int64_t queries;
  int64_t first_key;
  int64_t keys;
};

void varlen_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                      const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                      int64_t most_keys, bool causal, double scale, const at::Tensor& out, const at::Tensor& lse) {
  for (int64_t i = 0; i + 1 < query_offsets.numel(); ++i) {
    const Sequence s(query_offsets, key_offsets, i);
    TORCH_CHECK(s.queries <= most_queries && s.keys <= most_keys, "A sequence is longer than the longest");
    const at::Tensor scores = s.scores(query, key, causal, scale);
    const at::Tensor sums = at::logsumexp(scores, 2);
    const at::Tensor weights = (scores - sums.unsqueeze(2)).exp();
    out.narrow(0, s.first_query, s.queries).copy_(at::matmul(weights, s.of_keys(value, query.size(1))).transpose(0, 1));
    lse.narrow(1, s.first_query, s.queries).copy_(sums);
  }
}

void varlen_attention_backward(const at::Tensor& dout, const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const at::Tensor& out, const at::Tensor& lse,
                               const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                               int64_t most_keys, bool causal, double scale, const at::Tensor& dquery,
                               const at::Tensor& dkey, const at::Tensor& dvalue) {
  const int64_t heads = query.size(1);
  for (int64_t i = 0; i + 1 < query_offsets.numel(); ++i) {
    const Sequence s(query_offsets, key_offsets, i);
    TORCH_CHECK(s.queries <= most_queries && s.keys <= most_keys, "A sequence is longer than the longest");
    const at::Tensor sums = lse.narrow(1, s.first_query, s.queries).to(at::kDouble).unsqueeze(2);
    const at::Tensor weights = (s.scores(query, key, causal, scale) - sums).exp();
    const at::Tensor gradient = s.of_queries(dout);
    const at::Tensor delta = (gradient * s.of_queries(out)).sum(2, /*keepdim=*/true);
    const at::Tensor dscores =
        weights * (at::matmul(gradient, s.of_keys(value, heads).transpose(1, 2)) - delta) * scale;
    dquery.narrow(0, s.first_query, s.queries).copy_(at::matmul(dscores, s.of_keys(key, heads)).transpose(0, 1));
    s.write_keys(dkey, at::matmul(dscores.transpose(1, 2), s.of_queries(query)));
    s.write_keys(dvalue, at::matmul(weights.transpose(1, 2), gradient));
  }
}

}  // namespace

TORCH_LIBRARY_IMPL(zero_rl, CPU, library) {
  library.impl("varlen_attention", &varlen_attention);
  library.impl("varlen_attention_backward", &varlen_attention_backward);
}

}  // namespace zero_rl::bench
