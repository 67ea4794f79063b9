#include "learn/trunk_critic.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/zeros_like.h>

#include "learn/token_loss.h"
#include "learn/update_factors.h"

namespace zero_rl {

namespace {

// d loss / d value of each row of a micro-batch; adds its losses to the sums.
at::Tensor derivatives(const StepRequest& request, const MicroBatch& batch, const at::Tensor& values, StepStats& stats) {
  at::Tensor result = at::zeros_like(values);
  for (int64_t i = 0; i < values.numel(); ++i) {
    const int64_t token = batch.responses[i];
    const double weight = request.weights[token];
    if (weight == 0) continue;
    const TokenLoss loss =
        token_loss(request.objective, {.log_prob = values.data_ptr<float>()[i],
                                       .advantage = request.advantages[token],
                                       .old_log_prob = request.old_log_probs.empty() ? 0 : request.old_log_probs[token]});
    result.data_ptr<float>()[i] = static_cast<float>(weight * loss.derivative);
    stats.loss += weight * loss.loss;
    stats.clip_fraction += loss.clipped ? 1 : 0;
    ++stats.measured_tokens;
  }
  ++stats.micro_batches;
  return result;
}

void update(const StepRequest& request, const at::Tensor& gradient, double grad_norm, TrunkHead& head) {
  ++head.steps;
  const UpdateFactors factors = update_factors(request, head.steps, grad_norm);
  const at::Tensor scaled = gradient.mul(factors.gradient_scale);
  head.exp_avg.mul_(request.beta1).add_(scaled, 1 - request.beta1);
  head.exp_avg_sq.mul_(request.beta2).addcmul_(scaled, scaled, 1 - request.beta2);
  const at::Tensor root = head.exp_avg_sq.sqrt().mul_(factors.inverse_sqrt_correction).add_(request.eps);
  head.weights.mul_(factors.decay).addcdiv_(head.exp_avg, root, -factors.step_size);
}

}  // namespace

std::vector<float> trunk_values(Engine& engine, const Sequences& sequences, const at::Tensor& weights,
                                const AbortFlag& abort) {
  std::vector<float> result(sequences.response_tokens());
  const auto sink = [&](const MicroBatch& batch, const at::Tensor& rows) {
    const at::Tensor values = at::mv(rows.to(at::kFloat), weights.to(rows.device())).cpu();
    for (int64_t i = 0; i < values.numel(); ++i) result[batch.responses[i]] = values.data_ptr<float>()[i];
  };
  engine.hidden_states(sequences, sink, abort);
  return result;
}

StepStats trunk_step(Engine& engine, const StepRequest& request, TrunkHead& head, const AbortFlag& abort) {
  StepStats stats;
  stats.total_tokens = static_cast<int64_t>(request.sequences.tokens.size());
  at::Tensor gradient = at::zeros_like(head.weights);
  const auto sink = [&](const MicroBatch& batch, const at::Tensor& hidden) {
    const at::Tensor rows = hidden.to(at::kFloat);
    const at::Tensor values = at::mv(rows, head.weights.to(rows.device())).cpu();
    const at::Tensor coefficients = derivatives(request, batch, values, stats);
    gradient.add_(at::mv(rows.t(), coefficients.to(rows.device())).cpu());
  };
  engine.hidden_states(request.sequences, sink, abort);
  abort.check();
  stats.tokens = stats.measured_tokens;
  stats.finish();
  stats.grad_norm = at::linalg_vector_norm(gradient).item<double>();
  if (!stats.finite()) return stats;
  update(request, gradient, stats.grad_norm, head);
  stats.applied = true;
  return stats;
}

}  // namespace zero_rl
