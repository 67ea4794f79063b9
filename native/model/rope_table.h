// Cosines and sines of rotary position embeddings (Su et al., RoFormer, arXiv 2104.09864), with the
// linear and Llama 3 rules of context extension. Grown on demand up to the position asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model_config.h"

namespace zero_rl {

class RopeTable {
 public:
  RopeTable(const RopeConfig& config, int64_t head_dim);

  // Makes positions [0, count) available.
  void reserve(int64_t count);
  // [positions, D / 2]
  const float* cosines() const { return cosines_.data(); }
  const float* sines() const { return sines_.data(); }

 private:
  std::vector<float> inverse_frequencies_;  // [D / 2]
  std::vector<float> cosines_;
  std::vector<float> sines_;
  int64_t positions_ = 0;
};

}  // namespace zero_rl
