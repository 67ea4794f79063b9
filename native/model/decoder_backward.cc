#include <utility>

#include "model/decoder.h"
#include "model/sublayers.h"

namespace zero_rl {

namespace {

class Backward {
 public:
  Backward(Model& model, const PackedBatch& batch, const at::Tensor& dx, bool again)
      : model_(model), ops_(model.operators), of_(model.description), batch_(batch), dx_(dx) {
    normed_ = rows(of_.hidden_size);
    dnormed_ = rows(of_.hidden_size);
    dqkv_ = rows(of_.qkv_width());
    dattention_ = rows(of_.query_width());
    dact_ = rows(of_.intermediate_size);
    if (again) again_ = rows(2 * of_.intermediate_size);
  }

  // dx, the gradient of what comes after the layer, becomes that of its input.
  void layer(int64_t l, const LayerActivations& kept, LayerTensors& gradient) {
    const LayerTensors& weights = model_.weights().layers[l];

    const at::Tensor& dmlp = sublayer_gradient(weights.mlp_output_norm, kept.mlp_delta, kept.mlp_delta_rstd,
                                               gradient.mlp_output_norm);
    // What is read for the last time makes room for what comes of it.
    const at::Tensor& gate_up = kept.gate_up.defined() ? kept.gate_up : again_;
    const at::Tensor& mlp_input = norm(kept.middle, weights.mlp_norm);
    if (!kept.gate_up.defined()) ops_.linear_again(mlp_input, weights.gate_up, gate_up);
    ops_.linear_backward_input(dmlp, weights.down, dact_);
    ops_.swiglu_backward(gate_up, dact_);  // leaves their gradient and act
    ops_.linear_backward_weight(dmlp, dact_, gradient.down);
    ops_.linear_backward_weight(gate_up, mlp_input, gradient.gate_up);
    add_input_gradient(gate_up, weights.gate_up, kept.middle, weights.mlp_norm, kept.middle_rstd, gradient.mlp_norm);

    const at::Tensor& dattended = sublayer_gradient(weights.attention_output_norm, kept.attention_delta,
                                                    kept.attention_delta_rstd, gradient.attention_output_norm);
    ops_.linear_backward_weight(dattended, kept.attention, gradient.output);
    ops_.linear_backward_input(dattended, weights.output, dattention_);
    ops_.attention_backward(model_, batch_, dattention_, kept.qkv, kept.attention, kept.lse, dqkv_);
    rotate(l, weights, kept, gradient);
    ops_.linear_backward_weight(dqkv_, norm(kept.input, weights.attention_norm), gradient.qkv);
    add_input_gradient(dqkv_, weights.qkv, kept.input, weights.attention_norm, kept.input_rstd,
                       gradient.attention_norm);
  }

 private:
  at::Tensor rows(int64_t width) const { return model_.take({batch_.count, width}); }

  const at::Tensor& norm(const at::Tensor& x, const at::Tensor& weight) {
    if (!weight.defined()) return x;
    ops_.rms_norm(x, weight, of_.rms_norm_eps, normed_, at::Tensor());
    return normed_;
  }

  // The gradient of a sublayer's output before its norm, where it has one.
  const at::Tensor& sublayer_gradient(const at::Tensor& weight, const at::Tensor& delta, const at::Tensor& rstd,
                                      const at::Tensor& dweight) {
    if (!weight.defined()) return dx_;
    if (!ddelta_.defined()) ddelta_ = rows(of_.hidden_size);
    ops_.rms_norm_backward(dx_, delta, weight, rstd, ddelta_, /*accumulate=*/false, dweight);
    return ddelta_;
  }

  // dx += the gradient of x through the product and the norm before it, where there is one.
  void add_input_gradient(const at::Tensor& dy, const Linear& linear, const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& rstd, const at::Tensor& dweight) {
    ops_.linear_backward_input(dy, linear, dnormed_);
    if (weight.defined()) {
      ops_.rms_norm_backward(dnormed_, x, weight, rstd, dx_, /*accumulate=*/true, dweight);
    } else {
      ops_.add(dx_, dnormed_);
    }
  }

  void rotate(int64_t l, const LayerTensors& weights, const LayerActivations& kept, LayerTensors& gradient) {
    Rotation rotation{.qkv = dqkv_, .positions = batch_.positions, .rotary = of_.layers[l].rotary};
    const bool heads = norms_heads(of_, l);
    if (heads) {
      rotation.q_norm = weights.q_norm;
      rotation.k_norm = weights.k_norm;
      rotation.raw_qk = kept.raw_qk;
      rotation.q_rstd = kept.q_rstd;
      rotation.k_rstd = kept.k_rstd;
    }
    ops_.rotate_backward(model_, rotation, heads ? gradient.q_norm : at::Tensor(), heads ? gradient.k_norm : at::Tensor());
    if (!norms_projections(of_, l)) return;
    const auto backward = [&](int64_t first, int64_t width, const at::Tensor& weight, const at::Tensor& rstd,
                              const at::Tensor& dweight) {
      const at::Tensor d = dqkv_.narrow(1, first, width);
      ops_.rms_norm_backward(d, kept.raw_qk.narrow(1, first, width), weight, rstd, d, /*accumulate=*/false, dweight);
    };
    backward(0, of_.query_width(), weights.q_norm, kept.q_rstd, gradient.q_norm);
    backward(of_.query_width(), of_.kv_width(), weights.k_norm, kept.k_rstd, gradient.k_norm);
  }

  Model& model_;
  Operators& ops_;
  const Description& of_;
  const PackedBatch& batch_;
  const at::Tensor& dx_;  // [T, H]
  at::Tensor normed_;      // [T, H]
  at::Tensor dnormed_;     // [T, H]
  at::Tensor ddelta_;      // [T, H]
  at::Tensor dqkv_;        // [T, (Hq + 2Hk)·D]
  at::Tensor dattention_;  // [T, Hq·D]
  at::Tensor dact_;        // [T, I]
  at::Tensor again_;       // [T, 2I], gates and ups computed again
};

}  // namespace

void decoder_backward(Model& model, const PackedBatch& batch, Activations& saved, const at::Tensor& dx,
                      DecoderTensors& gradients, const AbortFlag& abort) {
  const Operators::Frame frame(model.operators);
  Backward backward(model, batch, dx, !saved.layers.back().gate_up.defined());
  while (!saved.layers.empty()) {
    abort.check();
    const LayerActivations kept = std::move(saved.layers.back());
    saved.layers.pop_back();  // its memory may be free at the end of the turn
    const auto l = static_cast<int64_t>(saved.layers.size());
    backward.layer(l, kept, gradients.layers[l]);
  }
  model.operators.embedding_backward(dx, batch.tokens, gradients.embedding);
}

}  // namespace zero_rl
