#include "model/decoder.h"
#include "model/decoder_steps.h"

namespace zero_rl {

void PackedTokens::append(const int32_t* data, int64_t length) {
  tokens.insert(tokens.end(), data, data + length);
  for (int64_t i = 0; i < length; ++i) positions.push_back(static_cast<int32_t>(i));
  offsets.push_back(count());
}

void decoder_forward(Model& model, const PackedTokens& packed, bool keep, Activations& saved, const QkvSink& sink,
                     const AbortFlag& abort) {
  const ModelConfig& config = model.config;
  const kernels::Table& kernels = model.kernels();
  const DecoderTensors& weights = model.parameters.tensors();
  const at::ScalarType dtype = model.parameters.dtype();
  const int64_t count = packed.count();
  const int64_t hidden = config.hidden_size;
  Workspace& workspace = model.workspace;

  int64_t longest = 0;
  for (int64_t i = 0; i < packed.sequences(); ++i) {
    longest = std::max(longest, packed.offsets[i + 1] - packed.offsets[i]);
  }
  model.rope.reserve(longest);

  const auto take = [&](at::IntArrayRef sizes, at::ScalarType type) { return workspace.take(sizes, type); };
  // Without `keep` one set of layer buffers serves all layers.
  LayerActivations reused;
  const auto layer_buffers = [&] {
    LayerActivations buffers;
    if (keep) {
      buffers.input_rstd = take({count}, at::kFloat);
      buffers.middle = take({count, hidden}, dtype);
      buffers.middle_rstd = take({count}, at::kFloat);
      buffers.lse = take({count, config.heads}, at::kFloat);
      if (config.qk_norm) {
        buffers.q_rstd = take({count, config.heads}, at::kFloat);
        buffers.k_rstd = take({count, config.kv_heads}, at::kFloat);
      }
    }
    buffers.qkv = take({count, config.qkv_width()}, dtype);
    if (config.qk_norm) buffers.raw_qk = take({count, config.query_width() + config.kv_width()}, dtype);
    buffers.attention = take({count, config.query_width()}, dtype);
    buffers.gate_up = take({count, 2 * config.intermediate_size}, dtype);
    return buffers;
  };

  saved.layers.clear();
  at::Tensor x = take({count, hidden}, dtype);
  kernels.embedding({.table = weights.embedding.data_ptr(),
                     .tokens = packed.tokens.data(),
                     .out = x.data_ptr(),
                     .count = count,
                     .width = hidden});
  if (!keep) reused = layer_buffers();
  at::Tensor normed = take({count, hidden}, dtype);
  at::Tensor act = take({count, config.intermediate_size}, dtype);

  for (int64_t l = 0; l < config.layers; ++l) {
    abort.check();
    const LayerTensors& layer = weights.layers[l];
    LayerActivations buffers = keep ? layer_buffers() : reused;
    buffers.input = x;
    norm_rows(model, x, layer.input_norm, normed, buffers.input_rstd);
    linear(kernels, normed, layer.qkv, layer.qkv_bias, buffers.qkv);
    if (config.qk_norm) {
      buffers.raw_qk.copy_(buffers.qkv.narrow(1, 0, buffers.raw_qk.size(1)));
      norm_heads(model, layer, buffers.raw_qk, buffers.qkv, buffers.q_rstd, buffers.k_rstd);
    }
    rotate(model, buffers.qkv, packed.positions.data(), 1.0F);
    if (sink) sink(l, buffers.qkv);
    kernels.attention({.qkv = buffers.qkv.data_ptr(),
                       .out = buffers.attention.data_ptr(),
                       .lse = buffers.lse.defined() ? buffers.lse.data_ptr<float>() : nullptr,
                       .offsets = packed.offsets.data(),
                       .sequences = packed.sequences(),
                       .heads = config.heads,
                       .kv_heads = config.kv_heads,
                       .head_dim = config.head_dim});
    if (keep) {
      buffers.middle.copy_(x);
      x = buffers.middle;
    }
    linear_add(kernels, buffers.attention, layer.output, layer.output_bias, x);
    norm_rows(model, x, layer.post_norm, normed, buffers.middle_rstd);
    linear(kernels, normed, layer.gate_up, layer.gate_up_bias, buffers.gate_up);
    kernels.swiglu({.gate_up = buffers.gate_up.data_ptr(),
                    .act = act.data_ptr(),
                    .tokens = count,
                    .width = config.intermediate_size});
    if (keep) {
      at::Tensor next = take({count, hidden}, dtype);
      next.copy_(x);
      x = next;
    }
    linear_add(kernels, act, layer.down, layer.down_bias, x);
    if (keep) saved.layers.push_back(std::move(buffers));
  }
  saved.output = x;
}

int64_t activation_bytes_per_token(const ModelConfig& config, at::ScalarType dtype) {
  const int64_t bytes = dtype == at::kFloat ? 4 : 2;
  const int64_t qkv = config.qkv_width();
  const int64_t raw = config.qk_norm ? config.query_width() + config.kv_width() : 0;
  const int64_t rstds = 4 * (2 + config.heads + (config.qk_norm ? config.heads + config.kv_heads : 0));
  const int64_t per_layer =
      bytes * (2 * config.hidden_size + qkv + raw + config.query_width() + 2 * config.intermediate_size) + rstds;
  // Forward: embedding, normed, act. Backward: dx, normed, dnormed, dqkv, dattention, act, dact, dgate_up.
  const int64_t transient =
      bytes * (6 * config.hidden_size + 2 * qkv + config.query_width() + 5 * config.intermediate_size);
  return config.layers * per_layer + transient;
}

}  // namespace zero_rl
