#include "device/operator_checks.h"

#include <algorithm>

#include "kernels/group.cuh"

namespace zero_rl::operators {

namespace {

void check_place(const at::Tensor& operand, const char* name, at::ScalarType dtype, const at::Tensor& like) {
  TORCH_CHECK(operand.scalar_type() == dtype, "Expected ", dtype, " for ", name, " but received ",
              operand.scalar_type());
  TORCH_CHECK(operand.device() == like.device(), "Expected ", name, " on ", like.device(), " but received it on ",
              operand.device());
}

}  // namespace

void check(const at::Tensor& operand, const char* name, at::ScalarType dtype, at::IntArrayRef sizes,
           const at::Tensor& like) {
  check_place(operand, name, dtype, like);
  TORCH_CHECK(operand.sizes() == sizes, "Expected the sizes ", sizes, " for ", name, " but received ",
              operand.sizes());
  TORCH_CHECK(operand.is_contiguous(), "Expected a contiguous ", name, " but received the strides ",
              operand.strides());
}

void check_rows(const at::Tensor& operand, const char* name, at::ScalarType dtype, int64_t rows, int64_t width,
                const at::Tensor& like) {
  check_place(operand, name, dtype, like);
  TORCH_CHECK(operand.dim() == 2 && operand.size(0) == rows && operand.size(1) == width, "Expected the sizes [", rows,
              ", ", width, "] for ", name, " but received ", operand.sizes());
  TORCH_CHECK(operand.stride(1) == 1 || width == 1, "Expected contiguous rows for ", name,
              " but received the strides ", operand.strides());
}

void check_compute_dtype(const at::Tensor& operand, const char* name) {
  TORCH_CHECK(operand.scalar_type() == at::kFloat || operand.scalar_type() == at::kBFloat16,
              "Expected float32 or bfloat16 for ", name, " but received ", operand.scalar_type());
}

void check_matrix(const at::Tensor& operand, const char* name) {
  check_compute_dtype(operand, name);
  TORCH_CHECK(operand.dim() == 2, "Expected two dimensions for ", name, " but received ", operand.sizes());
  check_rows(operand, name, operand.scalar_type(), operand.size(0), operand.size(1), operand);
}

bool can_pack(int64_t pack, int64_t width, std::initializer_list<const at::Tensor*> operands) {
  if (width % pack != 0) return false;
  return std::all_of(operands.begin(), operands.end(), [pack](const at::Tensor* operand) {
    const auto bytes = static_cast<uintptr_t>(pack) * operand->element_size();
    if (reinterpret_cast<uintptr_t>(operand->data_ptr()) % bytes != 0) return false;
    return operand->dim() < 2 || operand->size(0) < 2 || operand->stride(0) % pack == 0;
  });
}

int threads_for(int64_t width, int pack, int most) {
  const int64_t needed = (width + pack - 1) / pack;
  const int64_t warps = (needed + device::kWarpLanes - 1) / device::kWarpLanes;
  return static_cast<int>(std::clamp<int64_t>(warps * device::kWarpLanes, device::kWarpLanes, most));
}

}  // namespace zero_rl::operators
