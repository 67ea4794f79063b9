#include "device/products.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include "device/operators.h"

namespace zero_rl::products {

void linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& out) {
  at::Tensor result = out;
  if (bias.defined()) {
    at::addmm_out(result, bias, x, weight.t());
  } else {
    at::mm_out(result, x, weight.t());
  }
}

void linear_add(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& residual) {
  if (bias.defined()) residual.add_(bias);
  residual.addmm_(x, weight.t());
}

void linear_float(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& out) {
  at::Tensor result = out;
  if (x.scalar_type() == at::kFloat) {
    at::mm_out(result, x, weight.t());
  } else if (x.is_cuda()) {
    at::mm_out(result, x, weight.t(), at::kFloat);
  } else {
    at::mm_out(result, x.to(at::kFloat), weight.t().to(at::kFloat));
  }
}

void backward_input(const at::Tensor& dy, const at::Tensor& weight, const at::Tensor& dx) {
  at::Tensor result = dx;
  at::mm_out(result, dy, weight);
}

void backward_weight(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight, const at::Tensor& dbias) {
  at::Tensor sum = dweight;
  if (dweight.scalar_type() == x.scalar_type()) {
    sum.addmm_(dy.t(), x);
  } else if (x.is_cuda()) {
    at::addmm_out(sum, sum, dy.t(), x, at::kFloat);
  } else {
    sum.addmm_(dy.t().to(at::kFloat), x.to(at::kFloat));
  }
  if (dbias.defined()) operators::column_sums(dy, dbias);
}

}  // namespace zero_rl::products
