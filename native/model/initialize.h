// Random weights for pre-training: normal(0, std), projections into the residual stream scaled by
// 1/sqrt(2·layers) as in GPT-2, zero biases, unit norms. Counter-based, so independent of threads.
#pragma once

#include <cstdint>

#include "model/parameter_store.h"

namespace zero_rl {

void initialize(const ParameterStore& store, const Description& description, uint64_t seed, double std);

}  // namespace zero_rl
