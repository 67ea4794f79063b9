#include "device/device_value_head.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/zeros.h>

#include "device/operators.h"
#include "learn/token_loss.h"

namespace zero_rl {

namespace {

// [H] float32
at::Tensor head_of(const DeviceModel& model) { return model.parameters.tensors().head.flatten().to(at::kFloat); }

}  // namespace

DeviceHiddenRows device_hidden_rows(DeviceModel& model, const Activations& saved, const MicroBatch& batch) {
  DeviceHiddenRows rows;
  rows.rows = model.upload(batch.rows);
  rows.input = at::index_select(saved.output, 0, rows.rows);
  rows.normed = model.empty(rows.input.sizes());
  rows.rstd = model.empty({rows.input.size(0)}, at::kFloat);
  operators::rms_norm(rows.input, model.parameters.tensors().final_norm, model.config.rms_norm_eps, rows.normed,
                      rows.rstd);
  return rows;
}

at::Tensor device_values(DeviceModel& model, const Activations& saved, const MicroBatch& batch) {
  return at::mv(device_hidden_rows(model, saved, batch).normed.to(at::kFloat), head_of(model));
}

HeadResults device_values_backward(DeviceModel& model, const Activations& saved, const MicroBatch& batch,
                                   const Objective& objective, const HeadInputs& inputs, DecoderTensors& gradients,
                                   const at::Tensor& dx) {
  const DeviceHiddenRows rows = device_hidden_rows(model, saved, batch);
  const at::Tensor head = head_of(model);
  const at::Tensor on_device = at::mv(rows.normed.to(at::kFloat), head);
  const int64_t count = on_device.size(0);
  const auto host = [](const at::Tensor& values) { return values.cpu(); };
  const at::Tensor values = host(on_device);
  const at::Tensor returns = host(inputs.advantages);
  const at::Tensor weights = host(inputs.weights);
  const at::Tensor old = inputs.old_log_probs.defined() ? host(inputs.old_log_probs) : at::Tensor();
  // Losses, clipped, derivatives.
  const at::Tensor results = at::zeros({3, count}, at::TensorOptions().dtype(at::kFloat));
  float* losses = results.data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    const double weight = weights.data_ptr<float>()[i];
    if (weight == 0) continue;
    const TokenLoss loss = token_loss(objective, {.log_prob = values.data_ptr<float>()[i],
                                                  .advantage = returns.data_ptr<float>()[i],
                                                  .old_log_prob = old.defined() ? old.data_ptr<float>()[i] : 0});
    losses[i] = static_cast<float>(weight * loss.loss);
    losses[count + i] = loss.clipped ? 1.0F : 0.0F;
    losses[2 * count + i] = static_cast<float>(weight * loss.derivative);
  }
  const at::Tensor all = results.to(model.runtime.device());
  const at::Tensor derivatives = all.select(0, 2);
  gradients.head.view({head.size(0)}).add_(at::mv(rows.normed.to(at::kFloat).t(), derivatives));
  const at::Tensor dnormed = at::outer(derivatives, head).to(model.parameters.dtype());
  const at::Tensor dinput = model.empty(rows.input.sizes());
  operators::rms_norm_backward(dnormed, rows.input, model.parameters.tensors().final_norm, rows.rstd, dinput,
                               /*accumulate=*/false, gradients.final_norm);
  at::Tensor whole = dx;
  whole.index_copy_(0, rows.rows, dinput);
  return {on_device, at::zeros({count}, on_device.options()), all.select(0, 0), all.select(0, 1)};
}

}  // namespace zero_rl
