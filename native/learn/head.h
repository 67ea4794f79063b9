// The one-pass head: for a chunk of response positions, logits → log-probs → objective → dlogits → dH, dW.
// Logits of the whole batch never exist.
#pragma once

#include <cstdint>
#include <functional>

#include "learn/sequences.h"
#include "model/model.h"

namespace zero_rl {

// Log-probs and entropies of rows [start, start + count) in; d loss / d log-prob and d loss / d entropy out, the latter
// read only where the head is told so. All pointers are [count].
using HeadLoss = std::function<void(int64_t start, int64_t count, const float* log_probs, const float* entropies,
                                    float* coefficients, float* entropy_coefficients)>;

// log_probs [R] of the targets at the temperature, over the tokens that their draws were made from.
void head_log_probs(Model& model, const Activations& saved, const MicroBatch& batch, float temperature,
                    float* log_probs, const AbortFlag& abort);

// As above through `loss`; accumulates the gradients of the head and the final norm, and fills `dx` [T, H],
// the gradient of saved.output. `with_entropy`: the loss depends on the entropies too.
void head_backward(Model& model, const Activations& saved, const MicroBatch& batch, float temperature,
                   const HeadLoss& loss, bool with_entropy, DecoderTensors& gradients, at::Tensor& dx,
                   const AbortFlag& abort);

// Bytes of the largest chunk.
int64_t head_chunk_bytes(const ModelConfig& config, at::ScalarType dtype);

}  // namespace zero_rl
