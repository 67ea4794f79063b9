// Attention of sequences of queries to sequences of keys by ATen's flash attention, which CUDA builds of libtorch have.
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>

namespace zero_rl::operators {

namespace {

void varlen_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                      const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                      int64_t most_keys, bool causal, double scale, const at::Tensor& out, const at::Tensor& lse) {
  // With one query each it would split keys by the size of the batch: a row would depend on the others.
  most_queries = std::max<int64_t>(most_queries, 2);
  const auto result = at::_flash_attention_forward(query, key, value, query_offsets, key_offsets, most_queries,
                                                   most_keys, /*dropout_p=*/0.0, causal, /*return_debug_mask=*/false,
                                                   scale);
  out.copy_(std::get<0>(result));
  lse.copy_(std::get<1>(result));
}

void varlen_attention_backward(const at::Tensor& dout, const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const at::Tensor& out, const at::Tensor& lse,
                               const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                               int64_t most_keys, bool causal, double scale, const at::Tensor& dquery,
                               const at::Tensor& dkey, const at::Tensor& dvalue) {
  const at::Tensor unused = at::empty({2}, query.options().dtype(at::kLong));  // the state of dropout
  const auto gradients = at::_flash_attention_backward(dout, query, key, value, out, lse, query_offsets, key_offsets,
                                                       most_queries, most_keys, /*dropout_p=*/0.0, causal, unused,
                                                       unused, scale);
  dquery.copy_(std::get<0>(gradients));
  dkey.copy_(std::get<1>(gradients));
  dvalue.copy_(std::get<2>(gradients));
}

}  // namespace

TORCH_LIBRARY_IMPL(zero_rl, CUDA, library) {
  library.impl("varlen_attention", &varlen_attention);
  library.impl("varlen_attention_backward", &varlen_attention_backward);
}

}  // namespace zero_rl::operators
