#include <algorithm>
#include <utility>

#include "device/operators.h"
#include "device/packed_pass.h"
#include "device/products.h"

namespace zero_rl {

namespace {

LayerActivations layer_buffers(const DeviceModel& model, int64_t count, bool keep, bool keep_gate_up) {
  const ModelConfig& config = model.config;
  LayerActivations buffers;
  if (keep) {
    buffers.input_rstd = model.empty({count}, at::kFloat);
    buffers.middle_rstd = model.empty({count}, at::kFloat);
    if (config.qk_norm) {
      buffers.q_rstd = model.empty({count, config.heads}, at::kFloat);
      buffers.k_rstd = model.empty({count, config.kv_heads}, at::kFloat);
      buffers.raw_qk = model.empty({count, config.query_width() + config.kv_width()});
    }
  }
  if (!keep || keep_gate_up) buffers.gate_up = model.empty({count, 2 * config.intermediate_size});
  buffers.qkv = model.empty({count, config.qkv_width()});
  buffers.attention = model.empty({count, config.query_width()});
  buffers.lse = model.empty({config.heads, count}, at::kFloat);
  return buffers;
}

}  // namespace

DeviceBatch::DeviceBatch(DeviceModel& model, const PackedTokens& packed)
    : count(packed.count()), tokens(model.upload(packed.tokens)), positions(model.upload(packed.positions)) {
  std::vector<int32_t> ends{0};
  for (const kernels::Segment& segment : packed.segments) {
    ends.push_back(static_cast<int32_t>(segment.begin + segment.length));
    max_length = std::max(max_length, segment.length);
  }
  offsets = model.upload(ends);
  model.rope.reserve(max_length);
}

void device_forward(DeviceModel& model, const DeviceBatch& batch, const Keep& keep, Activations& saved,
                    const CacheTarget* caches, const AbortFlag& abort) {
  const ModelConfig& config = model.config;
  const DecoderTensors& weights = model.parameters.tensors();
  const int64_t count = batch.count;
  const double eps = config.rms_norm_eps;

  saved.layers.clear();
  at::Tensor x = model.empty({count, config.hidden_size});
  operators::embedding(weights.embedding, batch.tokens, x);
  const at::Tensor normed = model.empty({count, config.hidden_size});
  const at::Tensor act = model.empty({count, config.intermediate_size});
  // Where nothing is kept one set of layer buffers serves all layers, and one gate_up those that keep none.
  const LayerActivations reused = keep.layers ? LayerActivations() : layer_buffers(model, count, false, false);
  at::Tensor shared_gate_up = reused.gate_up;
  if (keep.layers && keep.gate_ups < config.layers) {
    shared_gate_up = model.empty({count, 2 * config.intermediate_size});
  }

  for (int64_t l = 0; l < config.layers; ++l) {
    abort.check();
    const LayerTensors& layer = weights.layers[l];
    LayerActivations buffers = keep.layers ? layer_buffers(model, count, true, l < keep.gate_ups) : reused;
    buffers.input = x;
    operators::rms_norm(x, layer.input_norm, eps, normed, optional(buffers.input_rstd));
    products::linear(normed, layer.qkv, layer.qkv_bias, buffers.qkv);
    const auto cache = [&](const at::Tensor& all) { return caches == nullptr ? at::Tensor() : all.select(0, l); };
    operators::rotate(buffers.qkv, batch.positions, model.rope.cosines(), model.rope.sines(), config.heads,
                      config.kv_heads, optional(layer.q_norm), optional(layer.k_norm), eps, optional(buffers.raw_qk),
                      optional(buffers.q_rstd), optional(buffers.k_rstd),
                      caches == nullptr ? std::nullopt : std::optional(caches->slots),
                      caches == nullptr ? std::nullopt : std::optional(caches->indices),
                      optional(cache(caches == nullptr ? at::Tensor() : caches->keys)),
                      optional(cache(caches == nullptr ? at::Tensor() : caches->values)));
    operators::attention(buffers.qkv, batch.offsets, batch.max_length, config.heads, config.kv_heads, buffers.attention,
                         buffers.lse);
    if (keep.layers) x = buffers.middle = x.clone();
    products::linear_add(buffers.attention, layer.output, layer.output_bias, x);
    operators::rms_norm(x, layer.post_norm, eps, normed, optional(buffers.middle_rstd));
    const at::Tensor& gate_up = buffers.gate_up.defined() ? buffers.gate_up : shared_gate_up;
    products::linear(normed, layer.gate_up, layer.gate_up_bias, gate_up);
    operators::swiglu(gate_up, act);
    if (keep.layers) x = x.clone();
    products::linear_add(act, layer.down, layer.down_bias, x);
    if (keep.layers) saved.layers.push_back(std::move(buffers));
  }
  saved.output = x;
}

}  // namespace zero_rl
