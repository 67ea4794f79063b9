#include <algorithm>
#include <utility>

#include "model/decoder.h"
#include "model/decoder_steps.h"

namespace zero_rl {

namespace {

kernels::Segment append_tokens(PackedTokens& packed, const kernels::Segment& beginning, const int32_t* data,
                               int64_t length) {
  const kernels::Segment segment{.begin = packed.count(),
                                 .length = length,
                                 .prefix_begin = beginning.begin,
                                 .prefix_length = beginning.length};
  packed.tokens.insert(packed.tokens.end(), data, data + length);
  for (int64_t i = 0; i < length; ++i) packed.positions.push_back(static_cast<int32_t>(beginning.length + i));
  packed.segments.push_back(segment);
  return segment;
}

// The buffers of one layer; without `keep` those that the backward pass alone reads stay undefined.
LayerActivations layer_buffers(const ModelConfig& config, Workspace& workspace, at::ScalarType dtype, int64_t count,
                               bool keep, bool keep_gate_up) {
  LayerActivations buffers;
  if (keep) {
    buffers.input_rstd = workspace.take({count}, at::kFloat);
    buffers.middle = workspace.take({count, config.hidden_size}, dtype);
    buffers.middle_rstd = workspace.take({count}, at::kFloat);
    buffers.lse = workspace.take({count, config.heads}, at::kFloat);
    if (keep_gate_up) buffers.gate_up = workspace.take({count, 2 * config.intermediate_size}, dtype);
    if (config.qk_norm) {
      buffers.q_rstd = workspace.take({count, config.heads}, at::kFloat);
      buffers.k_rstd = workspace.take({count, config.kv_heads}, at::kFloat);
      buffers.raw_qk = workspace.take({count, config.query_width() + config.kv_width()}, dtype);
    }
  }
  buffers.qkv = workspace.take({count, config.qkv_width()}, dtype);
  buffers.attention = workspace.take({count, config.query_width()}, dtype);
  return buffers;
}

void embed(const Model& model, const PackedTokens& packed, const at::Tensor& x) {
  model.kernels().embedding({.table = model.parameters.tensors().embedding.data_ptr(),
                             .tokens = packed.tokens.data(),
                             .out = x.data_ptr(),
                             .count = packed.count(),
                             .width = model.config.hidden_size});
}

}  // namespace

kernels::Segment PackedTokens::append(const int32_t* data, int64_t length) {
  return append_tokens(*this, {}, data, length);
}

kernels::Segment PackedTokens::append_after(const kernels::Segment& beginning, const int32_t* data, int64_t length) {
  return append_tokens(*this, beginning, data, length);
}

void decoder_forward(Model& model, const PackedTokens& packed, const Keep& keep, Activations& saved,
                     const QkvSink& sink, const AbortFlag& abort) {
  const ModelConfig& config = model.config;
  const kernels::Table& kernels = model.kernels();
  const DecoderTensors& weights = model.parameters.tensors();
  const at::ScalarType dtype = model.parameters.dtype();
  const int64_t count = packed.count();
  const int64_t hidden = config.hidden_size;
  Workspace& workspace = model.workspace;
  PassPanels panels(kernels, model.parameters, model.panels, workspace);

  int32_t last_position = 0;
  for (const int32_t position : packed.positions) last_position = std::max(last_position, position);
  model.rope.reserve(last_position + 1);

  saved.layers.clear();
  at::Tensor x = workspace.take({count, hidden}, dtype);
  embed(model, packed, x);
  at::Tensor normed = workspace.take({count, hidden}, dtype);
  at::Tensor act = workspace.take({count, config.intermediate_size}, dtype);
  // Where nothing is kept one set of layer buffers serves all layers.
  const LayerActivations reused =
      keep.layers ? LayerActivations() : layer_buffers(config, workspace, dtype, count, false, false);

  for (int64_t l = 0; l < config.layers; ++l) {
    abort.check();
    const LayerTensors& layer = weights.layers[l];
    LayerActivations buffers =
        keep.layers ? layer_buffers(config, workspace, dtype, count, true, l < keep.gate_ups) : reused;
    buffers.input = x;
    norm_rows(model, x, layer.input_norm, normed, buffers.input_rstd);
    linear(kernels, normed, panels.qkv(l), layer.qkv_bias, buffers.qkv);
    if (config.qk_norm) {
      if (keep.layers) copy_columns(buffers.qkv, buffers.raw_qk);
      norm_heads(model, layer, keep.layers ? buffers.raw_qk : buffers.qkv, buffers.qkv, buffers.q_rstd, buffers.k_rstd);
    }
    rotate(model, buffers.qkv, packed.positions.data(), 1.0F);
    if (sink) sink(l, buffers.qkv);
    kernels.attention({.qkv = buffers.qkv.data_ptr(),
                       .out = buffers.attention.data_ptr(),
                       .lse = buffers.lse.defined() ? buffers.lse.data_ptr<float>() : nullptr,
                       .segments = packed.segments.data(),
                       .segment_count = static_cast<int64_t>(packed.segments.size()),
                       .heads = config.heads,
                       .kv_heads = config.kv_heads,
                       .head_dim = config.head_dim});
    if (keep.layers) {
      copy_columns(x, buffers.middle);
      x = buffers.middle;
    }
    linear_add(kernels, buffers.attention, panels.output(l), layer.output_bias, x);
    norm_rows(model, x, layer.post_norm, normed, buffers.middle_rstd);
    linear_swiglu(kernels, normed, panels.gate_up(l), layer.gate_up_bias, buffers.gate_up, act);
    if (keep.layers) {
      const at::Tensor next = workspace.take({count, hidden}, dtype);
      copy_columns(x, next);
      x = next;
    }
    linear_add(kernels, act, panels.down(l), layer.down_bias, x);
    if (keep.layers) saved.layers.push_back(std::move(buffers));
  }
  saved.output = x;
}

int64_t activation_bytes_per_token(const ModelConfig& config, at::ScalarType dtype) {
  const int64_t bytes = dtype == at::kFloat ? 4 : 2;
  const int64_t qkv = config.qkv_width();
  const int64_t raw = config.qk_norm ? config.query_width() + config.kv_width() : 0;
  const int64_t rstds = 4 * (2 + config.heads + (config.qk_norm ? config.heads + config.kv_heads : 0));
  const int64_t per_layer =
      bytes * (2 * config.hidden_size + qkv + raw + config.query_width()) + rstds;
  // Forward: embedding, normed, act. Backward: dx, normed, dnormed, dqkv, dattention, dact, a gate_up.
  const int64_t transient =
      bytes * (5 * config.hidden_size + qkv + config.query_width() + 4 * config.intermediate_size);
  return config.layers * per_layer + transient;
}

int64_t gate_up_bytes_per_token(const ModelConfig& config, at::ScalarType dtype) {
  return 2 * config.intermediate_size * static_cast<int64_t>(c10::elementSize(dtype));
}

}  // namespace zero_rl
