// The decoder over packed sequences: forward, and a backward pass written out by hand. Norms and SwiGLU are recomputed in the
// backward pass, and gates and ups where memory is short; everything else that a product or the attention needs is kept.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model.h"
#include "model/packed_tokens.h"
#include "runtime/abort_flag.h"

namespace zero_rl {

// What the backward pass reads again.
struct LayerActivations {
  at::Tensor input;        // [T, H] residual stream before the layer
  at::Tensor input_rstd;   // [T], like the rest undefined where the layer has no such norm
  at::Tensor qkv;          // [T, (Hq + 2Hk)·D] after the rotation
  at::Tensor raw_qk;       // [T, (Hq + Hk)·D] before the q and k norms
  at::Tensor q_rstd;       // [T, Hq], or [T] of the whole projection
  at::Tensor k_rstd;       // [T, Hk], or [T]
  at::Tensor attention;    // [T, Hq·D]
  at::Tensor lse;
  at::Tensor attention_delta;  // [T, H] output of attention before its norm
  at::Tensor attention_delta_rstd;
  at::Tensor middle;       // [T, H] residual stream after attention
  at::Tensor middle_rstd;  // [T]
  at::Tensor gate_up;      // [T, 2I], undefined where it is to be computed again
  at::Tensor mlp_delta;    // [T, H] output of the MLP before its norm
  at::Tensor mlp_delta_rstd;
};

struct Activations {
  std::vector<LayerActivations> layers;
  at::Tensor output;  // [T, H] residual stream after the last layer, before the final norm
};

// What a forward pass leaves for the backward pass.
struct Keep {
  bool layers = false;
  int64_t gate_ups = 0;  // first layers that keep gate_up too
};

// Fills `saved.output`, and `saved.layers` where they are kept. The caller holds a frame.
void decoder_forward(Model& model, const PackedBatch& batch, const Keep& keep, Activations& saved,
                     const AbortFlag& abort);

// Accumulates gradients of all but the final norm and the head. `dx` [T, H] is the gradient of `saved.output` and is
// overwritten. Gives up the layers of `saved` as it goes.
void decoder_backward(Model& model, const PackedBatch& batch, Activations& saved, const at::Tensor& dx,
                      DecoderTensors& gradients, const AbortFlag& abort);

// Bytes per token of a forward pass that keeps nothing.
int64_t pass_bytes_per_token(const Model& model);
// Of what decoder_forward keeps, and decoder_backward needs beside it, where no layer keeps its gate_up.
int64_t activation_bytes_per_token(const Model& model);
// Of one gate_up.
int64_t gate_up_bytes_per_token(const Model& model);

}  // namespace zero_rl
