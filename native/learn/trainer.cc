#include "learn/trainer.h"

#include <algorithm>
#include <cmath>

#include "learn/head.h"
#include "learn/token_loss.h"
#include "learn/update_factors.h"
#include "learn/value_head.h"
#include "model/flat_buffer.h"
#include "runtime/profiler.h"

namespace zero_rl {

namespace {

using profiler::Scope;
using profiler::Section;

constexpr int64_t kScoringBudget = int64_t{1} << 29;
constexpr int64_t kMostStepTokens = 4096;  // of a micro-batch: more run no faster and take more memory
// With fewer tokens gradients are gone through so often that computing gates and ups again for more of them is cheaper.
constexpr int64_t kFewStepTokens = 1024;

}  // namespace

void StepStats::finish() {
  const auto trained = static_cast<double>(std::max<int64_t>(1, tokens));
  entropy /= trained;
  kl /= trained;
  log_prob_difference /= trained;
  clip_fraction /= trained;
}

bool StepStats::finite() const { return std::isfinite(grad_norm) && std::isfinite(loss); }

int64_t Trainer::activation_bytes(int64_t budget) const {
  return budget - head_chunk_bytes(model_.config, model_.parameters.dtype());
}

int64_t Trainer::kept_tokens(int64_t budget) const {
  const ModelConfig& config = model_.config;
  const at::ScalarType dtype = model_.parameters.dtype();
  const int64_t per_token =
      activation_bytes_per_token(config, dtype) + config.layers * gate_up_bytes_per_token(config, dtype);
  return std::max<int64_t>(1, activation_bytes(budget) / per_token);
}

int64_t Trainer::micro_batch_tokens(int64_t budget) const {
  const int64_t kept = kept_tokens(budget);
  if (kept >= kFewStepTokens) return std::min(kept, kMostStepTokens);
  const int64_t fitting = activation_bytes(budget) / activation_bytes_per_token(model_.config, model_.parameters.dtype());
  return std::clamp<int64_t>(fitting, 1, kFewStepTokens);
}

Keep Trainer::keep_of(const MicroBatch& batch, int64_t budget) const {
  const ModelConfig& config = model_.config;
  const at::ScalarType dtype = model_.parameters.dtype();
  const int64_t tokens = batch.packed.count();
  const int64_t left = activation_bytes(budget) - tokens * activation_bytes_per_token(config, dtype);
  const int64_t gate_ups = left / (tokens * gate_up_bytes_per_token(config, dtype));
  return {.layers = true, .gate_ups = std::clamp<int64_t>(gate_ups, 0, config.layers)};
}

template <class Head>
void Trainer::score(const Sequences& sequences, const AbortFlag& abort, const Head& head) {
  const Scope section(Section::kLogProbs);
  for (const MicroBatch& batch : split(sequences, kept_tokens(kScoringBudget))) {
    const Workspace::Frame frame(model_.workspace);
    Activations saved;
    {
      const Scope forward(Section::kForward);
      decoder_forward(model_, batch.packed, {}, saved, nullptr, abort);
    }
    const Scope section_of_head(Section::kHead);
    head(batch, saved);
  }
}

std::vector<float> Trainer::log_probs(const Sequences& sequences, float temperature, const AbortFlag& abort) {
  std::vector<float> result(sequences.response_tokens());
  score(sequences, abort, [&](const MicroBatch& batch, const Activations& saved) {
    float* values = result.data() + batch.first_response;
    if (model_.config.value_head) {
      value_head_values(model_, saved, batch, values);
    } else {
      head_log_probs(model_, saved, batch, temperature, values, abort);
    }
  });
  return result;
}

void Trainer::hidden_states(const Sequences& sequences, const HiddenSink& sink, const AbortFlag& abort) {
  score(sequences, abort, [&](const MicroBatch& batch, const Activations& saved) {
    sink(batch, hidden_rows(model_, saved, batch).normed);
  });
}

void Trainer::ensure_state() {
  if (gradients_) return;
  gradients_.emplace(model_.parameters);
  const at::ScalarType dtype = model_.parameters.state_dtype();
  exp_avg_sq_ = flat_buffer(model_.parameters.size(), dtype).zero_();
  exp_avg_ = flat_buffer(model_.parameters.size(), dtype).zero_();
}

const at::Tensor& Trainer::exp_avg() {
  ensure_state();
  return exp_avg_;
}

const at::Tensor& Trainer::exp_avg_sq() {
  ensure_state();
  return exp_avg_sq_;
}

void Trainer::accumulate(const StepRequest& request, const SequenceRatios& ratios, const MicroBatch& batch,
                         StepStats& stats, const AbortFlag& abort) {
  const Workspace::Frame frame(model_.workspace);
  Activations saved;
  {
    const Scope forward(Section::kForward);
    decoder_forward(model_, batch.packed, keep_of(batch, request.memory_budget), saved, nullptr, abort);
  }
  const HeadLoss loss = [&](int64_t start, int64_t count, const float* log_probs, const float* entropies,
                            float* coefficients, float* entropy_coefficients) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t token = batch.first_response + start + i;
      const double weight = request.weights[token];
      coefficients[i] = 0;
      entropy_coefficients[i] = 0;
      if (weight == 0) continue;
      TokenInputs inputs{.log_prob = log_probs[i], .advantage = request.advantages[token]};
      if (!request.old_log_probs.empty()) {
        inputs.old_log_prob = request.old_log_probs[token];
        stats.log_prob_difference += std::abs(log_probs[i] - inputs.old_log_prob);
      }
      if (!request.reference_log_probs.empty()) {
        inputs.reference_log_prob = request.reference_log_probs[token];
        stats.kl += log_probs[i] - inputs.reference_log_prob;
      }
      if (request.objective.needs_sequence_ratio()) {
        inputs.sequence_log_ratio = ratios.log_ratios[token];
        inputs.loss_share = ratios.shares[token];
      }
      const TokenLoss value = token_loss(request.objective, inputs);
      const double bonus = weight * request.objective.entropy_coefficient;
      coefficients[i] = static_cast<float>(weight * value.derivative);
      entropy_coefficients[i] = static_cast<float>(-bonus);
      stats.loss += weight * value.loss - bonus * entropies[i];
      stats.entropy += entropies[i];
      stats.clip_fraction += value.clipped ? 1 : 0;
      ++stats.tokens;
    }
  };
  at::Tensor dx = model_.workspace.take({batch.packed.count(), model_.config.hidden_size}, model_.parameters.dtype());
  {
    const Scope head(Section::kHead);
    if (model_.config.value_head) {
      value_head_backward(model_, saved, batch, loss, gradients_->tensors(), dx);
    } else {
      const bool with_entropy = request.objective.entropy_coefficient != 0;
      head_backward(model_, saved, batch, request.temperature, loss, with_entropy, gradients_->tensors(), dx, abort);
    }
  }
  const Scope backward(Section::kBackward);
  decoder_backward(model_, batch.packed, saved, dx, gradients_->tensors(), abort);
}

void Trainer::update(const StepRequest& request, double grad_norm) {
  ++steps_;
  const UpdateFactors factors = update_factors(request, steps_, grad_norm);
  const at::Tensor& remainders = model_.parameters.remainders();
  model_.parameters.changed();
  model_.kernels().adamw({
      .weights = model_.parameters.weights().data_ptr(),
      .remainders = remainders.defined() ? remainders.data_ptr<int16_t>() : nullptr,
      .gradient = gradients_->flat().data_ptr(),
      .exp_avg = exp_avg_.data_ptr(),
      .exp_avg_sq = exp_avg_sq_.data_ptr(),
      .noise = static_cast<uint32_t>(steps_),
      .count = model_.parameters.size(),
      .gradient_scale = static_cast<float>(factors.gradient_scale),
      .beta1 = static_cast<float>(request.beta1),
      .beta2 = static_cast<float>(request.beta2),
      .eps = static_cast<float>(request.eps),
      .step_size = static_cast<float>(factors.step_size),
      .inverse_sqrt_correction = static_cast<float>(factors.inverse_sqrt_correction),
      .decay = static_cast<float>(factors.decay),
  });
}

StepStats Trainer::step(const StepRequest& request, const AbortFlag& abort) {
  const Scope section(Section::kStep);
  ensure_state();
  model_.panels.release_large_layers();
  gradients_->clear();
  StepStats stats;
  SequenceRatios ratios;
  if (request.objective.needs_sequence_ratio()) {
    ratios = sequence_ratios(request.sequences, log_probs(request.sequences, request.temperature, abort),
                             request.old_log_probs, request.weights, request.objective.product_ratio);
  }
  for (const MicroBatch& batch : split(request.sequences, micro_batch_tokens(request.memory_budget))) {
    accumulate(request, ratios, batch, stats, abort);
    stats.total_tokens += batch.sequence_tokens;
    ++stats.micro_batches;
  }
  abort.check();
  stats.finish();
  const Scope optimizer(Section::kOptimizer);
  gradients_->collect();
  const at::Tensor& gradient = gradients_->flat();
  const kernels::Table& kernels = model_.kernels(gradient.scalar_type());
  stats.grad_norm = std::sqrt(kernels.squared_norm(gradient.data_ptr(), gradient.numel()));
  if (!stats.finite()) return stats;
  update(request, stats.grad_norm);
  stats.applied = true;
  return stats;
}

}  // namespace zero_rl
