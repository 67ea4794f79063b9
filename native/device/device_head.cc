#include "device/device_head.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <algorithm>

#include "device/device_value_head.h"
#include "device/operators.h"
#include "device/products.h"

namespace zero_rl {

namespace {

// The buffers of one chunk and the forward pass over it.
class Chunk {
 public:
  Chunk(DeviceModel& model, const Activations& saved, const MicroBatch& batch, int64_t most_rows)
      : model_(model),
        saved_(saved),
        batch_(batch),
        rows_(model.upload(batch.rows)),
        targets_(model.upload(batch.targets)),
        normed_(model.empty({most_rows, model.config.hidden_size})),
        logits_(model.empty({most_rows, model.config.vocab_size}, at::kFloat)),
        rstd_(model.empty({most_rows}, at::kFloat)) {}

  // Fills the logits of rows [start, start + count).
  void forward(int64_t start, int64_t count) {
    start_ = start;
    count_ = count;
    input_ = at::index_select(saved_.output, 0, rows());
    const DecoderTensors& weights = model_.parameters.tensors();
    operators::rms_norm(input_, weights.final_norm, model_.config.rms_norm_eps, normed(), rstd());
    products::linear_float(normed(), weights.head, logits());
    if (batch_.kept != nullptr) keep(*batch_.kept, batch_.first_response + start);
  }

  at::Tensor rows() const { return rows_.narrow(0, start_, count_); }
  at::Tensor targets() const { return targets_.narrow(0, start_, count_); }
  const at::Tensor& input() const { return input_; }
  at::Tensor normed() const { return normed_.narrow(0, 0, count_); }
  at::Tensor logits() const { return logits_.narrow(0, 0, count_); }
  at::Tensor rstd() const { return rstd_.narrow(0, 0, count_); }

 private:
  // Takes the tokens that the draws from `first` on did not keep out of the logits.
  void keep(const KeptSets& kept, int64_t first) {
    bool all = true;
    for (int64_t i = 0; i < count_; ++i) all = all && kept.whole(first + i);
    if (all) return;
    const int64_t vocab = model_.config.vocab_size;
    const int64_t words = operators::kept_words(vocab);
    std::vector<int32_t> bits(count_ * words);
    for (int64_t i = 0; i < count_; ++i) {
      kept.write_words(first + i, reinterpret_cast<uint32_t*>(bits.data() + i * words), vocab);
    }
    operators::keep_tokens(logits(), model_.upload(bits).view({count_, words}));
  }

  DeviceModel& model_;
  const Activations& saved_;
  const MicroBatch& batch_;
  at::Tensor rows_;     // [R] int64
  at::Tensor targets_;  // [R] int32
  at::Tensor input_;    // [C, H] rows of the residual stream
  at::Tensor normed_;   // [C, H]
  at::Tensor logits_;   // [C, V] float32
  at::Tensor rstd_;     // [C]
  int64_t start_ = 0;
  int64_t count_ = 0;
};

// In the order of Objective's members, as head_loss reads them.
at::Tensor objective_values(const Objective& objective) {
  const at::Tensor values = at::empty({operators::kObjectiveValues}, at::TensorOptions().dtype(at::kDouble));
  const double members[] = {static_cast<double>(objective.kind),
                            objective.clip_low,
                            objective.clip_high,
                            objective.dual_clip,
                            objective.product_ratio ? 1.0 : 0.0,
                            objective.kl_coefficient,
                            static_cast<double>(objective.kl_estimator),
                            objective.kl_corrected ? 1.0 : 0.0,
                            objective.entropy_coefficient};
  static_assert(std::size(members) == operators::kObjectiveValues);
  std::copy_n(members, std::size(members), values.data_ptr<double>());
  return values;
}

int64_t row_count(const MicroBatch& batch) { return static_cast<int64_t>(batch.rows.size()); }

}  // namespace

at::Tensor device_head_values(DeviceModel& model, const Activations& saved, const MicroBatch& batch, float temperature,
                              int64_t chunk_rows, const AbortFlag& abort) {
  if (model.config.value_head) return device_values(model, saved, batch);
  const int64_t total = row_count(batch);
  const at::Tensor log_probs = model.empty({total}, at::kFloat);
  Chunk chunk(model, saved, batch, std::min(chunk_rows, total));
  for (int64_t start = 0; start < total; start += chunk_rows) {
    abort.check();
    const int64_t count = std::min(chunk_rows, total - start);
    chunk.forward(start, count);
    operators::log_probs(chunk.logits(), chunk.targets(), 1.0F / temperature, log_probs.narrow(0, start, count),
                         std::nullopt);
  }
  return log_probs;
}

HeadResults device_head_backward(DeviceModel& model, const Activations& saved, const MicroBatch& batch,
                                 const Objective& objective, float temperature, const HeadInputs& inputs,
                                 int64_t chunk_rows, DecoderTensors& gradients, const at::Tensor& dx,
                                 const AbortFlag& abort) {
  dx.zero_();
  if (model.config.value_head) return device_values_backward(model, saved, batch, objective, inputs, gradients, dx);
  const int64_t total = row_count(batch);
  const int64_t most_rows = std::min(chunk_rows, total);
  const int64_t hidden = model.config.hidden_size;
  const DecoderTensors& weights = model.parameters.tensors();
  const bool in_place = model.parameters.dtype() == at::kFloat;
  Chunk chunk(model, saved, batch, most_rows);
  at::Tensor dlogits;
  if (!in_place) dlogits = model.empty({most_rows, model.config.vocab_size});
  const at::Tensor dnormed = model.empty({most_rows, hidden});
  const at::Tensor dinput = model.empty({most_rows, hidden});
  const at::Tensor values = objective_values(objective);
  const auto per_row = [&] { return model.empty({total}, at::kFloat); };
  const HeadResults results{per_row(), per_row(), per_row(), per_row()};
  for (int64_t start = 0; start < total; start += chunk_rows) {
    abort.check();
    const int64_t count = std::min(chunk_rows, total - start);
    const auto part = [&](const at::Tensor& of_rows) { return of_rows.narrow(0, start, count); };
    const auto given = [&](const at::Tensor& of_rows) {
      return of_rows.defined() ? std::optional(part(of_rows)) : std::nullopt;
    };
    chunk.forward(start, count);
    const at::Tensor gradient = in_place ? chunk.logits() : dlogits.narrow(0, 0, count);
    operators::head_loss(chunk.logits(), chunk.targets(), 1.0F / temperature, values, part(inputs.advantages),
                         part(inputs.weights), given(inputs.old_log_probs), given(inputs.reference_log_probs),
                         given(inputs.sequence_log_ratios), given(inputs.loss_shares), part(results.log_probs),
                         part(results.entropies), part(results.losses), part(results.clipped), gradient);
    const at::Tensor dy = dnormed.narrow(0, 0, count);
    const at::Tensor dout = dinput.narrow(0, 0, count);
    products::backward_weight(gradient, chunk.normed(), gradients.head, at::Tensor());
    products::backward_input(gradient, weights.head, dy);
    operators::rms_norm_backward(dy, chunk.input(), weights.final_norm, chunk.rstd(), dout, /*accumulate=*/false,
                                 gradients.final_norm);
    at::Tensor whole = dx;
    whole.index_copy_(0, chunk.rows(), dout);
  }
  return results;
}

int64_t device_head_row_bytes(const ModelConfig& config, at::ScalarType dtype) {
  const int64_t bytes = static_cast<int64_t>(c10::elementSize(dtype));
  const int64_t dlogits = dtype == at::kFloat ? 0 : bytes;
  return config.vocab_size * (4 + dlogits) + 4 * operators::kept_words(config.vocab_size) + 4 * config.hidden_size * bytes;
}

}  // namespace zero_rl
