#include "operators/operators.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "device/operators.h"
#include "operators/device/optional.h"
#include "runtime/huge_pages.h"

namespace zero_rl {

at::Tensor Operators::empty(at::IntArrayRef sizes, at::ScalarType dtype) const {
  return at::empty(sizes, at::TensorOptions().dtype(dtype).device(device()));
}

at::Tensor Operators::flat_buffer(int64_t size, at::ScalarType dtype) const {
  const at::Tensor buffer = empty({size}, dtype);
  if (device().is_cpu()) prefer_huge_pages(buffer.data_ptr(), buffer.nbytes());
  return buffer;
}

at::Tensor Operators::upload(const void* values, int64_t count, at::ScalarType dtype) const {
  const at::Tensor result = empty({count}, dtype);
  if (count > 0) result.copy_(at::from_blob(const_cast<void*>(values), {count}, at::TensorOptions().dtype(dtype)));
  return result;
}

void Operators::follow(const at::Tensor& weights, const at::Tensor& remainders, const at::Tensor& other_weights,
                       const at::Tensor& other_remainders, double rate) const {
  operators::follow(weights, optional(remainders), other_weights, optional(other_remainders), rate);
}

void Operators::join_masters(const at::Tensor& weights, const at::Tensor& remainders, const at::Tensor& masters) const {
  operators::join_masters(weights, optional(remainders), masters);
}

void Operators::split_masters(const at::Tensor& masters, const at::Tensor& weights, const at::Tensor& remainders) const {
  operators::split_masters(masters, weights, optional(remainders));
}

}  // namespace zero_rl
