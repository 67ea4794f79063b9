// Tensors of the host over the memory of the fake device.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace zero_rl::fake {

// Valid while the other's memory is.
inline at::Tensor on_host(const at::Tensor& tensor) {
  const c10::Storage& all = tensor.storage();
  c10::Storage storage(c10::Storage::use_byte_size_t(), all.nbytes(),
                       c10::DataPtr(all.mutable_data(), c10::Device(c10::kCPU)), nullptr, false);
  at::Tensor result = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(c10::DispatchKey::CPU), tensor.dtype());
  result.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(), tensor.storage_offset());
  return result;
}

}  // namespace zero_rl::fake
