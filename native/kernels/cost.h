// The least work of a kernel's call, from its arguments: each operand read once and each result written once, and the
// additions, multiplications, divisions, roots and exponentials of the definition, one each. T has `element` bytes.
#pragma once

#include "kernels/kernels.h"

namespace zero_rl::kernels {

struct Cost {
  double bytes;
  double flops;
};

Cost cost_of(const Gemm& call, int64_t element);
Cost cost_of(const PackPanels& call, int64_t element);
Cost cost_of(const PackedGemm& call, int64_t element);
Cost cost_of(const RmsNorm& call, int64_t element);
Cost cost_of(const RmsNormBackward& call, int64_t element);
Cost cost_of(const Rope& call, int64_t element);
Cost cost_of(const SwiGluBackward& call, int64_t element);
Cost cost_of(const ColumnSums& call, int64_t element);
Cost cost_of(const Attention& call, int64_t element);
Cost cost_of(const AttentionBackward& call, int64_t element);
Cost cost_of(const PagedDecodeAttention& call, int64_t element);
Cost cost_of(const StorePages& call, int64_t element);
Cost cost_of(const Softmax& call, int64_t element);
Cost cost_of(const LogProbGradient& call, int64_t element);
Cost cost_of(const EntropyGradient& call, int64_t element);
Cost cost_of(const Embedding& call, int64_t element);
Cost cost_of(const EmbeddingBackward& call, int64_t element);
Cost cost_of(const AdamW& call, int64_t element);
Cost squared_norm_cost(int64_t count);

}  // namespace zero_rl::kernels
