#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void entropy_gradient(const EntropyGradient& a) {
  const auto column = [&](const void* data, at::ScalarType dtype) { return dense(data, {a.rows, 1}, dtype); };
  const at::Tensor probabilities =
      dense(a.exponentials, {a.rows, a.vocab}, at::kFloat) / column(a.sums, at::kFloat);
  const at::Tensor surprise = probabilities.log() + column(a.entropies, at::kFloat);
  at::Tensor gradient = -probabilities * (column(a.coefficients, at::kFloat) +
                                          column(a.entropy_coefficients, at::kFloat) * surprise);
  gradient.scatter_add_(1, column(a.targets, at::kInt).to(at::kLong), column(a.coefficients, at::kFloat));
  strided(a.dlogits, {a.rows, a.vocab}, {a.dlogits_stride, 1}, Dtype).copy_(gradient * a.inverse_temperature);
}

}  // namespace

void register_entropy_gradient(Table& float32, Table& bfloat16) {
  float32.entropy_gradient = entropy_gradient<at::kFloat>;
  bfloat16.entropy_gradient = entropy_gradient<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
