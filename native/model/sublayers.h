// What the passes of the decoder share: queries and keys on their way to attention.
#pragma once

#include "model/model.h"

namespace zero_rl {

// Norms of queries and keys over their whole projections: of `raw`, rows that begin with both, into qkv; the two may be one.
// rstds [T] may be undefined.
inline void norm_projections(const Model& model, const LayerTensors& layer, const at::Tensor& raw, const at::Tensor& qkv,
                             const at::Tensor& q_rstd, const at::Tensor& k_rstd) {
  const Description& of = model.description;
  const int64_t queries = of.query_width();
  const int64_t keys = of.kv_width();
  model.operators.rms_norm(raw.narrow(1, 0, queries), layer.q_norm, of.rms_norm_eps, qkv.narrow(1, 0, queries), q_rstd);
  model.operators.rms_norm(raw.narrow(1, queries, keys), layer.k_norm, of.rms_norm_eps, qkv.narrow(1, queries, keys),
                           k_rstd);
}

inline bool norms_heads(const Description& description, int64_t layer) {
  return description.layers[layer].qk_norm == QkNorm::kHead;
}
inline bool norms_projections(const Description& description, int64_t layer) {
  return description.layers[layer].qk_norm == QkNorm::kProjection;
}

}  // namespace zero_rl
