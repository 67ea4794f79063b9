// Cosines and sines of rotary position embeddings (Su et al., RoFormer, arXiv 2104.09864), with the
// linear and Llama 3 rules of context extension. Grown on demand up to the position asked for.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "model/description.h"

namespace zero_rl {

class RopeTable {
 public:
  // `most`: positions that will ever be asked for.
  RopeTable(const RopeConfig& config, int64_t head_dim, int64_t most, at::Device device);

  // Makes positions [0, count) available; the tensors change when it grows.
  void reserve(int64_t count);
  const at::Tensor& cosines() const { return cosines_; }  // [positions, D / 2] float32
  const at::Tensor& sines() const { return sines_; }

 private:
  std::vector<float> inverse_frequencies_;  // [D / 2]
  int64_t most_;
  at::Device device_;
  at::Tensor cosines_;
  at::Tensor sines_;
};

}  // namespace zero_rl
