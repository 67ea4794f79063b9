#include "model/decode_step.h"

#include "model/sublayers.h"
#include "runtime/profiler.h"

namespace zero_rl {

namespace {

bool norms_outputs(const Model& model) {
  for (const LayerTensors& layer : model.weights().layers) {
    if (layer.attention_output_norm.defined() || layer.mlp_output_norm.defined()) return true;
  }
  return false;
}

// The decoder's layers over one slice.
class Layers {
 public:
  Layers(const Model& model, const DecodeStep::Slice& slice, const DecodeRows& rows, const Cache& cache)
      : model_(model), ops_(model.operators), of_(model.description), s_(slice), rows_(rows), cache_(cache) {}

  void run(int64_t l) const {
    const LayerTensors& weights = model_.weights().layers[l];
    ops_.linear(norm(weights.attention_norm), weights.qkv, s_.qkv);
    Rotation rotation{.qkv = s_.qkv, .positions = rows_.positions, .rotary = of_.layers[l].rotary};
    if (norms_projections(of_, l)) {
      norm_projections(model_, weights, s_.qkv, s_.qkv, at::Tensor(), at::Tensor());
    } else if (norms_heads(of_, l)) {
      rotation.q_norm = weights.q_norm;
      rotation.k_norm = weights.k_norm;
    }
    ops_.decode_attention(model_, rows_, cache_, l, rotation, s_.scratch, s_.attention);
    add_sublayer(s_.attention, weights.output, weights.attention_output_norm);
    ops_.linear_swiglu(norm(weights.mlp_norm), weights.gate_up, s_.gate_up, s_.act);
    add_sublayer(s_.act, weights.down, weights.mlp_output_norm);
  }

 private:
  const at::Tensor& norm(const at::Tensor& weight) const {
    if (!weight.defined()) return s_.x;
    ops_.rms_norm(s_.x, weight, of_.rms_norm_eps, s_.normed, at::Tensor());
    return s_.normed;
  }
  void add_sublayer(const at::Tensor& from, const Linear& linear, const at::Tensor& output_norm) const {
    if (!output_norm.defined()) {
      ops_.linear_add(from, linear, s_.x);
      return;
    }
    ops_.linear(from, linear, s_.delta);
    ops_.rms_norm(s_.delta, output_norm, of_.rms_norm_eps, s_.normed, at::Tensor());
    ops_.add(s_.x, s_.normed);
  }

  const Model& model_;
  Operators& ops_;
  const Description& of_;
  const DecodeStep::Slice& s_;
  const DecodeRows& rows_;
  const Cache& cache_;
};

}  // namespace

void head_logits(const Model& model, const at::Tensor& x, const at::Tensor& normed, const at::Tensor& logits) {
  const profiler::Scope section(profiler::Section::kDecodeHead);
  model.operators.rms_norm(x, model.weights().final_norm, model.description.rms_norm_eps, normed, at::Tensor());
  model.operators.logits(normed, model.weights().head, logits);
}

DecodeStep::DecodeStep(const Model& model, int64_t most_rows, int64_t most_pages) : model_(model) {
  const Description& of = model.description;
  const Operators& ops = model.operators;
  const auto buffer = [&](int64_t width) { return ops.empty({most_rows, width}, model.dtype()); };
  all_.x = buffer(of.hidden_size);
  all_.normed = buffer(of.hidden_size);
  if (norms_outputs(model)) all_.delta = buffer(of.hidden_size);
  all_.qkv = buffer(of.qkv_width());
  all_.attention = buffer(of.query_width());
  if (!ops.device().is_cpu()) all_.gate_up = buffer(2 * of.intermediate_size);
  all_.act = buffer(of.intermediate_size);
  all_.logits = ops.empty({most_rows, of.vocab_size}, at::kFloat);
  all_.scratch = ops.decode_scratch(of, most_rows, most_pages);
}

DecodeStep::Slice DecodeStep::slice(int64_t begin, int64_t count) const {
  const auto part = [&](const at::Tensor& all) { return all.defined() ? all.narrow(0, begin, count) : at::Tensor(); };
  return {part(all_.x),       part(all_.normed), part(all_.delta),  part(all_.qkv),    part(all_.attention),
          part(all_.gate_up), part(all_.act),    part(all_.logits), part(all_.scratch)};
}

void DecodeStep::run(const Slice& slice, const DecodeRows& rows, const Cache& cache) const {
  {
    const profiler::Scope section(profiler::Section::kDecodeLayers);
    model_.operators.embedding(model_.weights().embedding, rows.tokens, slice.x);
    const Layers layers(model_, slice, rows, cache);
    for (int64_t l = 0; l < model_.description.layer_count(); ++l) layers.run(l);
  }
  head_logits(model_, slice.x, slice.normed, slice.logits);
}

int64_t DecodeStep::row_bytes(const Model& model, int64_t most_pages) {
  const Description& of = model.description;
  const auto element = static_cast<int64_t>(c10::elementSize(model.dtype()));
  const int64_t activations = 3 * of.hidden_size + of.qkv_width() + of.query_width() + 3 * of.intermediate_size;
  return element * activations + 4 * of.vocab_size +
         model.operators.decode_scratch(of, 1, most_pages).nbytes();
}

}  // namespace zero_rl
