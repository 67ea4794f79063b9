#include <utility>

#include "model/decoder.h"
#include "model/sublayers.h"

namespace zero_rl {

namespace {

class Forward {
 public:
  Forward(Model& model, const PackedBatch& batch, const Keep& keep)
      : model_(model), ops_(model.operators), of_(model.description), batch_(batch), keep_(keep) {
    normed_ = rows(of_.hidden_size);
    act_ = rows(of_.intermediate_size);
    // Where nothing is kept one set of buffers serves all layers.
    if (!keep.layers) reused_ = attention_buffers();
  }

  at::Tensor rows(int64_t width) const { return model_.take({batch_.count, width}); }

  // x [T, H] becomes what comes after the layer; where it is kept, in memory of its own.
  void layer(int64_t l, at::Tensor& x, LayerActivations& kept) {
    const LayerTensors& weights = model_.weights().layers[l];
    kept.input = x;
    const at::Tensor& attention_input = norm(x, weights.attention_norm, kept.input_rstd);
    ops_.linear(attention_input, weights.qkv, kept.qkv);
    rotate(l, weights, kept);
    ops_.attention(model_, batch_, l, kept.qkv, kept.attention, kept.lse);
    add_sublayer(kept.attention, weights.output, weights.attention_output_norm, x, kept.attention_delta,
                 kept.attention_delta_rstd);
    kept.middle = x;
    const at::Tensor& mlp_input = norm(x, weights.mlp_norm, kept.middle_rstd);
    if (keep_.layers && l < keep_.gate_ups) kept.gate_up = rows(2 * of_.intermediate_size);
    ops_.linear_swiglu(mlp_input, weights.gate_up, kept.gate_up, act_);
    add_sublayer(act_, weights.down, weights.mlp_output_norm, x, kept.mlp_delta, kept.mlp_delta_rstd);
  }

  LayerActivations buffers() const { return keep_.layers ? attention_buffers() : reused_; }

 private:
  LayerActivations attention_buffers() const {
    LayerActivations buffers;
    buffers.qkv = rows(of_.qkv_width());
    buffers.attention = rows(of_.query_width());
    if (keep_.layers) buffers.lse = ops_.take_lse(batch_.count, of_.heads);
    return buffers;
  }
  at::Tensor statistics(at::IntArrayRef sizes) const { return keep_.layers ? ops_.take(sizes, at::kFloat) : at::Tensor(); }

  // The norm of x, or x where there is none.
  const at::Tensor& norm(const at::Tensor& x, const at::Tensor& weight, at::Tensor& rstd) {
    if (!weight.defined()) return x;
    rstd = statistics({batch_.count});
    ops_.rms_norm(x, weight, of_.rms_norm_eps, normed_, rstd);
    return normed_;
  }

  void rotate(int64_t l, const LayerTensors& weights, LayerActivations& kept) {
    Rotation rotation{.qkv = kept.qkv, .positions = batch_.positions, .rotary = of_.layers[l].rotary};
    if (norms_projections(of_, l)) {
      if (keep_.layers) {
        kept.raw_qk = rows(of_.query_width() + of_.kv_width());
        ops_.copy_columns(kept.qkv, kept.raw_qk);
      }
      kept.q_rstd = statistics({batch_.count});
      kept.k_rstd = statistics({batch_.count});
      norm_projections(model_, weights, keep_.layers ? kept.raw_qk : kept.qkv, kept.qkv, kept.q_rstd, kept.k_rstd);
    } else if (norms_heads(of_, l)) {
      if (keep_.layers) kept.raw_qk = rows(of_.query_width() + of_.kv_width());
      kept.q_rstd = statistics({batch_.count, of_.heads});
      kept.k_rstd = statistics({batch_.count, of_.kv_heads});
      rotation.q_norm = weights.q_norm;
      rotation.k_norm = weights.k_norm;
      rotation.raw_qk = kept.raw_qk;
      rotation.q_rstd = kept.q_rstd;
      rotation.k_rstd = kept.k_rstd;
    }
    ops_.rotate(model_, batch_, l, rotation);
  }

  // x += the sublayer's output, normed where the layer has such a norm.
  void add_sublayer(const at::Tensor& from, const Linear& linear, const at::Tensor& output_norm, at::Tensor& x,
                    at::Tensor& delta, at::Tensor& delta_rstd) {
    if (keep_.layers) {
      const at::Tensor next = rows(of_.hidden_size);
      ops_.copy_columns(x, next);
      x = next;
    }
    if (!output_norm.defined()) {
      ops_.linear_add(from, linear, x);
      return;
    }
    if (keep_.layers || !delta_.defined()) delta_ = rows(of_.hidden_size);
    delta = delta_;
    ops_.linear(from, linear, delta);
    delta_rstd = statistics({batch_.count});
    ops_.rms_norm(delta, output_norm, of_.rms_norm_eps, normed_, delta_rstd);
    ops_.add(x, normed_);
  }

  Model& model_;
  Operators& ops_;
  const Description& of_;
  const PackedBatch& batch_;
  const Keep& keep_;
  at::Tensor normed_;  // [T, H]
  at::Tensor act_;     // [T, I]
  at::Tensor delta_;   // [T, H]
  LayerActivations reused_;
};

}  // namespace

void decoder_forward(Model& model, const PackedBatch& batch, const Keep& keep, Activations& saved,
                     const AbortFlag& abort) {
  model.rope.reserve(batch.positions_end);
  saved.layers.clear();
  at::Tensor x = model.take({batch.count, model.description.hidden_size});
  Forward forward(model, batch, keep);
  model.operators.embedding(model.weights().embedding, batch.tokens, x);
  for (int64_t l = 0; l < model.description.layer_count(); ++l) {
    abort.check();
    LayerActivations kept = forward.buffers();
    forward.layer(l, x, kept);
    if (keep.layers) saved.layers.push_back(std::move(kept));
  }
  saved.output = x;
}

int64_t pass_bytes_per_token(const Model& model) {
  const Description& of = model.description;
  // The residual stream, normed, a sublayer's output, act, gates and ups, qkv, attention.
  return static_cast<int64_t>(c10::elementSize(model.dtype())) *
         (3 * of.hidden_size + 3 * of.intermediate_size + of.qkv_width() + of.query_width());
}

int64_t activation_bytes_per_token(const Model& model) {
  const Description& of = model.description;
  const auto bytes = static_cast<int64_t>(c10::elementSize(model.dtype()));
  int64_t kept = 0;
  for (int64_t l = 0; l < of.layer_count(); ++l) {
    const LayerTensors& layer = model.weights().layers[l];
    const bool normed_heads = layer.q_norm.defined();
    const int64_t deltas = (layer.attention_output_norm.defined() ? 1 : 0) + (layer.mlp_output_norm.defined() ? 1 : 0);
    kept += bytes * ((2 + deltas) * of.hidden_size + of.qkv_width() + of.query_width() +
                     (normed_heads ? of.query_width() + of.kv_width() : 0));
    kept += 4 * (2 + deltas + of.heads + (normed_heads ? of.heads + of.kv_heads : 0));
  }
  // Forward: embedding, normed, act. Backward: dx, normed, dnormed, dqkv, dattention, dact, a gate_up.
  return kept + bytes * (6 * of.hidden_size + of.qkv_width() + of.query_width() + 4 * of.intermediate_size);
}

int64_t gate_up_bytes_per_token(const Model& model) {
  return 2 * model.description.intermediate_size * static_cast<int64_t>(c10::elementSize(model.dtype()));
}

}  // namespace zero_rl
