#include "model/decode_step.h"

#include "model/decoder_steps.h"

namespace zero_rl {

at::Tensor head_logits(Model& model, const at::Tensor& x) {
  const DecoderTensors& weights = model.parameters.tensors();
  at::Tensor normed = model.workspace.take(x.sizes(), model.parameters.dtype());
  norm_rows(model, x, weights.final_norm, normed, at::Tensor());
  at::Tensor logits = model.workspace.take({x.size(0), model.config.vocab_size}, at::kFloat);
  linear(model.kernels(), normed, weights.head, at::Tensor(), logits);
  return logits;
}

at::Tensor decode_step(Model& model, const int32_t* tokens, const int32_t* positions,
                       const std::vector<kernels::KvSequence>& sequences) {
  const ModelConfig& config = model.config;
  const kernels::Table& kernels = model.kernels();
  const DecoderTensors& weights = model.parameters.tensors();
  const at::ScalarType dtype = model.parameters.dtype();
  const int64_t rows = static_cast<int64_t>(sequences.size());
  const int64_t hidden = config.hidden_size;
  Workspace& workspace = model.workspace;

  at::Tensor x = workspace.take({rows, hidden}, dtype);
  at::Tensor normed = workspace.take({rows, hidden}, dtype);
  at::Tensor qkv = workspace.take({rows, config.qkv_width()}, dtype);
  at::Tensor raw_qk;
  if (config.qk_norm) raw_qk = workspace.take({rows, config.query_width() + config.kv_width()}, dtype);
  at::Tensor attention = workspace.take({rows, config.query_width()}, dtype);
  at::Tensor gate_up = workspace.take({rows, 2 * config.intermediate_size}, dtype);
  at::Tensor act = workspace.take({rows, config.intermediate_size}, dtype);

  kernels.embedding({.table = weights.embedding.data_ptr(),
                     .tokens = tokens,
                     .out = x.data_ptr(),
                     .count = rows,
                     .width = hidden});
  for (int64_t l = 0; l < config.layers; ++l) {
    const LayerTensors& layer = weights.layers[l];
    norm_rows(model, x, layer.input_norm, normed, at::Tensor());
    linear(kernels, normed, layer.qkv, layer.qkv_bias, qkv);
    if (config.qk_norm) {
      raw_qk.copy_(qkv.narrow(1, 0, raw_qk.size(1)));
      norm_heads(model, layer, raw_qk, qkv, at::Tensor(), at::Tensor());
    }
    rotate(model, qkv, positions, 1.0F);
    kernels.decode_attention({.qkv = qkv.data_ptr(),
                              .out = attention.data_ptr(),
                              .sequences = sequences.data(),
                              .rows = rows,
                              .layer = l,
                              .heads = config.heads,
                              .kv_heads = config.kv_heads,
                              .head_dim = config.head_dim});
    linear_add(kernels, attention, layer.output, layer.output_bias, x);
    norm_rows(model, x, layer.post_norm, normed, at::Tensor());
    linear(kernels, normed, layer.gate_up, layer.gate_up_bias, gate_up);
    kernels.swiglu({.gate_up = gate_up.data_ptr(),
                    .act = act.data_ptr(),
                    .tokens = rows,
                    .width = config.intermediate_size});
    linear_add(kernels, act, layer.down, layer.down_bias, x);
  }
  return head_logits(model, x);
}

}  // namespace zero_rl
