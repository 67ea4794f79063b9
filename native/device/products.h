// Matrix products of the decoder on a device, all into given outputs. W is [N, K] as in torch.nn.Linear.
#pragma once

#include <ATen/core/Tensor.h>

namespace zero_rl::products {

// out [M, N] = x [M, K] Wᵀ (+ bias)
void linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& out);

// residual [M, N] += x Wᵀ (+ bias)
void linear_add(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& residual);

// out [M, N] float32 = x Wᵀ
void linear_float(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& out);

// dx [M, K] = dy [M, N] W
void backward_input(const at::Tensor& dy, const at::Tensor& weight, const at::Tensor& dx);

// dW [N, K] += dyᵀ x, in float32 or the dtype of x; db [N] float32 += Σ dy where it is defined.
void backward_weight(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight, const at::Tensor& dbias);

}  // namespace zero_rl::products
