// Draws one token per row. Randomness is Philox keyed by (seed; uid, sample, position), so a completion
// does not depend on its batch or slot.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"

namespace zero_rl {

struct SamplerOptions {
  float temperature = 1;  // 0: the most likely token
  float top_p = 1;
  int64_t top_k = 0;  // 0: off
  float min_p = 0;
  uint64_t seed = 0;
  bool record_kept = false;  // the tokens that a truncation keeps, with every draw

  // Whether draws are from a part of the vocabulary.
  bool truncated(int64_t vocab) const {
    return temperature != 0 && (top_p < 1 || (top_k > 0 && top_k < vocab) || min_p > 0);
  }
  bool records_kept(int64_t vocab) const { return record_kept && truncated(vocab); }
};

struct SampleKey {
  uint64_t uid;
  uint32_t sample;
  uint32_t position;  // 0 for the first new token
};

struct SampledToken {
  int32_t token;
  float log_prob;  // under the temperature-scaled, untruncated distribution; not finite where the logits are not
  float log_mass = 0;         // log of the probability of all tokens that a truncation keeps
  std::vector<uint8_t> kept;  // these tokens, see model/kept_sets.h, where they are recorded
};

class Sampler {
 public:
  Sampler(const SamplerOptions& options, int64_t vocab);

  // logits [rows, V]; out [rows].
  void sample(const kernels::Table& kernels, const float* logits, const SampleKey* keys, int64_t rows,
              SampledToken* out);

 private:
  int32_t draw(const float* exponentials, double sum, double uniform) const;

  SamplerOptions options_;
  int64_t vocab_;
  bool truncated_;
  std::vector<float> exponentials_;
  std::vector<float> maxima_;
  std::vector<float> sums_;
};

}  // namespace zero_rl
