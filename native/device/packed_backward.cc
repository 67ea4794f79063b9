#include <ATen/ops/argsort.h>

#include "device/operators.h"
#include "device/packed_pass.h"
#include "device/products.h"

namespace zero_rl {

void device_backward(DeviceModel& model, const DeviceBatch& batch, Activations& saved, const at::Tensor& dx,
                     DecoderTensors& gradients, const AbortFlag& abort) {
  const ModelConfig& config = model.config;
  const DecoderTensors& weights = model.parameters.tensors();
  const int64_t count = batch.count;
  const int64_t hidden = config.hidden_size;
  const double eps = config.rms_norm_eps;

  const at::Tensor normed = model.empty({count, hidden});
  const at::Tensor dnormed = model.empty({count, hidden});
  const at::Tensor dqkv = model.empty({count, config.qkv_width()});
  const at::Tensor dattention = model.empty({count, config.query_width()});
  const at::Tensor dact = model.empty({count, config.intermediate_size});
  at::Tensor again;  // a gate_up
  if (!saved.layers.back().gate_up.defined()) again = model.empty({count, 2 * config.intermediate_size});

  while (!saved.layers.empty()) {
    abort.check();
    const LayerActivations kept = std::move(saved.layers.back());
    saved.layers.pop_back();  // its memory is free at the end of the turn
    const auto l = saved.layers.size();
    const LayerTensors& layer = weights.layers[l];
    LayerTensors& gradient = gradients.layers[l];
    const at::Tensor& gate_up = kept.gate_up.defined() ? kept.gate_up : again;

    operators::rms_norm(kept.middle, layer.post_norm, eps, normed, std::nullopt);
    if (!kept.gate_up.defined()) products::linear(normed, layer.gate_up, layer.gate_up_bias, gate_up);
    products::backward_input(dx, layer.down, dact);
    operators::swiglu_backward(gate_up, dact);  // leaves dgate_up and act
    products::backward_weight(dx, dact, gradient.down, gradient.down_bias);
    products::backward_weight(gate_up, normed, gradient.gate_up, gradient.gate_up_bias);
    products::backward_input(gate_up, layer.gate_up, dnormed);
    operators::rms_norm_backward(dnormed, kept.middle, layer.post_norm, kept.middle_rstd, dx, /*accumulate=*/true,
                                 gradient.post_norm);

    products::backward_weight(dx, kept.attention, gradient.output, gradient.output_bias);
    products::backward_input(dx, layer.output, dattention);
    operators::attention_backward(dattention, kept.qkv, kept.attention, kept.lse, batch.offsets, batch.max_length,
                                  config.heads, config.kv_heads, dqkv);
    operators::rotate_backward(dqkv, batch.positions, model.rope.cosines(), model.rope.sines(), config.heads,
                               config.kv_heads, optional(layer.q_norm), optional(layer.k_norm), optional(kept.raw_qk),
                               optional(kept.q_rstd), optional(kept.k_rstd), optional(gradient.q_norm),
                               optional(gradient.k_norm));
    operators::rms_norm(kept.input, layer.input_norm, eps, normed, std::nullopt);
    products::backward_weight(dqkv, normed, gradient.qkv, gradient.qkv_bias);
    products::backward_input(dqkv, layer.qkv, dnormed);
    operators::rms_norm_backward(dnormed, kept.input, layer.input_norm, kept.input_rstd, dx, /*accumulate=*/true,
                                 gradient.input_norm);
  }
  const at::Tensor order = at::argsort(batch.tokens, /*stable=*/true, /*dim=*/0, /*descending=*/false);
  operators::embedding_backward(dx, batch.tokens, order, gradients.embedding);
}

}  // namespace zero_rl
