#include "learn/head.h"

#include <algorithm>

#include "learn/value_head.h"

namespace zero_rl {

namespace {

// The rows of a micro-batch, a chunk after the other. Buffers are those of the enclosing frame.
class Chunks {
 public:
  Chunks(Model& model, const Activations& saved, const MicroBatch& batch, float temperature, int64_t chunk_rows)
      : model_(model),
        saved_(saved),
        batch_(batch),
        temperature_(temperature),
        step_(chunk_rows),
        rows_(model.operators.upload(batch.rows)),
        targets_(model.operators.upload(batch.targets)),
        logits_(model.operators.take({std::min(chunk_rows, total()), model.description.vocab_size}, at::kFloat)) {}

  int64_t total() const { return static_cast<int64_t>(batch_.rows.size()); }
  float inverse_temperature() const { return 1.0F / temperature_; }

  // body(start, hidden rows, logits, targets) of each chunk, within a frame of its own.
  template <class Body>
  void each(const AbortFlag& abort, const Body& body) {
    for (int64_t start = 0; start < total(); start += step_) {
      abort.check();
      const Operators::Frame frame(model_.operators);
      const int64_t count = std::min(step_, total() - start);
      const HiddenRows hidden = hidden_rows(model_, saved_, rows_.narrow(0, start, count));
      const at::Tensor logits = logits_.narrow(0, 0, count);
      model_.operators.logits(hidden.normed, model_.weights().head, logits);
      if (batch_.kept != nullptr) {
        model_.operators.keep_tokens(logits, *batch_.kept, batch_.responses.data() + start, temperature_);
      }
      body(start, hidden, logits, targets_.narrow(0, start, count));
    }
  }

 private:
  Model& model_;
  const Activations& saved_;
  const MicroBatch& batch_;
  float temperature_;
  int64_t step_;
  at::Tensor rows_;     // [R] int64
  at::Tensor targets_;  // [R] int32
  at::Tensor logits_;   // [C, V] float32
};

at::Tensor part(const at::Tensor& of_rows, int64_t start, int64_t count) {
  return of_rows.defined() ? of_rows.narrow(0, start, count) : at::Tensor();
}

LossInputs part(const LossInputs& inputs, int64_t start, int64_t count) {
  return {part(inputs.advantages, start, count),          part(inputs.weights, start, count),
          part(inputs.old_log_probs, start, count),       part(inputs.reference_log_probs, start, count),
          part(inputs.sequence_log_ratios, start, count), part(inputs.loss_shares, start, count)};
}

LossResults part(const LossResults& results, int64_t start, int64_t count) {
  return {part(results.log_probs, start, count), part(results.entropies, start, count),
          part(results.losses, start, count), part(results.clipped, start, count)};
}

}  // namespace

at::Tensor head_values(Model& model, const Activations& saved, const MicroBatch& batch, float temperature,
                       int64_t chunk_rows, const AbortFlag& abort) {
  if (model.description.value_head) return value_head_values(model, saved, batch);
  const Operators::Frame frame(model.operators);
  Chunks chunks(model, saved, batch, temperature, chunk_rows);
  const at::Tensor log_probs = model.operators.empty({chunks.total()}, at::kFloat);
  chunks.each(abort, [&](int64_t start, const HiddenRows&, const at::Tensor& logits, const at::Tensor& targets) {
    model.operators.log_probs(logits, targets, chunks.inverse_temperature(), part(log_probs, start, logits.size(0)));
  });
  return log_probs;
}

LossResults head_backward(Model& model, const Activations& saved, const MicroBatch& batch, const Objective& objective,
                          float temperature, const LossInputs& inputs, int64_t chunk_rows, DecoderTensors& gradients,
                          const at::Tensor& dx, const AbortFlag& abort) {
  at::Tensor(dx).zero_();
  if (model.description.value_head) return value_head_backward(model, saved, batch, objective, inputs, gradients, dx);
  const Operators::Frame frame(model.operators);
  Operators& ops = model.operators;
  Chunks chunks(model, saved, batch, temperature, chunk_rows);
  const auto per_row = [&] { return ops.empty({chunks.total()}, at::kFloat); };
  const LossResults results{per_row(), per_row(), per_row(), per_row()};
  chunks.each(abort, [&](int64_t start, const HiddenRows& hidden, const at::Tensor& logits, const at::Tensor& targets) {
    const int64_t count = logits.size(0);
    const at::Tensor dlogits =
        ops.head_loss(logits, targets, chunks.inverse_temperature(), objective, part(inputs, start, count),
                      part(results, start, count), model.dtype());
    const at::Tensor dnormed = model.take(hidden.normed.sizes());
    ops.linear_backward_weight(dlogits, hidden.normed, gradients.head);
    ops.linear_backward_input(dlogits, model.weights().head, dnormed);
    hidden_rows_backward(model, hidden, dnormed, gradients, dx);
  });
  return results;
}

int64_t head_row_bytes(const Model& model) {
  return 4 * model.description.vocab_size + model.operators.head_row_bytes(model.description, model.dtype());
}

}  // namespace zero_rl
