// Attention of packed segments by flash attention (Dao, arXiv 2307.08691), which knows neither prefixes nor pages: attention to
// the own segment, to the prefix and to the gathered context are merged by their log-sum-exps. Arguments as those of attention
// and attention_backward (device/operators.h).
#pragma once

#include "device/operators.h"

namespace zero_rl::operators {

// Whether varlen_attention is flash attention for these rows.
bool takes_flash_attention(const at::Tensor& qkv, const Segments& segments, int64_t heads, int64_t kv_heads);

void flash_attention(const at::Tensor& qkv, const Segments& segments, int64_t heads, int64_t kv_heads,
                     const OptionalTensor& keys, const OptionalTensor& values, const OptionalTensor& tables,
                     const at::Tensor& out, const at::Tensor& lse);
void flash_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                              const at::Tensor& lse, const Segments& segments, int64_t heads, int64_t kv_heads,
                              const at::Tensor& dqkv);

}  // namespace zero_rl::operators
