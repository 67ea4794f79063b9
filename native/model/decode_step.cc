#include "model/decode_step.h"

#include <ATen/ops/empty.h>

#include "runtime/profiler.h"

namespace zero_rl {

namespace {

void norm(const Model& model, const void* x, const at::Tensor& weight, void* y, int64_t rows) {
  const int64_t hidden = model.config.hidden_size;
  model.kernels().rms_norm({.x = x,
                            .x_stride = hidden,
                            .weight = weight.data_ptr(),
                            .y = y,
                            .y_stride = hidden,
                            .rstd = nullptr,
                            .outer = rows,
                            .inner = 1,
                            .dim = hidden,
                            .eps = static_cast<float>(model.config.rms_norm_eps)});
}

// Each head of q or k in place.
void norm_heads(const Model& model, void* heads, const at::Tensor& weight, int64_t rows, int64_t count) {
  const ModelConfig& config = model.config;
  model.kernels().rms_norm({.x = heads,
                            .x_stride = config.qkv_width(),
                            .weight = weight.data_ptr(),
                            .y = heads,
                            .y_stride = config.qkv_width(),
                            .rstd = nullptr,
                            .outer = rows,
                            .inner = count,
                            .dim = config.head_dim,
                            .eps = static_cast<float>(config.rms_norm_eps)});
}

// c [M, N] = a [M, K] Wᵀ (+ bias) (+ c)
kernels::PackedGemm product(const void* a, const void* panels, const at::Tensor& bias, void* c, int64_t m, int64_t n,
                            int64_t k) {
  return {.a = a,
          .a_stride = k,
          .panels = panels,
          .bias = bias.defined() ? bias.data_ptr() : nullptr,
          .c = c,
          .c_stride = n,
          .m = m,
          .n = n,
          .k = k,
          .accumulate = false,
          .float_out = false,
          .activated = nullptr,
          .activated_stride = 0,
          .paired = false};
}

kernels::PackedGemm added(kernels::PackedGemm gemm) {
  gemm.accumulate = true;
  return gemm;
}

kernels::PackedGemm activated(kernels::PackedGemm gemm, void* act) {
  gemm.paired = true;
  gemm.activated = act;
  gemm.activated_stride = gemm.n / 2;
  return gemm;
}

}  // namespace

void head_logits(const Model& model, const void* x, void* normed, float* logits, int64_t rows) {
  const profiler::Scope section(profiler::Section::kDecodeHead);
  norm(model, x, model.parameters.tensors().final_norm, normed, rows);
  kernels::PackedGemm gemm = product(normed, model.panels.head(), at::Tensor(), logits, rows, model.config.vocab_size,
                                     model.config.hidden_size);
  gemm.float_out = model.parameters.dtype() != at::kFloat;
  model.kernels().packed_gemm(gemm);
}

DecodeStep::DecodeStep(Model& model, int64_t most_rows) : model_(model) {
  model.panels.prepare_layers();
  model.panels.prepare_head();
  const ModelConfig& config = model.config;
  const auto buffer = [&](int64_t width, at::ScalarType dtype) {
    return at::empty({most_rows, width}, at::TensorOptions().dtype(dtype));
  };
  const at::ScalarType dtype = model.parameters.dtype();
  x_ = buffer(config.hidden_size, dtype);
  normed_ = buffer(config.hidden_size, dtype);
  qkv_ = buffer(config.qkv_width(), dtype);
  attention_ = buffer(config.query_width(), dtype);
  act_ = buffer(config.intermediate_size, dtype);
  logits_ = buffer(config.vocab_size, at::kFloat);
}

void* DecodeStep::row(const at::Tensor& buffer, int64_t index) const {
  return static_cast<std::byte*>(buffer.data_ptr()) +
         index * buffer.size(1) * static_cast<int64_t>(buffer.element_size());
}

void DecodeStep::run_layer(const DecodeRows& rows, int64_t begin, int64_t layer) {
  const ModelConfig& config = model_.config;
  const kernels::Table& kernels = model_.kernels();
  const LayerTensors& weights = model_.parameters.tensors().layers[layer];
  const WeightPanels::Layer& panels = model_.panels.layer(layer);
  const int64_t hidden = config.hidden_size;
  const int64_t inner = config.intermediate_size;
  void* x = row(x_, begin);
  void* normed = row(normed_, begin);
  void* qkv = row(qkv_, begin);
  void* attention = row(attention_, begin);
  void* act = row(act_, begin);

  norm(model_, x, weights.input_norm, normed, rows.count);
  kernels.packed_gemm(product(normed, panels.qkv, weights.qkv_bias, qkv, rows.count, config.qkv_width(), hidden));
  if (config.qk_norm) {
    void* keys = static_cast<std::byte*>(qkv) + config.query_width() * static_cast<int64_t>(qkv_.element_size());
    norm_heads(model_, qkv, weights.q_norm, rows.count, config.heads);
    norm_heads(model_, keys, weights.k_norm, rows.count, config.kv_heads);
  }
  kernels.rope({.x = qkv,
                .stride = config.qkv_width(),
                .positions = rows.positions,
                .cosines = model_.rope.cosines(),
                .sines = model_.rope.sines(),
                .tokens = rows.count,
                .heads = config.heads + config.kv_heads,
                .head_dim = config.head_dim,
                .direction = 1.0F});
  kernels.decode_attention({.qkv = qkv,
                            .out = attention,
                            .sequences = rows.sequences,
                            .rows = rows.count,
                            .layer = layer,
                            .heads = config.heads,
                            .kv_heads = config.kv_heads,
                            .head_dim = config.head_dim});
  kernels.packed_gemm(
      added(product(attention, panels.output, weights.output_bias, x, rows.count, hidden, config.query_width())));
  norm(model_, x, weights.post_norm, normed, rows.count);
  kernels.packed_gemm(activated(
      product(normed, panels.gate_up, weights.gate_up_bias, nullptr, rows.count, 2 * inner, hidden), act));
  kernels.packed_gemm(added(product(act, panels.down, weights.down_bias, x, rows.count, hidden, inner)));
}

const float* DecodeStep::run(const DecodeRows& rows, int64_t begin) {
  const profiler::Scope section(profiler::Section::kDecodeLayers);
  model_.kernels().embedding({.table = model_.parameters.tensors().embedding.data_ptr(),
                              .tokens = rows.tokens,
                              .out = row(x_, begin),
                              .count = rows.count,
                              .width = model_.config.hidden_size});
  for (int64_t layer = 0; layer < model_.config.layers; ++layer) run_layer(rows, begin, layer);
  float* logits = static_cast<float*>(row(logits_, begin));
  head_logits(model_, row(x_, begin), row(normed_, begin), logits, rows.count);
  return logits;
}

}  // namespace zero_rl
