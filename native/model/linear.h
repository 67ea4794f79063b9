// Matrix products of the decoder, all into given outputs. W is [N, K] as in torch.nn.Linear.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/kernels.h"

namespace zero_rl {

// out [M, N] = x [M, K] Wᵀ (+ bias)
inline void linear(const kernels::Table& kernels, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                   const at::Tensor& out, bool accumulate = false) {
  const bool float_out = out.scalar_type() == at::kFloat;
  kernels.gemm({.a = x.data_ptr(),
                .a_stride = x.size(1),
                .a_depth_stride = 1,
                .b = weight.data_ptr(),
                .b_stride = weight.size(1),
                .b_depth_stride = 1,
                .bias = bias.defined() ? bias.data_ptr() : nullptr,
                .c = out.data_ptr(),
                .c_stride = out.size(1),
                .m = x.size(0),
                .n = weight.size(0),
                .k = x.size(1),
                .accumulate = accumulate,
                .float_out = float_out && x.scalar_type() != at::kFloat});
}

// residual [M, N] += x Wᵀ (+ bias)
inline void linear_add(const kernels::Table& kernels, const at::Tensor& x, const at::Tensor& weight,
                       const at::Tensor& bias, const at::Tensor& residual) {
  linear(kernels, x, weight, bias, residual, /*accumulate=*/true);
}

// dx [M, K] = dy [M, N] W
inline void linear_backward_input(const kernels::Table& kernels, const at::Tensor& dy, const at::Tensor& weight,
                                  const at::Tensor& dx) {
  kernels.gemm({.a = dy.data_ptr(),
                .a_stride = dy.size(1),
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

// dW [N, K] += dyᵀ x, db [N] += Σ dy, both in float32.
inline void linear_backward_weight(const kernels::Table& kernels, const at::Tensor& dy, const at::Tensor& x,
                                   const at::Tensor& dweight, const at::Tensor& dbias) {
  kernels.gemm({.a = dy.data_ptr(),
                .a_stride = 1,
                .a_depth_stride = dy.size(1),
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
                .float_out = true});
  if (dbias.defined()) dbias.add_(dy.sum(at::IntArrayRef{0}, /*keepdim=*/false, at::kFloat));
}

}  // namespace zero_rl
