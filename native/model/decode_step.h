// One new token for each of B sequences: embeds, runs the layers against the caches, returns logits.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model.h"

namespace zero_rl {

// tokens, positions [B]; sequences [B]. Returns float32 logits [B, V] in the workspace: the caller holds a
// frame. Positions must have been reserved in the rope table.
at::Tensor decode_step(Model& model, const int32_t* tokens, const int32_t* positions,
                       const std::vector<kernels::KvSequence>& sequences);

// Final norm and head over `x` [R, H]: float32 logits [R, V] in the workspace.
at::Tensor head_logits(Model& model, const at::Tensor& x);

}  // namespace zero_rl
