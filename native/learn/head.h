// The one-pass head: for a chunk of response positions, logits → log-probs → objective → dlogits → dH, dW.
// Logits of the whole batch never exist. A critic's head is V = h·w for the normed hidden state h.
#pragma once

#include <cstdint>

#include "learn/hidden_rows.h"

namespace zero_rl {

// Log-probs [R] of the targets at the temperature, over the tokens that their draws were made from, or a critic's values.
// `chunk_rows` go through the head at a time.
at::Tensor head_values(Model& model, const Activations& saved, const MicroBatch& batch, float temperature,
                       int64_t chunk_rows, const AbortFlag& abort);

// Through the loss; accumulates the gradients of the head and the final norm, and fills `dx` [T, H], the gradient of
// saved.output. A critic's entropies are 0.
LossResults head_backward(Model& model, const Activations& saved, const MicroBatch& batch, const Objective& objective,
                          float temperature, const LossInputs& inputs, int64_t chunk_rows, DecoderTensors& gradients,
                          const at::Tensor& dx, const AbortFlag& abort);

// Bytes of the head's buffers per row of a chunk.
int64_t head_row_bytes(const Model& model);

}  // namespace zero_rl
