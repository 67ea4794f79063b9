#include "learn/hidden_rows.h"

namespace zero_rl {

HiddenRows hidden_rows(const Model& model, const Activations& saved, const at::Tensor& rows) {
  const int64_t count = rows.size(0);
  const int64_t hidden = model.description.hidden_size;
  HiddenRows result{.rows = rows,
                    .input = model.take({count, hidden}),
                    .normed = model.take({count, hidden}),
                    .rstd = model.operators.take({count}, at::kFloat)};
  model.operators.take_rows(saved.output, rows, result.input);
  model.operators.rms_norm(result.input, model.weights().final_norm, model.description.rms_norm_eps, result.normed,
                           result.rstd);
  return result;
}

void hidden_rows_backward(const Model& model, const HiddenRows& rows, const at::Tensor& dnormed,
                          DecoderTensors& gradients, const at::Tensor& dx) {
  const at::Tensor dinput = model.take(rows.input.sizes());
  model.operators.rms_norm_backward(dnormed, rows.input, model.weights().final_norm, rows.rstd, dinput,
                                    /*accumulate=*/false, gradients.final_norm);
  model.operators.put_rows(dinput, rows.rows, dx);
}

}  // namespace zero_rl
