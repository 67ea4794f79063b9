// The pieces of a layer that the packed pass, its backward pass and the decode step share.
#pragma once

#include <cstring>

#include "model/linear.h"
#include "model/model.h"
#include "runtime/parallel.h"

namespace zero_rl {

// y = RMSNorm(x) over rows of [T, H]; rstd [T] may be undefined.
inline void norm_rows(const Model& model, const at::Tensor& x, const at::Tensor& weight, at::Tensor& y,
                      const at::Tensor& rstd) {
  const int64_t hidden = x.size(1);
  model.kernels().rms_norm({.x = x.data_ptr(),
                            .x_stride = hidden,
                            .weight = weight.data_ptr(),
                            .y = y.data_ptr(),
                            .y_stride = hidden,
                            .rstd = rstd.defined() ? rstd.data_ptr<float>() : nullptr,
                            .outer = x.size(0),
                            .inner = 1,
                            .dim = hidden,
                            .eps = static_cast<float>(model.config.rms_norm_eps)});
}

// dx (+)= gradient of RMSNorm, dweight += its share.
inline void norm_rows_backward(const Model& model, const at::Tensor& dy, const at::Tensor& x,
                               const at::Tensor& weight, const at::Tensor& rstd, at::Tensor& dx, bool accumulate,
                               at::Tensor& dweight) {
  const int64_t hidden = x.size(1);
  model.kernels().rms_norm_backward({.dy = dy.data_ptr(),
                                     .dy_stride = hidden,
                                     .x = x.data_ptr(),
                                     .x_stride = hidden,
                                     .weight = weight.data_ptr(),
                                     .rstd = rstd.data_ptr<float>(),
                                     .dx = dx.data_ptr(),
                                     .dx_stride = hidden,
                                     .accumulate = accumulate,
                                     .dweight = dweight.data_ptr<float>(),
                                     .outer = x.size(0),
                                     .inner = 1,
                                     .dim = hidden});
}

// Rotates the queries and keys at the front of every qkv row.
inline void rotate(const Model& model, at::Tensor& qkv, const int32_t* positions, float direction) {
  model.kernels().rope({.x = qkv.data_ptr(),
                        .stride = qkv.size(1),
                        .positions = positions,
                        .cosines = model.rope.cosines(),
                        .sines = model.rope.sines(),
                        .tokens = qkv.size(0),
                        .heads = model.config.heads + model.config.kv_heads,
                        .head_dim = model.config.head_dim,
                        .direction = direction});
}

// The first columns of `from` [T, W] as `to` [T, w], w <= W.
inline void copy_columns(const at::Tensor& from, const at::Tensor& to) {
  const auto bytes = static_cast<size_t>(to.size(1)) * to.element_size();
  const auto stride = static_cast<size_t>(from.size(1)) * from.element_size();
  parallel_ranges(to.size(0), 1 + (1 << 16) / static_cast<int64_t>(bytes), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      std::memcpy(static_cast<char*>(to.data_ptr()) + t * bytes, static_cast<const char*>(from.data_ptr()) + t * stride,
                  bytes);
    }
  });
}

inline void copy_row(const at::Tensor& from, int64_t row, const at::Tensor& to, int64_t place) {
  const auto bytes = static_cast<size_t>(to.size(1)) * to.element_size();
  std::memcpy(static_cast<char*>(to.data_ptr()) + place * bytes, static_cast<const char*>(from.data_ptr()) + row * bytes,
              bytes);
}

// to [R, W] = from [rows[i]] of from [T, W].
inline void take_rows(const at::Tensor& from, const int64_t* rows, const at::Tensor& to) {
  for (int64_t i = 0; i < to.size(0); ++i) copy_row(from, rows[i], to, i);
}

// to [rows[i]] = from [R, W], other rows of to [T, W] as they are.
inline void put_rows(const at::Tensor& from, const int64_t* rows, const at::Tensor& to) {
  for (int64_t i = 0; i < from.size(0); ++i) copy_row(from, i, to, rows[i]);
}

// Normalises each head of q and k from `raw`, rows of at least (Hq + Hk)·D, into qkv; the two may be the same. rstds may
// be undefined.
inline void norm_heads(const Model& model, const LayerTensors& layer, const at::Tensor& raw, at::Tensor& qkv,
                       const at::Tensor& q_rstd, const at::Tensor& k_rstd) {
  const ModelConfig& config = model.config;
  const int64_t queries = config.query_width();
  const int64_t bytes = static_cast<int64_t>(qkv.element_size());
  const auto apply = [&](int64_t column, const at::Tensor& weight, const at::Tensor& rstd, int64_t heads) {
    model.kernels().rms_norm({.x = static_cast<const char*>(raw.data_ptr()) + column * bytes,
                              .x_stride = raw.size(1),
                              .weight = weight.data_ptr(),
                              .y = static_cast<char*>(qkv.data_ptr()) + column * bytes,
                              .y_stride = qkv.size(1),
                              .rstd = rstd.defined() ? rstd.data_ptr<float>() : nullptr,
                              .outer = qkv.size(0),
                              .inner = heads,
                              .dim = config.head_dim,
                              .eps = static_cast<float>(config.rms_norm_eps)});
  };
  apply(0, layer.q_norm, q_rstd, config.heads);
  apply(queries, layer.k_norm, k_rstd, config.kv_heads);
}

}  // namespace zero_rl
