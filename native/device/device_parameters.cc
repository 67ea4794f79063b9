#include "device/device_parameters.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "device/operators.h"

namespace zero_rl {

namespace {

constexpr int64_t kChunk = int64_t{1} << 22;  // elements

}  // namespace

DeviceParameters::DeviceParameters(const ModelConfig& config, at::ScalarType dtype, bool masters, Runtime& runtime)
    : ParameterStore(config, dtype, masters, runtime.device()),
      host_(runtime.host_buffer({std::min(kChunk, size())}, at::kFloat)),
      stage_(at::empty(host_.sizes(), weights().options().dtype(at::kFloat))) {}

std::optional<at::Tensor> DeviceParameters::remainders_of(int64_t start, int64_t count) const {
  if (!remainders().defined()) return std::nullopt;
  return remainders().narrow(0, start, count);
}

void DeviceParameters::read_masters(int64_t start, int64_t count, float* out) const {
  for (int64_t done = 0; done < count; done += kChunk) {
    const int64_t piece = std::min(kChunk, count - done);
    const at::Tensor stage = stage_.narrow(0, 0, piece);
    operators::join_masters(weights().narrow(0, start + done, piece), remainders_of(start + done, piece), stage);
    const at::Tensor host = host_.narrow(0, 0, piece);
    host.copy_(stage);
    std::memcpy(out + done, host.data_ptr(), static_cast<size_t>(host.nbytes()));
  }
}

void DeviceParameters::write_masters(int64_t start, int64_t count, const float* values) const {
  changed();
  for (int64_t done = 0; done < count; done += kChunk) {
    const int64_t piece = std::min(kChunk, count - done);
    const at::Tensor host = host_.narrow(0, 0, piece);
    std::memcpy(host.data_ptr(), values + done, static_cast<size_t>(host.nbytes()));
    const at::Tensor stage = stage_.narrow(0, 0, piece);
    stage.copy_(host);
    operators::split_masters(stage, weights().narrow(0, start + done, piece), remainders_of(start + done, piece));
  }
}

void DeviceParameters::follow(const ParameterStore& other, float rate) const {
  const bool alike = other.device() == device() && other.dtype() == dtype();
  if (!alike) {
    ParameterStore::follow(other, rate);
    return;
  }
  changed();
  const auto theirs = other.remainders().defined() ? std::optional(other.remainders()) : std::nullopt;
  operators::follow(weights(), remainders_of(0, size()), other.weights(), theirs, rate);
}

}  // namespace zero_rl
