// RopeTable's values on a device.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/rope_table.h"

namespace zero_rl {

class DeviceRope {
 public:
  DeviceRope(const ModelConfig& config, at::Device device);

  // Makes positions [0, count) available; the tensors change when it grows.
  void reserve(int64_t count);
  const at::Tensor& cosines() const { return cosines_; }  // [positions, D / 2] float32
  const at::Tensor& sines() const { return sines_; }

 private:
  RopeTable table_;
  int64_t half_;
  int64_t most_;
  at::Device device_;
  at::Tensor cosines_;
  at::Tensor sines_;
};

}  // namespace zero_rl
