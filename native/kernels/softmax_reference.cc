#include <ATen/ops/amax.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sum.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

at::Tensor column(const void* data, int64_t rows, at::ScalarType dtype = at::kFloat) {
  return dense(data, {rows, 1}, dtype);
}

void softmax(const Softmax& s) {
  const at::Tensor logits = dense(s.logits, {s.rows, s.vocab}, at::kFloat);
  at::Tensor exponentials = dense(s.exponentials, {s.rows, s.vocab}, at::kFloat);
  at::Tensor maxima = column(s.maxima, s.rows);
  at::Tensor sums = column(s.sums, s.rows);
  at::mul_out(exponentials, logits, at::scalar_tensor(s.inverse_temperature));
  at::amax_out(maxima, exponentials, {1}, /*keepdim=*/true);
  exponentials.sub_(maxima);
  if (s.log_probs != nullptr) {
    const at::Tensor targets = column(s.targets, s.rows, at::kInt).to(at::kLong);
    column(s.log_probs, s.rows).copy_(exponentials.gather(1, targets));
  }
  at::Tensor shifted;
  if (s.entropies != nullptr) shifted = exponentials.clone();
  exponentials.exp_();
  at::sum_out(sums, exponentials, at::IntArrayRef{1}, /*keepdim=*/true);
  const at::Tensor log_sums = sums.log();
  if (s.log_probs != nullptr) column(s.log_probs, s.rows).sub_(log_sums);
  if (s.entropies != nullptr) {
    const at::Tensor weighted = shifted.mul_(exponentials).sum(at::IntArrayRef{1}, /*keepdim=*/true);
    column(s.entropies, s.rows).copy_(log_sums - weighted / sums);
  }
}

template <at::ScalarType Dtype>
void log_prob_gradient(const LogProbGradient& l) {
  const at::Tensor exponentials = dense(l.exponentials, {l.rows, l.vocab}, at::kFloat);
  const at::Tensor targets = column(l.targets, l.rows, at::kInt).to(at::kLong);
  const at::Tensor coefficients = column(l.coefficients, l.rows) * l.inverse_temperature;
  at::Tensor gradient = exponentials * (-coefficients / column(l.sums, l.rows));
  gradient.scatter_add_(1, targets, coefficients);
  strided(l.dlogits, {l.rows, l.vocab}, {l.dlogits_stride, 1}, Dtype).copy_(gradient);
}

}  // namespace

void register_softmax(Table& float32, Table& bfloat16) {
  float32.softmax = softmax;
  bfloat16.softmax = softmax;
  float32.log_prob_gradient = log_prob_gradient<at::kFloat>;
  bfloat16.log_prob_gradient = log_prob_gradient<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
