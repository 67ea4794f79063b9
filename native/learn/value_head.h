// The head of a critic: V = h·w for the normed hidden state h before each response token. A value per token is little, so that
// the loss is computed on the host.
#pragma once

#include "learn/hidden_rows.h"

namespace zero_rl {

// values [R] float32.
at::Tensor value_head_values(Model& model, const Activations& saved, const MicroBatch& batch);

// As head_backward, with entropies of zero. `dx` is zeros where no row lies.
LossResults value_head_backward(Model& model, const Activations& saved, const MicroBatch& batch,
                                const Objective& objective, const LossInputs& inputs, DecoderTensors& gradients,
                                const at::Tensor& dx);

}  // namespace zero_rl
