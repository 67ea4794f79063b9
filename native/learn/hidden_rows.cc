#include "learn/hidden_rows.h"

#include "model/decoder_steps.h"

namespace zero_rl {

HiddenRows hidden_rows(Model& model, const Activations& saved, const MicroBatch& batch) {
  const auto count = static_cast<int64_t>(batch.rows.size());
  const int64_t hidden = model.config.hidden_size;
  const at::ScalarType dtype = model.parameters.dtype();
  HiddenRows rows{.input = model.workspace.take({count, hidden}, dtype),
                  .normed = model.workspace.take({count, hidden}, dtype),
                  .rstd = model.workspace.take({count}, at::kFloat)};
  take_rows(saved.output, batch.rows.data(), rows.input);
  norm_rows(model, rows.input, model.parameters.tensors().final_norm, rows.normed, rows.rstd);
  return rows;
}

}  // namespace zero_rl
