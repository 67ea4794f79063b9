#include "device/device_trainer.h"

#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

#include "device/device_value_head.h"
#include "device/operators.h"
#include "learn/update_factors.h"

namespace zero_rl {

namespace {

constexpr int64_t kRowTile = 32;
constexpr int64_t kMostChunkRows = 4096;
constexpr int64_t kHeadShare = 4;  // the head gets one of so many parts of a budget

}  // namespace

DeviceTrainer::Plan DeviceTrainer::plan_of(int64_t budget) const {
  const int64_t row = device_head_row_bytes(model_.config, model_.parameters.dtype());
  const int64_t rows = std::clamp<int64_t>(budget / kHeadShare / row / kRowTile * kRowTile, kRowTile, kMostChunkRows);
  return {rows, std::max<int64_t>(0, budget - rows * row)};
}

int64_t DeviceTrainer::micro_batch_tokens(const Plan& plan) const {
  const int64_t per_token = activation_bytes_per_token(model_.config, model_.parameters.dtype());
  return std::clamp<int64_t>(plan.activations / per_token, 1, model_.runtime.most_pass_tokens());
}

Keep DeviceTrainer::keep_of(int64_t tokens, const Plan& plan) const {
  const at::ScalarType dtype = model_.parameters.dtype();
  const int64_t left = plan.activations - tokens * activation_bytes_per_token(model_.config, dtype);
  const int64_t gate_ups = left / (tokens * gate_up_bytes_per_token(model_.config, dtype));
  return {.layers = true, .gate_ups = std::clamp<int64_t>(gate_ups, 0, model_.config.layers)};
}

template <class Head>
void DeviceTrainer::score(const Sequences& sequences, const Plan& plan, const AbortFlag& abort, const Head& head) {
  for (const MicroBatch& batch : split(sequences, micro_batch_tokens(plan), /*share_prompts=*/false)) {
    const DeviceBatch packed(model_, batch.packed);
    Activations saved;
    device_forward(model_, packed, {}, saved, nullptr, abort);
    head(batch, saved);
  }
}

std::vector<float> DeviceTrainer::log_probs(const Sequences& sequences, float temperature, int64_t budget,
                                            const AbortFlag& abort) {
  std::vector<float> result(sequences.response_tokens());
  const Plan plan = plan_of(budget);
  score(sequences, plan, abort, [&](const MicroBatch& batch, const Activations& saved) {
    const at::Tensor values = device_head_values(model_, saved, batch, temperature, plan.chunk_rows, abort).cpu();
    std::copy_n(values.data_ptr<float>(), values.numel(), result.data() + batch.first_response);
  });
  return result;
}

void DeviceTrainer::hidden_states(const Sequences& sequences, int64_t budget, const HiddenSink& sink,
                                  const AbortFlag& abort) {
  score(sequences, plan_of(budget), abort, [&](const MicroBatch& batch, const Activations& saved) {
    sink(batch, device_hidden_rows(model_, saved, batch).normed);
  });
}

void DeviceTrainer::ensure_state() {
  if (!moments_) moments_.emplace(model_.parameters, storage_, model_.runtime);
  if (!gradients_) gradients_.emplace(model_.parameters);
}

Moments& DeviceTrainer::moments() {
  ensure_state();
  return *moments_;
}

void DeviceTrainer::accumulate(const StepRequest& request, const SequenceRatios& ratios, const MicroBatch& batch,
                               const Plan& plan, StepStats& stats, const AbortFlag& abort) {
  const auto rows = static_cast<int64_t>(batch.rows.size());
  const auto of_rows = [&](const std::vector<float>& values) {
    if (values.empty()) return at::Tensor();
    return model_.upload(values.data() + batch.first_response, rows, at::kFloat);
  };
  const HeadInputs inputs{of_rows(request.advantages),    of_rows(request.weights),
                          of_rows(request.old_log_probs), of_rows(request.reference_log_probs),
                          of_rows(ratios.log_ratios),     of_rows(ratios.shares)};
  const DeviceBatch packed(model_, batch.packed);
  Activations saved;
  device_forward(model_, packed, keep_of(packed.count, plan), saved, nullptr, abort);
  const at::Tensor dx = model_.empty({packed.count, model_.config.hidden_size});
  const HeadResults results =
      device_head_backward(model_, saved, batch, request.objective, request.temperature, inputs, plan.chunk_rows,
                           gradients_->tensors(), dx, abort);
  device_backward(model_, packed, saved, dx, gradients_->tensors(), abort);
  tally(request, batch, results, stats);
}

void DeviceTrainer::tally(const StepRequest& request, const MicroBatch& batch, const HeadResults& results,
                          StepStats& stats) const {
  const at::Tensor values = at::stack({results.log_probs, results.entropies, results.losses, results.clipped}).cpu();
  const int64_t rows = values.size(1);
  const float* log_probs = values.data_ptr<float>();
  const float* entropies = log_probs + rows;
  const float* losses = entropies + rows;
  const float* clipped = losses + rows;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t token = batch.first_response + i;
    const double weight = request.weights[token];
    if (weight == 0) continue;
    if (!request.old_log_probs.empty()) {
      stats.log_prob_difference += std::abs(log_probs[i] - request.old_log_probs[token]);
    }
    if (!request.reference_log_probs.empty()) stats.kl += log_probs[i] - request.reference_log_probs[token];
    stats.loss += losses[i] - weight * request.objective.entropy_coefficient * entropies[i];
    stats.entropy += entropies[i];
    stats.clip_fraction += clipped[i];
    ++stats.tokens;
  }
  stats.total_tokens += batch.sequence_tokens;
  ++stats.micro_batches;
}

double DeviceTrainer::gradient_norm() const {
  const at::Tensor sum = model_.empty({1}, at::kDouble);
  operators::squared_norm(gradients_->flat(), sum);
  return std::sqrt(sum.cpu().data_ptr<double>()[0]);
}

void DeviceTrainer::update(const StepRequest& request, double grad_norm) {
  ++steps_;
  const UpdateFactors factors = update_factors(request, steps_, grad_norm);
  const DeviceParameters& parameters = model_.parameters;
  parameters.changed();
  moments_->update([&](int64_t first, const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq) {
    const auto part = [&](const at::Tensor& flat) { return flat.narrow(0, first, exp_avg.numel()); };
    const at::Tensor& remainders = parameters.remainders();
    operators::adamw(part(parameters.weights()), remainders.defined() ? std::optional(part(remainders)) : std::nullopt,
                     part(gradients_->flat()), exp_avg, exp_avg_sq, steps_, first, factors.gradient_scale,
                     request.beta1, request.beta2, request.eps, factors.step_size, factors.inverse_sqrt_correction,
                     factors.decay);
  });
}

StepStats DeviceTrainer::step(const StepRequest& request, int64_t budget, const AbortFlag& abort) {
  ensure_state();
  gradients_->clear();
  StepStats stats;
  SequenceRatios ratios;
  if (request.objective.needs_sequence_ratio()) {
    ratios = sequence_ratios(request.sequences, log_probs(request.sequences, request.temperature, budget, abort),
                             request.old_log_probs, request.weights, request.objective.product_ratio);
  }
  const Plan plan = plan_of(budget);
  for (const MicroBatch& batch : split(request.sequences, micro_batch_tokens(plan), /*share_prompts=*/false)) {
    accumulate(request, ratios, batch, plan, stats, abort);
  }
  abort.check();
  gradients_->collect();
  stats.finish();
  stats.grad_norm = gradient_norm();
  if (!stats.finite()) return stats;
  update(request, stats.grad_norm);
  stats.applied = true;
  return stats;
}

}  // namespace zero_rl
