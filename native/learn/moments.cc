#include "learn/moments.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "operators/operators.h"

namespace zero_rl {

namespace {

constexpr int64_t kPiece = int64_t{1} << 26;  // elements: 512 MiB of both moments in float32

}  // namespace

MomentStorage moment_storage(const std::string& name) {
  if (name == "bfloat16") return MomentStorage::kBfloat16;
  return name == "host" ? MomentStorage::kHost : MomentStorage::kDevice;
}

Moments::Moments(const ParameterStore& parameters, MomentStorage storage, const Operators& operators)
    : device_(parameters.device()), state_(parameters.state_dtype()) {
  const at::ScalarType dtype = storage == MomentStorage::kBfloat16 ? at::kBFloat16 : state_;
  const auto buffer = [&] {
    const int64_t size = parameters.size();
    const at::Tensor memory =
        storage == MomentStorage::kHost ? operators.host_buffer({size}, dtype) : operators.flat_buffer(size, dtype);
    return memory.zero_();
  };
  exp_avg_ = buffer();
  exp_avg_sq_ = buffer();
}

void Moments::update(
    const std::function<void(int64_t first, const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq)>& body) {
  const int64_t size = exp_avg_.numel();
  if (exp_avg_.device() == device_ && exp_avg_.scalar_type() == state_) {
    body(0, exp_avg_, exp_avg_sq_);
    return;
  }
  const at::TensorOptions options = at::TensorOptions().dtype(state_).device(device_);
  const at::Tensor first_piece = at::empty({std::min(kPiece, size)}, options);
  const at::Tensor second_piece = at::empty_like(first_piece);
  for (int64_t first = 0; first < size; first += kPiece) {
    const int64_t count = std::min(kPiece, size - first);
    const at::Tensor stored[] = {exp_avg_.narrow(0, first, count), exp_avg_sq_.narrow(0, first, count)};
    const at::Tensor moved[] = {first_piece.narrow(0, 0, count), second_piece.narrow(0, 0, count)};
    for (int i = 0; i < 2; ++i) moved[i].copy_(stored[i], /*non_blocking=*/true);
    body(first, moved[0], moved[1]);
    for (int i = 0; i < 2; ++i) stored[i].copy_(moved[i]);
  }
}

}  // namespace zero_rl
