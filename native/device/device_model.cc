#include "device/device_model.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>

namespace zero_rl {

namespace {

constexpr int64_t kLeastPositions = 8192;  // growing changes what graphs have recorded

}  // namespace

at::Tensor DeviceModel::empty(at::IntArrayRef sizes, at::ScalarType dtype) const {
  return at::empty(sizes, at::TensorOptions().dtype(dtype).device(runtime.device()));
}

at::Tensor DeviceModel::upload(const void* values, int64_t count, at::ScalarType dtype) const {
  const at::Tensor result = empty({count}, dtype);
  result.copy_(at::from_blob(const_cast<void*>(values), {count}, at::TensorOptions().dtype(dtype)));
  return result;
}

DeviceRope::DeviceRope(const ModelConfig& config, at::Device device)
    : table_(config.rope, config.head_dim), half_(config.head_dim / 2), most_(config.max_positions), device_(device) {}

void DeviceRope::reserve(int64_t count) {
  if (cosines_.defined() && count <= cosines_.size(0)) return;
  const int64_t grown = cosines_.defined() ? 2 * cosines_.size(0) : kLeastPositions;
  const int64_t positions = std::max(count, std::min(grown, most_));
  table_.reserve(positions);
  const auto upload = [&](const float* values) {
    return at::from_blob(const_cast<float*>(values), {positions, half_}, at::kFloat).to(device_, at::kFloat, false, true);
  };
  cosines_ = upload(table_.cosines());
  sines_ = upload(table_.sines());
}

}  // namespace zero_rl
