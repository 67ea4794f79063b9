#include "learn/trainer.h"

#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "learn/head.h"
#include "learn/update_factors.h"
#include "runtime/error.h"
#include "runtime/profiler.h"

namespace zero_rl {

namespace {

using profiler::Scope;
using profiler::Section;

constexpr int64_t kRowTile = 32;   // products are fastest with whole ones
constexpr int64_t kHeadShare = 4;  // the head gets one of so many parts of a budget
constexpr int64_t kMiB = int64_t{1} << 20;

// Sequences that add nothing to the gradient.
std::vector<bool> without_gradient(const StepRequest& request) {
  const Objective& objective = request.objective;
  std::vector<bool> result(request.sequences.count(), false);
  const bool measured = !request.reference_log_probs.empty();  // the distance to the reference is
  if (objective.kind == ObjectiveKind::kValue || measured || objective.entropy_coefficient != 0) return result;
  int64_t token = 0;
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t end = token + request.sequences.response_length(static_cast<int64_t>(i));
    result[i] = true;
    for (; token < end; ++token) result[i] = result[i] && (request.advantages[token] == 0 || request.weights[token] == 0);
  }
  return result;
}

// Of what a step's head found for the rows of a micro-batch.
void tally(const StepRequest& request, const MicroBatch& batch, const LossResults& results, StepStats& stats) {
  const at::Tensor values = at::stack({results.log_probs, results.entropies, results.losses, results.clipped}).cpu();
  const int64_t rows = values.size(1);
  const float* log_probs = values.data_ptr<float>();
  const float* entropies = log_probs + rows;
  const float* losses = entropies + rows;
  const float* clipped = losses + rows;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t token = batch.responses[i];
    const double weight = request.weights[token];
    if (weight == 0) continue;
    if (!request.old_log_probs.empty()) {
      stats.log_prob_difference += std::abs(log_probs[i] - request.old_log_probs[token]);
    }
    if (!request.reference_log_probs.empty()) stats.kl += log_probs[i] - request.reference_log_probs[token];
    stats.loss += losses[i] - weight * request.objective.entropy_coefficient * entropies[i];
    stats.entropy += entropies[i];
    stats.clip_fraction += clipped[i];
    ++stats.measured_tokens;
  }
  ++stats.micro_batches;
}

// A micro-batch, which is one sequence where it is too long, must fit what the head leaves of the budget.
void check_fits(int64_t tokens, int64_t bytes_per_token, int64_t left) {
  if (tokens * bytes_per_token <= left) return;
  const auto mib = [](int64_t bytes) { return std::to_string((std::max<int64_t>(0, bytes) + kMiB - 1) / kMiB); };
  throw out_of_memory_error("A sequence of " + std::to_string(tokens) + " tokens takes " + mib(tokens * bytes_per_token) +
                            " MiB of activations but the budget leaves " + mib(left) +
                            "; raise memoryBudgetMiB or memoryMiB, or shorten the sequences");
}

}  // namespace

void StepStats::finish() {
  const auto measured = static_cast<double>(std::max<int64_t>(1, measured_tokens));
  entropy /= measured;
  kl /= measured;
  log_prob_difference /= measured;
  clip_fraction /= static_cast<double>(std::max<int64_t>(1, tokens));
}

bool StepStats::finite() const { return std::isfinite(grad_norm) && std::isfinite(loss); }

Trainer::Plan Trainer::plan_of(int64_t budget) const {
  const int64_t row = head_row_bytes(model_);
  const int64_t most = model_.operators.limits().chunk_rows;
  const int64_t rows =
      model_.description.value_head ? 0 : std::clamp<int64_t>(budget / kHeadShare / row / kRowTile * kRowTile, kRowTile, most);
  return {std::max(rows, kRowTile), budget - rows * row};
}

int64_t Trainer::scored_tokens(const Plan& plan) const {
  return std::clamp<int64_t>(plan.activations / pass_bytes_per_token(model_), 1, model_.operators.limits().pass_tokens);
}

int64_t Trainer::trained_tokens(const Plan& plan) const {
  const Limits limits = model_.operators.limits();
  const int64_t least = activation_bytes_per_token(model_);
  const int64_t all = least + model_.description.layer_count() * gate_up_bytes_per_token(model_);
  const int64_t kept = plan.activations / all;
  if (kept >= limits.few_step_tokens) return std::min(kept, limits.step_tokens);
  return std::clamp<int64_t>(plan.activations / least, 1, limits.few_step_tokens);
}

Keep Trainer::keep_of(int64_t tokens, const Plan& plan) const {
  const int64_t left = plan.activations - tokens * activation_bytes_per_token(model_);
  const int64_t gate_ups = left / (tokens * gate_up_bytes_per_token(model_));
  return {.layers = true, .gate_ups = std::clamp<int64_t>(gate_ups, 0, model_.description.layer_count())};
}

template <class Head>
void Trainer::score(const Sequences& sequences, const std::vector<bool>& skipped, const Plan& plan,
                    const AbortFlag& abort, const Head& head) {
  const Scope section(Section::kLogProbs);
  for (const MicroBatch& batch : split(sequences, scored_tokens(plan), skipped)) {
    check_fits(batch.packed.count(), pass_bytes_per_token(model_), plan.activations);
    const Operators::Frame frame(model_.operators);
    const PackedBatch packed(model_.operators, batch.packed);
    Activations saved;
    {
      const Scope forward(Section::kForward);
      decoder_forward(model_, packed, {}, saved, abort);
    }
    const Scope section_of_head(Section::kHead);
    head(batch, saved);
  }
}

std::vector<float> Trainer::log_probs(const Sequences& sequences, const std::vector<bool>& skipped, float temperature,
                                      int64_t budget, const AbortFlag& abort) {
  std::vector<float> result(sequences.response_tokens());
  const Plan plan = plan_of(budget);
  score(sequences, skipped, plan, abort, [&](const MicroBatch& batch, const Activations& saved) {
    const at::Tensor values = head_values(model_, saved, batch, temperature, plan.chunk_rows, abort).cpu();
    for (int64_t i = 0; i < values.numel(); ++i) result[batch.responses[i]] = values.data_ptr<float>()[i];
  });
  return result;
}

std::vector<float> Trainer::log_probs(const Sequences& sequences, float temperature, int64_t budget,
                                      const AbortFlag& abort) {
  return log_probs(sequences, {}, temperature, budget, abort);
}

void Trainer::hidden_states(const Sequences& sequences, int64_t budget, const HiddenSink& sink,
                            const AbortFlag& abort) {
  score(sequences, {}, plan_of(budget), abort, [&](const MicroBatch& batch, const Activations& saved) {
    sink(batch, hidden_rows(model_, saved, model_.operators.upload(batch.rows)).normed);
  });
}

void Trainer::ensure_state() {
  if (!moments_) moments_.emplace(model_.parameters, storage_, model_.operators);
  if (!gradients_) gradients_.emplace(model_.parameters, model_.operators);
}

int64_t Trainer::held_bytes() const {
  if (!has_state()) return 0;
  const auto moments = static_cast<int64_t>(moments_->exp_avg().nbytes() + moments_->exp_avg_sq().nbytes());
  const bool elsewhere = moments_->exp_avg().device() != model_.operators.device();
  return static_cast<int64_t>(gradients_->flat().nbytes()) + (elsewhere ? 0 : moments);
}

Moments& Trainer::moments() {
  ensure_state();
  return *moments_;
}

void Trainer::accumulate(const StepRequest& request, const SequenceRatios& ratios, const MicroBatch& batch,
                         const Plan& plan, StepStats& stats, const AbortFlag& abort) {
  check_fits(batch.packed.count(), activation_bytes_per_token(model_), plan.activations);
  const Operators::Frame frame(model_.operators);
  const auto of_rows = [&](const std::vector<float>& values) {
    if (values.empty()) return at::Tensor();
    std::vector<float> picked;
    for (const int64_t token : batch.responses) picked.push_back(values[token]);
    return model_.operators.upload(picked);
  };
  const LossInputs inputs{of_rows(request.advantages),    of_rows(request.weights),
                          of_rows(request.old_log_probs), of_rows(request.reference_log_probs),
                          of_rows(ratios.log_ratios),     of_rows(ratios.shares)};
  const PackedBatch packed(model_.operators, batch.packed);
  Activations saved;
  {
    const Scope forward(Section::kForward);
    decoder_forward(model_, packed, keep_of(packed.count, plan), saved, abort);
  }
  const at::Tensor dx = model_.take({packed.count, model_.description.hidden_size});
  LossResults results;
  {
    const Scope head(Section::kHead);
    results = head_backward(model_, saved, batch, request.objective, request.temperature, inputs, plan.chunk_rows,
                            gradients_->tensors(), dx, abort);
  }
  const Scope backward(Section::kBackward);
  decoder_backward(model_, packed, saved, dx, gradients_->tensors(), abort);
  tally(request, batch, results, stats);
}

void Trainer::update(const StepRequest& request, double grad_norm) {
  ++steps_;
  const UpdateFactors factors = update_factors(request, steps_, grad_norm);
  const ParameterStore& parameters = model_.parameters;
  parameters.changed();
  moments_->update([&](int64_t first, const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq) {
    const auto part = [&](const at::Tensor& flat) {
      return flat.defined() ? flat.narrow(0, first, exp_avg.numel()) : at::Tensor();
    };
    model_.operators.adamw({.weights = part(parameters.weights()),
                            .remainders = part(parameters.remainders()),
                            .gradient = part(gradients_->flat()),
                            .exp_avg = exp_avg,
                            .exp_avg_sq = exp_avg_sq,
                            .noise = steps_,
                            .first = first,
                            .gradient_scale = factors.gradient_scale,
                            .beta1 = request.beta1,
                            .beta2 = request.beta2,
                            .eps = request.eps,
                            .step_size = factors.step_size,
                            .inverse_sqrt_correction = factors.inverse_sqrt_correction,
                            .decay = factors.decay});
  });
}

StepStats Trainer::step(const StepRequest& request, int64_t budget, const AbortFlag& abort) {
  const Scope section(Section::kStep);
  ensure_state();
  model_.operators.release_copies();
  gradients_->clear();
  StepStats stats;
  stats.tokens = std::count_if(request.weights.begin(), request.weights.end(), [](float weight) { return weight != 0; });
  const std::vector<bool> skipped = without_gradient(request);
  for (int64_t i = 0; i < request.sequences.count(); ++i) {
    if (!skipped[i] && request.sequences.response_length(i) > 0) {
      stats.total_tokens += request.sequences.offsets[i + 1] - request.sequences.offsets[i];
    }
  }
  SequenceRatios ratios;
  if (request.objective.needs_sequence_ratio()) {
    ratios = sequence_ratios(request.sequences,
                             log_probs(request.sequences, skipped, request.temperature, budget, abort),
                             request.old_log_probs, request.weights, request.objective.product_ratio);
  }
  const Plan plan = plan_of(budget);
  for (const MicroBatch& batch : split(request.sequences, trained_tokens(plan), skipped)) {
    accumulate(request, ratios, batch, plan, stats, abort);
  }
  abort.check();
  stats.finish();
  const Scope optimizer(Section::kOptimizer);
  stats.grad_norm = std::sqrt(model_.operators.squared_norm(gradients_->flat()));
  if (!stats.finite()) return stats;
  update(request, stats.grad_norm);
  stats.applied = true;
  return stats;
}

}  // namespace zero_rl
