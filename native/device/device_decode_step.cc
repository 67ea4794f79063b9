#include "device/device_decode_step.h"

#include <ATen/ops/sub.h>

#include "device/operators.h"
#include "device/products.h"

namespace zero_rl {

DeviceDecodeStep::DeviceDecodeStep(DeviceModel& model, DecodeState& state) : model_(model), state_(state) {
  const ModelConfig& config = model.config;
  const DecodePlan& plan = state.plan();
  const int64_t rows = plan.rows;
  x_ = model.empty({rows, config.hidden_size});
  normed_ = model.empty({rows, config.hidden_size});
  qkv_ = model.empty({rows, config.qkv_width()});
  attention_ = model.empty({rows, config.query_width()});
  gate_up_ = model.empty({rows, 2 * config.intermediate_size});
  act_ = model.empty({rows, config.intermediate_size});
  logits_ = model.empty({rows, config.vocab_size}, at::kFloat);
  log_probs_ = model.empty({rows}, at::kFloat);
  log_masses_ = model.empty({rows}, at::kFloat);
  indices_ = model.empty({rows}, at::kInt);
  partials_ = model.empty({rows, config.heads, operators::decode_splits(plan.prefix_capacity, plan.capacity),
                           config.head_dim + 2},
                          at::kFloat);
}

void DeviceDecodeStep::run(int64_t rows) {
  if (!cosines_.is_same(model_.rope.cosines())) {
    recorded_.clear();
    cosines_ = model_.rope.cosines();
    sines_ = model_.rope.sines();
  }
  Recorded& recorded = recorded_[rows];
  if (recorded.graph == nullptr && recorded.warm) {
    recorded.graph = model_.runtime.capture([&] { launch(rows); });
  }
  recorded.warm = true;
  if (recorded.graph == nullptr) {
    launch(rows);
  } else {
    recorded.graph->replay();
  }
}

void DeviceDecodeStep::launch(int64_t rows) {
  const ModelConfig& config = model_.config;
  const DecoderTensors& weights = model_.parameters.tensors();
  const double eps = config.rms_norm_eps;
  const auto first = [rows](const at::Tensor& buffer) { return buffer.narrow(0, 0, rows); };
  const auto field = [&](DecodeState::Field name) { return state_.field(name, rows); };
  const at::Tensor x = first(x_);
  const at::Tensor normed = first(normed_);
  const at::Tensor qkv = first(qkv_);
  const at::Tensor attention = first(attention_);
  const at::Tensor gate_up = first(gate_up_);
  const at::Tensor act = first(act_);
  const at::Tensor logits = first(logits_);
  const at::Tensor log_probs = first(log_probs_);
  const at::Tensor log_masses = first(log_masses_);
  const at::Tensor slots = field(DecodeState::kSlot);
  const at::Tensor lengths = field(DecodeState::kLength);
  const at::Tensor tokens = field(DecodeState::kToken);

  operators::embedding(weights.embedding, tokens, x);
  at::Tensor indices = first(indices_);
  at::sub_out(indices, lengths, 1);
  for (int64_t l = 0; l < config.layers; ++l) {
    const LayerTensors& layer = weights.layers[l];
    const at::Tensor keys = state_.keys.select(0, l);
    const at::Tensor values = state_.values.select(0, l);
    operators::rms_norm(x, layer.input_norm, eps, normed, std::nullopt);
    products::linear(normed, layer.qkv, layer.qkv_bias, qkv);
    operators::rotate(qkv, field(DecodeState::kPosition), cosines_, sines_, config.heads, config.kv_heads,
                      optional(layer.q_norm), optional(layer.k_norm), eps, std::nullopt, std::nullopt, std::nullopt,
                      slots, indices, keys, values);
    operators::decode_attention(qkv, keys, values, slots, lengths, state_.prefix_keys.select(0, l),
                                state_.prefix_values.select(0, l), field(DecodeState::kPrefix),
                                field(DecodeState::kPrefixLength), config.heads, config.kv_heads, first(partials_),
                                attention);
    products::linear_add(attention, layer.output, layer.output_bias, x);
    operators::rms_norm(x, layer.post_norm, eps, normed, std::nullopt);
    products::linear(normed, layer.gate_up, layer.gate_up_bias, gate_up);
    operators::swiglu(gate_up, act);
    products::linear_add(act, layer.down, layer.down_bias, x);
  }
  operators::rms_norm(x, weights.final_norm, eps, normed, std::nullopt);
  products::linear_float(normed, weights.head, logits);
  operators::sample(logits, state_.settings, state_.seed, state_.uids(rows), field(DecodeState::kSample),
                    field(DecodeState::kCount), tokens, log_probs, log_masses, state_.kept(0, rows));
  operators::advance(tokens, log_probs, log_masses, state_.stops, field(DecodeState::kLimit), slots,
                     field(DecodeState::kPosition), lengths, field(DecodeState::kCount), state_.out_tokens(rows),
                     state_.out_log_probs(rows), state_.out_log_masses(rows));
}

}  // namespace zero_rl
