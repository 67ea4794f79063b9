// Parameters in the memory of a device, reached from the host through a piece of pinned memory.
#pragma once

#include "device/runtime.h"
#include "model/parameter_store.h"

namespace zero_rl {

class DeviceParameters : public ParameterStore {
 public:
  DeviceParameters(const ModelConfig& config, at::ScalarType dtype, bool masters, Runtime& runtime);

  void read_masters(int64_t start, int64_t count, float* out) const override;
  void write_masters(int64_t start, int64_t count, const float* values) const override;
  void follow(const ParameterStore& other, float rate) const override;

 private:
  std::optional<at::Tensor> remainders_of(int64_t start, int64_t count) const;

  at::Tensor host_;   // [chunk] float32
  at::Tensor stage_;  // [chunk] float32 on the device
};

}  // namespace zero_rl
