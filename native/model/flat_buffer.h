// One value per parameter in one piece of memory, on huge pages where the system has them.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "runtime/huge_pages.h"

namespace zero_rl {

// [size], uninitialised: in the memory of the CPU it costs nothing until it is filled.
inline at::Tensor flat_buffer(int64_t size, at::ScalarType dtype, at::Device device = at::kCPU) {
  at::Tensor buffer = at::empty({size}, at::TensorOptions().dtype(dtype).device(device));
  if (device.is_cpu()) prefer_huge_pages(buffer.data_ptr(), buffer.nbytes());
  return buffer;
}

}  // namespace zero_rl
