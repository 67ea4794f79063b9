// Ratios of whole responses, which need the log-probs of all their tokens before the first gradient.
#pragma once

#include <vector>

#include "learn/sequences.h"

namespace zero_rl {

// One value per response token, the same for all of a response.
struct SequenceRatios {
  std::vector<float> log_ratios;  // Σ (logp − old) over the tokens that train, divided by T unless a product
  std::vector<float> shares;      // 1/T, T the tokens that train
};

// `weights` is 0 where a token does not train.
SequenceRatios sequence_ratios(const Sequences& sequences, const std::vector<float>& log_probs,
                               const std::vector<float>& old_log_probs, const std::vector<float>& weights,
                               bool product);

}  // namespace zero_rl
