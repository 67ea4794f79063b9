// The policy's normed hidden states before each response token: what the head of the vocabulary and that of a critic read.
#pragma once

#include <functional>

#include "learn/sequences.h"
#include "model/decoder.h"

namespace zero_rl {

// Gets the rows [R, H] of one micro-batch, of the compute dtype and on the engine's device; they may be gone afterwards.
using HiddenSink = std::function<void(const MicroBatch& batch, const at::Tensor& rows)>;

// Inside of a frame, with what the backward pass of the norm reads.
struct HiddenRows {
  at::Tensor rows;    // [R] int64, where they lie
  at::Tensor input;   // [R, H]
  at::Tensor normed;  // [R, H]
  at::Tensor rstd;    // [R]
};

HiddenRows hidden_rows(const Model& model, const Activations& saved, const at::Tensor& rows);

// Accumulates the gradient of the final norm, and puts that of the rows into dx [T, H].
void hidden_rows_backward(const Model& model, const HiddenRows& rows, const at::Tensor& dnormed,
                          DecoderTensors& gradients, const at::Tensor& dx);

}  // namespace zero_rl
