// Matrix products of the decoder, all into given outputs. W is [N, K] as in torch.nn.Linear.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

namespace zero_rl {

// out = x Wᵀ (+ bias)
inline void linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, at::Tensor& out) {
  if (bias.defined()) {
    at::addmm_out(out, bias, x, weight.t());
  } else {
    at::mm_out(out, x, weight.t());
  }
}

// residual += x Wᵀ (+ bias)
inline void linear_add(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, at::Tensor& residual) {
  residual.addmm_(x, weight.t());
  if (bias.defined()) residual.add_(bias);
}

// dx = dy W
inline void linear_backward_input(const at::Tensor& dy, const at::Tensor& weight, at::Tensor& dx) {
  at::mm_out(dx, dy, weight);
}

// dW += dyᵀ x, db += Σ dy, in float32.
inline void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, at::Tensor dweight, at::Tensor dbias) {
  if (dy.scalar_type() == at::kFloat) {
    dweight.addmm_(dy.t(), x);
  } else {
    dweight.add_(at::mm(dy.t(), x));
  }
  if (dbias.defined()) dbias.add_(dy.sum(at::IntArrayRef{0}, /*keepdim=*/false, at::kFloat));
}

}  // namespace zero_rl
