// A decoder on a device.
#pragma once

#include "device/device_parameters.h"
#include "device/device_rope.h"
#include "device/runtime.h"
#include "model/model_config.h"

namespace zero_rl {

struct DeviceModel {
  DeviceModel(const ModelConfig& model_config, at::ScalarType dtype, bool masters, Runtime& device_runtime)
      : config(model_config),
        runtime(device_runtime),
        parameters(config, dtype, masters, runtime),
        rope(config, runtime.device()) {}

  // An uninitialised tensor on the device.
  at::Tensor empty(at::IntArrayRef sizes, at::ScalarType dtype) const;
  at::Tensor empty(at::IntArrayRef sizes) const { return empty(sizes, parameters.dtype()); }
  // A copy on the device.
  template <class T>
  at::Tensor upload(const std::vector<T>& values) const {
    return upload(values.data(), static_cast<int64_t>(values.size()), c10::CppTypeToScalarType<T>::value);
  }
  at::Tensor upload(const void* values, int64_t count, at::ScalarType dtype) const;

  ModelConfig config;
  Runtime& runtime;
  DeviceParameters parameters;
  DeviceRope rope;
};

inline std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

}  // namespace zero_rl
