// The decoder over packed sequences: forward, and a backward pass written out by hand. Norms and SwiGLU
// are recomputed in the backward pass, and gates and ups where memory is short; everything else a product or the attention
// needs is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "model/model.h"
#include "runtime/abort_flag.h"

namespace zero_rl {

// Sequences one after the other, each starting at position 0. A beginning that several share is stored once.
struct PackedTokens {
  std::vector<int32_t> tokens;     // [T]
  std::vector<int32_t> positions;  // [T]
  std::vector<kernels::Segment> segments;

  int64_t count() const { return static_cast<int64_t>(tokens.size()); }
  // A sequence, or the beginning of several.
  kernels::Segment append(const int32_t* data, int64_t length);
  // What follows that beginning in one of them. Nothing else may be appended between the two.
  kernels::Segment append_after(const kernels::Segment& beginning, const int32_t* data, int64_t length);
};

// What the backward pass reads again. Tensors live in the model's workspace.
struct LayerActivations {
  at::Tensor input;       // [T, H] residual stream before the layer
  at::Tensor input_rstd;  // [T]
  at::Tensor qkv;         // [T, (Hq + 2Hk)·D] after the rotation
  at::Tensor raw_qk;      // [T, (Hq + Hk)·D] before the q and k norms
  at::Tensor q_rstd;      // [T, Hq]
  at::Tensor k_rstd;      // [T, Hk]
  at::Tensor attention;   // [T, Hq·D]
  at::Tensor lse;         // [T, Hq]
  at::Tensor middle;      // [T, H] residual stream after attention
  at::Tensor middle_rstd;  // [T]
  at::Tensor gate_up;     // [T, 2I], undefined where it is to be computed again
};

struct Activations {
  std::vector<LayerActivations> layers;
  at::Tensor output;  // [T, H] residual stream after the last layer, before the final norm
};

// Called after the rotation with a layer's qkv: prefill stores keys and values. Runs on the engine's thread.
using QkvSink = std::function<void(int64_t layer, const at::Tensor& qkv)>;

// What a forward pass leaves for the backward pass.
struct Keep {
  bool layers = false;
  int64_t gate_ups = 0;  // first layers that keep gate_up too
};

// Fills `saved.output`, and `saved.layers` where they are kept. All tensors come from the workspace: the
// caller holds a frame.
void decoder_forward(Model& model, const PackedTokens& packed, const Keep& keep, Activations& saved,
                     const QkvSink& sink, const AbortFlag& abort);

// Accumulates gradients of all but the final norm and the head. `dx` [T, H] is the gradient of
// `saved.output` and is overwritten.
void decoder_backward(Model& model, const PackedTokens& packed, const Activations& saved, at::Tensor& dx,
                      DecoderTensors& gradients, const AbortFlag& abort);

// Bytes per token that decoder_forward keeps, and decoder_backward needs beside them, where no layer keeps its gate_up.
int64_t activation_bytes_per_token(const ModelConfig& config, at::ScalarType dtype);
// Those of one gate_up.
int64_t gate_up_bytes_per_token(const ModelConfig& config, at::ScalarType dtype);

}  // namespace zero_rl
