// The head of a critic: V = h·w for the normed hidden state h before each response token.
#pragma once

#include "learn/head.h"

namespace zero_rl {

// values [R].
void value_head_values(Model& model, const Activations& saved, const MicroBatch& batch, float* values);

// As head_backward: `loss` gets values in place of log-probs, and zero entropies.
void value_head_backward(Model& model, const Activations& saved, const MicroBatch& batch, const HeadLoss& loss,
                         DecoderTensors& gradients, at::Tensor& dx);

}  // namespace zero_rl
