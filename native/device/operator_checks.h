// What operators require of their arguments. Checks throw c10::Error with the operand's name.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>

#include "kernels/pack.cuh"

namespace zero_rl::operators {

// A contiguous operand of this dtype and these sizes on the device of `like`.
void check(const at::Tensor& operand, const char* name, at::ScalarType dtype, at::IntArrayRef sizes,
           const at::Tensor& like);
// The same, with any stride between its rows.
void check_rows(const at::Tensor& operand, const char* name, at::ScalarType dtype, int64_t rows, int64_t width,
                const at::Tensor& like);
// float32 or bfloat16.
void check_compute_dtype(const at::Tensor& operand, const char* name);
// [rows, width] with contiguous rows of float32 or bfloat16.
void check_matrix(const at::Tensor& operand, const char* name);

template <class T>
T* data(const at::Tensor& operand) {
  return static_cast<T*>(operand.data_ptr());
}

// Null where the operand is missing.
template <class T>
T* data(const std::optional<at::Tensor>& operand) {
  return operand.has_value() ? static_cast<T*>(operand->data_ptr()) : nullptr;
}

template <class T>
struct Type {
  using type = T;
};

// body(Type<T>) of the operand's compute dtype.
template <class Body>
void with_dtype(const at::Tensor& operand, const Body& body) {
  if (operand.scalar_type() == at::kFloat) {
    body(Type<float>());
  } else {
    body(Type<c10::BFloat16>());
  }
}

// Whether packs of `pack` elements can be read from all operands at multiples of `pack`, rows included.
bool can_pack(int64_t pack, int64_t width, std::initializer_list<const at::Tensor*> operands);

// body(integral_constant<int, V>): kPack<T> where it divides the width and all operands are aligned to it, else 1.
template <class T, class Body>
void with_pack(int64_t width, std::initializer_list<const at::Tensor*> operands, const Body& body) {
  if (can_pack(device::kPack<T>, width, operands)) {
    body(std::integral_constant<int, device::kPack<T>>());
  } else {
    body(std::integral_constant<int, 1>());
  }
}

// Threads that share a row of `width` in packs of `pack`: whole warps, at most `most`.
int threads_for(int64_t width, int pack, int most);

}  // namespace zero_rl::operators
