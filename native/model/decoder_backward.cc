#include "model/decoder.h"
#include "model/decoder_steps.h"

namespace zero_rl {

namespace {

// In place on the front of dqkv: gradient of the q and k norms.
void norm_heads_backward(const Model& model, const LayerTensors& layer, const LayerActivations& saved,
                         at::Tensor& dqkv, LayerTensors& gradient) {
  const ModelConfig& config = model.config;
  const int64_t bytes = static_cast<int64_t>(dqkv.element_size());
  const auto apply = [&](int64_t column, const at::Tensor& weight, const at::Tensor& rstd, at::Tensor& dweight,
                         int64_t heads) {
    char* d = static_cast<char*>(dqkv.data_ptr()) + column * bytes;
    model.kernels().rms_norm_backward({.dy = d,
                                       .dy_stride = dqkv.size(1),
                                       .x = static_cast<const char*>(saved.raw_qk.data_ptr()) + column * bytes,
                                       .x_stride = saved.raw_qk.size(1),
                                       .weight = weight.data_ptr(),
                                       .rstd = rstd.data_ptr<float>(),
                                       .dx = d,
                                       .dx_stride = dqkv.size(1),
                                       .accumulate = false,
                                       .dweight = dweight.data_ptr<float>(),
                                       .outer = dqkv.size(0),
                                       .inner = heads,
                                       .dim = config.head_dim});
  };
  apply(0, layer.q_norm, saved.q_rstd, gradient.q_norm, config.heads);
  apply(config.query_width(), layer.k_norm, saved.k_rstd, gradient.k_norm, config.kv_heads);
}

}  // namespace

void decoder_backward(Model& model, const PackedTokens& packed, const Activations& saved, at::Tensor& dx,
                      DecoderTensors& gradients, const AbortFlag& abort) {
  const ModelConfig& config = model.config;
  const kernels::Table& kernels = model.kernels();
  const DecoderTensors& weights = model.parameters.tensors();
  const at::ScalarType dtype = model.parameters.dtype();
  const int64_t count = packed.count();
  const int64_t hidden = config.hidden_size;
  const int64_t inner = config.intermediate_size;
  Workspace& workspace = model.workspace;
  const Workspace::Frame frame(workspace);

  at::Tensor normed = workspace.take({count, hidden}, dtype);
  at::Tensor dnormed = workspace.take({count, hidden}, dtype);
  at::Tensor dqkv = workspace.take({count, config.qkv_width()}, dtype);
  at::Tensor dattention = workspace.take({count, config.query_width()}, dtype);
  at::Tensor dact = workspace.take({count, inner}, dtype);
  at::Tensor gate_up;  // computed again
  if (!saved.layers.back().gate_up.defined()) gate_up = workspace.take({count, 2 * inner}, dtype);

  for (int64_t l = config.layers - 1; l >= 0; --l) {
    abort.check();
    const LayerTensors& layer = weights.layers[l];
    const LayerActivations& kept = saved.layers[l];
    LayerTensors& gradient = gradients.layers[l];
    // What is read for the last time makes room for what comes of it.
    const at::Tensor& act = dact;
    const at::Tensor& dgate_up = kept.gate_up.defined() ? kept.gate_up : gate_up;

    norm_rows(model, kept.middle, layer.post_norm, normed, at::Tensor());
    if (!kept.gate_up.defined()) linear_unpacked(kernels, normed, layer.gate_up, layer.gate_up_bias, gate_up);
    linear_backward_input(kernels, dx, layer.down, dact);
    kernels.swiglu_backward({.gate_up = dgate_up.data_ptr(),
                             .dact = dact.data_ptr(),
                             .dgate_up = dgate_up.data_ptr(),
                             .act = act.data_ptr(),
                             .tokens = count,
                             .width = inner});
    linear_backward_weight(kernels, dx, act, gradient.down, gradient.down_bias);
    linear_backward_weight(kernels, dgate_up, normed, gradient.gate_up, gradient.gate_up_bias);
    linear_backward_input(kernels, dgate_up, layer.gate_up, dnormed);
    norm_rows_backward(model, dnormed, kept.middle, layer.post_norm, kept.middle_rstd, dx, /*accumulate=*/true,
                       gradient.post_norm);

    linear_backward_weight(kernels, dx, kept.attention, gradient.output, gradient.output_bias);
    linear_backward_input(kernels, dx, layer.output, dattention);
    kernels.attention_backward({.forward = {.qkv = kept.qkv.data_ptr(),
                                            .out = kept.attention.data_ptr(),
                                            .lse = kept.lse.data_ptr<float>(),
                                            .segments = packed.segments.data(),
                                            .segment_count = static_cast<int64_t>(packed.segments.size()),
                                            .heads = config.heads,
                                            .kv_heads = config.kv_heads,
                                            .head_dim = config.head_dim},
                                .dout = dattention.data_ptr(),
                                .dqkv = dqkv.data_ptr()});
    rotate(model, dqkv, packed.positions.data(), -1.0F);
    if (config.qk_norm) norm_heads_backward(model, layer, kept, dqkv, gradient);
    norm_rows(model, kept.input, layer.input_norm, normed, at::Tensor());
    linear_backward_weight(kernels, dqkv, normed, gradient.qkv, gradient.qkv_bias);
    linear_backward_input(kernels, dqkv, layer.qkv, dnormed);
    norm_rows_backward(model, dnormed, kept.input, layer.input_norm, kept.input_rstd, dx, /*accumulate=*/true,
                       gradient.input_norm);
  }
  kernels.embedding_backward({.dx = dx.data_ptr(),
                              .tokens = packed.tokens.data(),
                              .dtable = gradients.embedding.data_ptr(),
                              .float_table = gradients.embedding.scalar_type() == at::kFloat,
                              .count = count,
                              .width = hidden});
}

}  // namespace zero_rl
