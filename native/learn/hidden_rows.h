// The policy's normed hidden states before each response token: what the head of the vocabulary and that of a critic read.
#pragma once

#include <functional>

#include "learn/sequences.h"
#include "model/model.h"

namespace zero_rl {

// Gets the rows [R, H] of one micro-batch, of the compute dtype and on the engine's device; they may be gone afterwards.
using HiddenSink = std::function<void(const MicroBatch& batch, const at::Tensor& rows)>;

// Of the workspace, with what the backward pass of the norm reads.
struct HiddenRows {
  at::Tensor input;   // [R, H]
  at::Tensor normed;  // [R, H]
  at::Tensor rstd;    // [R]
};

HiddenRows hidden_rows(Model& model, const Activations& saved, const MicroBatch& batch);

}  // namespace zero_rl
