// One value per parameter in one piece of memory, on huge pages where the system has them.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "runtime/huge_pages.h"

namespace zero_rl {

// [size], uninitialised: costs no memory until it is filled.
inline at::Tensor flat_buffer(int64_t size, at::ScalarType dtype) {
  at::Tensor buffer = at::empty({size}, at::TensorOptions().dtype(dtype));
  prefer_huge_pages(buffer.data_ptr(), buffer.nbytes());
  return buffer;
}

}  // namespace zero_rl
