#include "learn/value_head.h"

#include <ATen/ops/mv.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "model/decoder_steps.h"

namespace zero_rl {

namespace {

struct Rows {
  at::Tensor input;   // [R, H]
  at::Tensor normed;  // [R, H]
  at::Tensor rstd;    // [R]
  at::Tensor values;  // [R] float32
};

Rows forward(Model& model, const Activations& saved, const MicroBatch& batch) {
  const auto count = static_cast<int64_t>(batch.rows.size());
  const int64_t hidden = model.config.hidden_size;
  const at::ScalarType dtype = model.parameters.dtype();
  const DecoderTensors& weights = model.parameters.tensors();
  Rows rows{.input = model.workspace.take({count, hidden}, dtype),
            .normed = model.workspace.take({count, hidden}, dtype),
            .rstd = model.workspace.take({count}, at::kFloat),
            .values = {}};
  take_rows(saved.output, batch.rows.data(), rows.input);
  norm_rows(model, rows.input, weights.final_norm, rows.normed, rows.rstd);
  rows.values = at::mv(rows.normed.to(at::kFloat), weights.head.view({hidden}).to(at::kFloat));
  return rows;
}

}  // namespace

void value_head_values(Model& model, const Activations& saved, const MicroBatch& batch, float* values) {
  const Workspace::Frame frame(model.workspace);
  const Rows rows = forward(model, saved, batch);
  std::memcpy(values, rows.values.data_ptr(), rows.values.nbytes());
}

void value_head_backward(Model& model, const Activations& saved, const MicroBatch& batch, const HeadLoss& loss,
                         DecoderTensors& gradients, at::Tensor& dx) {
  const Workspace::Frame frame(model.workspace);
  const DecoderTensors& weights = model.parameters.tensors();
  const auto count = static_cast<int64_t>(batch.rows.size());
  const int64_t hidden = model.config.hidden_size;
  const Rows rows = forward(model, saved, batch);
  const at::Tensor coefficients = at::zeros({count}, at::kFloat);
  const std::vector<float> none(count, 0.0F);
  std::vector<float> unused(count);
  loss(0, count, rows.values.data_ptr<float>(), none.data(), coefficients.data_ptr<float>(), unused.data());

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
