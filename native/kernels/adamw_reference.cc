// AdamW by ATen's fused one. It wants the learning rate, the decay and the step, which are recovered from the
// factors that the kernel takes.
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/scalar_tensor.h>

#include <cmath>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void adamw(const AdamW& a) {
  const auto flat = [&](const void* data) { return dense(data, {a.count}, at::kFloat); };
  // 1 − beta2^t = 1 / inverse_sqrt_correction²
  const double correction = 1.0 / (static_cast<double>(a.inverse_sqrt_correction) * a.inverse_sqrt_correction);
  const double step = std::round(std::log(1.0 - correction) / std::log(static_cast<double>(a.beta2)));
  const double learning_rate = a.step_size * (1.0 - std::pow(static_cast<double>(a.beta1), step));
  const double weight_decay = learning_rate > 0 ? (1.0 - a.decay) / learning_rate : 0.0;
  at::Tensor gradient = flat(a.gradient);
  if (a.gradient_scale != 1.0F) gradient = gradient * a.gradient_scale;
  const at::Tensor master = flat(a.master);
  at::_fused_adamw_({master}, {gradient}, {flat(a.exp_avg)}, {flat(a.exp_avg_sq)}, {},
                    {at::scalar_tensor(step, at::TensorOptions().dtype(at::kFloat))}, learning_rate, a.beta1, a.beta2,
                    weight_decay, a.eps, /*amsgrad=*/false, /*maximize=*/false);
  if (a.weights != nullptr) dense(a.weights, {a.count}, Dtype).copy_(master);
}

double squared_norm(const float* values, int64_t count) {
  const double norm = at::linalg_vector_norm(dense(values, {count}, at::kFloat), 2, ::std::nullopt, /*keepdim=*/false,
                                             at::kDouble)
                          .item<double>();
  return norm * norm;
}

}  // namespace

void register_adamw(Table& float32, Table& bfloat16) {
  float32.adamw = adamw<at::kFloat>;
  float32.squared_norm = squared_norm;
  bfloat16.adamw = adamw<at::kBFloat16>;
  bfloat16.squared_norm = squared_norm;
}

}  // namespace zero_rl::kernels::reference
