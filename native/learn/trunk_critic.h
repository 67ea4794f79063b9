// A critic without a network of its own: one linear value V = h·w on the policy's normed hidden states h, which it reads and
// does not change. Of the engine it needs forward passes only, so it works on every device.
#pragma once

#include "engine/engine.h"

namespace zero_rl {

// [H] float32 each, in memory of the host.
struct TrunkHead {
  at::Tensor weights;
  at::Tensor exp_avg;
  at::Tensor exp_avg_sq;
  int64_t steps = 0;
};

// One value per response token.
std::vector<float> trunk_values(Engine& engine, const Sequences& sequences, const at::Tensor& weights,
                                const AbortFlag& abort);

// As Engine::step for an objective of values; the gradient ends at the head. An abort leaves the head as it was.
StepStats trunk_step(Engine& engine, const StepRequest& request, TrunkHead& head, const AbortFlag& abort);

}  // namespace zero_rl
