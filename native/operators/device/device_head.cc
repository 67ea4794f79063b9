// The head and its loss, draws and parameters.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "device/operators.h"
#include "model/description.h"
#include "model/kept_sets.h"
#include "operators/device/device_operators.h"
#include "operators/device/optional.h"

namespace zero_rl {

namespace {

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

}  // namespace

void DeviceOperators::keep_tokens(const at::Tensor& logits, const KeptSets& kept, const int64_t* indices, float) {
  const int64_t rows = logits.size(0);
  const int64_t vocab = logits.size(1);
  if (std::all_of(indices, indices + rows, [&](int64_t index) { return kept.whole(index); })) return;
  const int64_t words = operators::kept_words(vocab);
  std::vector<int32_t> bits(rows * words);
  for (int64_t i = 0; i < rows; ++i) {
    kept.write_words(indices[i], reinterpret_cast<uint32_t*>(bits.data() + i * words), vocab);
  }
  operators::keep_tokens(logits, upload(bits).view({rows, words}));
}

void DeviceOperators::log_probs(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                                const at::Tensor& log_probs) {
  operators::log_probs(logits, targets, inverse_temperature, log_probs, std::nullopt);
}

at::Tensor DeviceOperators::head_loss(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                                      const Objective& objective, const LossInputs& inputs, const LossResults& results,
                                      at::ScalarType dtype) {
  const at::Tensor dlogits = dtype == at::kFloat ? logits : take(logits.sizes(), dtype);
  operators::head_loss(logits, targets, inverse_temperature, objective_values(objective), inputs.advantages,
                       inputs.weights, optional(inputs.old_log_probs), optional(inputs.reference_log_probs),
                       optional(inputs.sequence_log_ratios), optional(inputs.loss_shares), results.log_probs,
                       results.entropies, results.losses, results.clipped, dlogits);
  return dlogits;
}

void DeviceOperators::draw(const at::Tensor& logits, const DrawState& state) {
  operators::sample(logits, state.settings, state.seeds, state.uids, state.samples, state.counts, state.tokens,
                    state.log_probs, state.log_masses, state.entropies, optional(state.kept));
  operators::advance(state.tokens, state.log_probs, state.log_masses, state.entropies, state.stop_tokens,
                          state.limits, state.positions, state.counts, state.out_tokens, state.out_log_probs,
                          state.out_log_masses, state.out_entropies);
}

int64_t DeviceOperators::head_row_bytes(const Description& description, at::ScalarType dtype) const {
  const auto bytes = static_cast<int64_t>(c10::elementSize(dtype));
  const int64_t dlogits = dtype == at::kFloat ? 0 : bytes;
  return description.vocab_size * dlogits + 4 * operators::kept_words(description.vocab_size) +
         4 * description.hidden_size * bytes;
}

double DeviceOperators::squared_norm(const at::Tensor& x) {
  const at::Tensor sum = empty({1}, at::kDouble);
  operators::squared_norm(x, sum);
  return sum.cpu().data_ptr<double>()[0];
}

void DeviceOperators::adamw(const AdamWUpdate& update) {
  operators::adamw(update.weights, optional(update.remainders), update.gradient, update.exp_avg, update.exp_avg_sq,
                   update.noise, update.first, update.gradient_scale, update.beta1, update.beta2, update.eps,
                   update.step_size, update.inverse_sqrt_correction, update.decay);
}

}  // namespace zero_rl
