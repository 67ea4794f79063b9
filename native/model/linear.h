// Matrix products of the decoder, all into given outputs. W is [N, K] as in torch.nn.Linear.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/kernels.h"

namespace zero_rl {

inline const void* data_or_null(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr() : nullptr; }

// out [M, N] = x [M, K] Wᵀ (+ bias) (+ out), W packed.
inline void linear(const kernels::Table& kernels, const at::Tensor& x, const void* panels, const at::Tensor& bias,
                   const at::Tensor& out, bool accumulate = false) {
  kernels.packed_gemm({.a = x.data_ptr(),
                       .a_stride = x.size(1),
                       .panels = panels,
                       .bias = data_or_null(bias),
                       .c = out.data_ptr(),
                       .c_stride = out.stride(0),
                       .m = x.size(0),
                       .n = out.size(1),
                       .k = x.size(1),
                       .accumulate = accumulate,
                       .float_out = out.scalar_type() == at::kFloat && x.scalar_type() != at::kFloat,
                       .activated = nullptr,
                       .activated_stride = 0,
                       .paired = false});
}

// The same with W [N, K] as it lies.
inline void linear_unpacked(const kernels::Table& kernels, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& out) {
  kernels.gemm({.a = x.data_ptr(),
                .a_stride = x.size(1),
                .a_depth_stride = 1,
                .b = weight.data_ptr(),
                .b_stride = weight.size(1),
                .b_depth_stride = 1,
                .bias = data_or_null(bias),
                .c = out.data_ptr(),
                .c_stride = out.size(1),
                .m = x.size(0),
                .n = weight.size(0),
                .k = x.size(1),
                .accumulate = false,
                .float_out = false});
}

// residual [M, N] += x Wᵀ (+ bias)
inline void linear_add(const kernels::Table& kernels, const at::Tensor& x, const void* panels, const at::Tensor& bias,
                       const at::Tensor& residual) {
  linear(kernels, x, panels, bias, residual, /*accumulate=*/true);
}

// act [M, I] = silu(gate) · up, where gate | up [M, 2I] = x Wᵀ (+ bias) is written too when it is defined.
inline void linear_swiglu(const kernels::Table& kernels, const at::Tensor& x, const void* paired_panels,
                          const at::Tensor& bias, const at::Tensor& gate_up, const at::Tensor& act) {
  kernels.packed_gemm({.a = x.data_ptr(),
                       .a_stride = x.size(1),
                       .panels = paired_panels,
                       .bias = data_or_null(bias),
                       .c = gate_up.defined() ? gate_up.data_ptr() : nullptr,
                       .c_stride = 2 * act.size(1),
                       .m = x.size(0),
                       .n = 2 * act.size(1),
                       .k = x.size(1),
                       .accumulate = false,
                       .float_out = false,
                       .activated = act.data_ptr(),
                       .activated_stride = act.size(1),
                       .paired = true});
}

// dx [M, K] = dy [M, N] W
inline void linear_backward_input(const kernels::Table& kernels, const at::Tensor& dy, const at::Tensor& weight,
                                  const at::Tensor& dx) {
  kernels.gemm({.a = dy.data_ptr(),
                .a_stride = dy.stride(0),
                .a_depth_stride = 1,
                .b = weight.data_ptr(),
                .b_stride = 1,
                .b_depth_stride = weight.size(1),
                .bias = nullptr,
                .c = dx.data_ptr(),
                .c_stride = dx.size(1),
                .m = dy.size(0),
                .n = weight.size(1),
                .k = dy.size(1),
                .accumulate = false,
                .float_out = false});
}

// dW [N, K] += dyᵀ x, in float32 or the dtype of x; db [N] += Σ dy in float32.
inline void linear_backward_weight(const kernels::Table& kernels, const at::Tensor& dy, const at::Tensor& x,
                                   const at::Tensor& dweight, const at::Tensor& dbias) {
  kernels.gemm({.a = dy.data_ptr(),
                .a_stride = 1,
                .a_depth_stride = dy.stride(0),
                .b = x.data_ptr(),
                .b_stride = 1,
                .b_depth_stride = x.size(1),
                .bias = nullptr,
                .c = dweight.data_ptr(),
                .c_stride = dweight.size(1),
                .m = dy.size(1),
                .n = x.size(1),
                .k = dy.size(0),
                .accumulate = true,
                .float_out = dweight.scalar_type() != x.scalar_type()});
  if (!dbias.defined()) return;
  kernels.column_sums({.x = dy.data_ptr(),
                       .stride = dy.stride(0),
                       .sums = dbias.data_ptr<float>(),
                       .rows = dy.size(0),
                       .width = dy.size(1)});
}

}  // namespace zero_rl
