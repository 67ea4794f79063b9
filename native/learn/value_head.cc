#include "learn/value_head.h"

#include <ATen/ops/mv.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/zeros.h>

#include "learn/token_losses.h"

namespace zero_rl {

namespace {

// [H] float32
at::Tensor head_of(const Model& model) { return model.weights().head.weight.flatten().to(at::kFloat); }

at::Tensor on_host(const at::Tensor& values) { return values.defined() ? values.cpu() : at::Tensor(); }

}  // namespace

at::Tensor value_head_values(Model& model, const Activations& saved, const MicroBatch& batch) {
  const Operators::Frame frame(model.operators);
  const HiddenRows hidden = hidden_rows(model, saved, model.operators.upload(batch.rows));
  return at::mv(hidden.normed.to(at::kFloat), head_of(model));
}

LossResults value_head_backward(Model& model, const Activations& saved, const MicroBatch& batch,
                                const Objective& objective, const LossInputs& inputs, DecoderTensors& gradients,
                                const at::Tensor& dx) {
  const Operators::Frame frame(model.operators);
  const HiddenRows hidden = hidden_rows(model, saved, model.operators.upload(batch.rows));
  const at::Tensor rows = hidden.normed.to(at::kFloat);
  const at::Tensor head = head_of(model);
  const at::Tensor values = at::mv(rows, head);
  const int64_t count = values.size(0);
  const auto zeros = [&] { return at::zeros({count}, at::TensorOptions().dtype(at::kFloat)); };
  const LossResults results{values.cpu(), zeros(), zeros(), zeros()};
  const at::Tensor coefficients = zeros();
  token_losses(objective,
               {.advantages = on_host(inputs.advantages),
                .weights = on_host(inputs.weights),
                .old_log_probs = on_host(inputs.old_log_probs)},
               results, count, coefficients.data_ptr<float>(), nullptr);
  const at::Tensor derivatives = coefficients.to(values.device());
  gradients.head.weight.view({head.size(0)}).add_(at::mv(rows.t(), derivatives));
  hidden_rows_backward(model, hidden, at::outer(derivatives, head).to(model.dtype()), gradients, dx);
  return results;
}

}  // namespace zero_rl
