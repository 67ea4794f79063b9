#include "learn/value_head.h"

#include <ATen/ops/mv.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "learn/hidden_rows.h"
#include "model/decoder_steps.h"

namespace zero_rl {

namespace {

// [R] float32
at::Tensor values_of(const Model& model, const HiddenRows& rows) {
  return at::mv(rows.normed.to(at::kFloat), model.parameters.tensors().head.flatten().to(at::kFloat));
}

}  // namespace

void value_head_values(Model& model, const Activations& saved, const MicroBatch& batch, float* values) {
  const Workspace::Frame frame(model.workspace);
  const at::Tensor result = values_of(model, hidden_rows(model, saved, batch));
  std::memcpy(values, result.data_ptr(), result.nbytes());
}

void value_head_backward(Model& model, const Activations& saved, const MicroBatch& batch, const HeadLoss& loss,
                         DecoderTensors& gradients, at::Tensor& dx) {
  const Workspace::Frame frame(model.workspace);
  const DecoderTensors& weights = model.parameters.tensors();
  const auto count = static_cast<int64_t>(batch.rows.size());
  const int64_t hidden = model.config.hidden_size;
  const HiddenRows rows = hidden_rows(model, saved, batch);
  const at::Tensor values = values_of(model, rows);
  const at::Tensor coefficients = at::zeros({count}, at::kFloat);
  const std::vector<float> none(count, 0.0F);
  std::vector<float> unused(count);
  loss(0, count, values.data_ptr<float>(), none.data(), coefficients.data_ptr<float>(), unused.data());

  gradients.head.view({hidden}).add_(at::mv(rows.normed.to(at::kFloat).t(), coefficients));
  at::Tensor dnormed = model.workspace.take({count, hidden}, model.parameters.dtype());
  dnormed.copy_(at::outer(coefficients, weights.head.view({hidden}).to(at::kFloat)));
  at::Tensor dinput = model.workspace.take({count, hidden}, model.parameters.dtype());
  norm_rows_backward(model, dnormed, rows.input, weights.final_norm, rows.rstd, dinput, /*accumulate=*/false,
                     gradients.final_norm);
  dx.zero_();
  put_rows(dinput, batch.rows.data(), dx);
}

}  // namespace zero_rl
