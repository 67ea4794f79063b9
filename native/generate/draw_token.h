// Draws a token from a row of logits on the CPU. Randomness is Philox keyed by (seed; uid, sample, position), so that a
// completion depends neither on its batch nor on its place in it.
#pragma once

#include <cstdint>
#include <vector>

#include "generate/truncated_draw.h"
#include "kernels/kernels.h"

namespace zero_rl {

struct DrawKey {
  uint64_t seed;
  uint64_t uid;
  uint32_t sample;
  uint32_t position;  // 0 for the first new token
};

struct DrawnToken {
  int32_t token;
  float log_prob;  // of the temperature-scaled, untruncated distribution, like the entropy; not finite where the logits are not
  float log_mass;  // log of the probability of all tokens that a truncation keeps
  float entropy;   // nats
};

// logits and exponentials, which are overwritten: [V]. Temperature 0: the most likely token. `kept` gets the ids that a truncation
// keeps, rising; may be null.
DrawnToken draw_token(const kernels::Table& kernels, const float* logits, float* exponentials, int64_t vocab,
                      float temperature, const Truncation& truncation, const DrawKey& key, std::vector<int32_t>* kept);

}  // namespace zero_rl
