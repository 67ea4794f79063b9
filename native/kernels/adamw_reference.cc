// AdamW by ATen's fused one. It wants the learning rate, the decay and the step, which are recovered from the
// factors that the kernel takes.
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/scalar_tensor.h>

#include <cmath>

#include "kernels/reference.h"
#include "kernels/rounding.h"

namespace zero_rl::kernels::reference {

namespace {

// Rounds `values` into the bfloat16 tensor at `data` with the noise of the key.
void round_stochastically(const at::Tensor& values, uint32_t key, void* data) {
  auto* to = static_cast<uint16_t*>(data);
  for (int64_t i = 0; i < values.numel(); ++i) {
    to[i] = stochastic_half(values.data_ptr<float>()[i], rounding_noise(key, static_cast<uint32_t>(i)) >> 16);
  }
}

void update(const AdamW& a, const at::Tensor& master, const at::Tensor& whole_gradient, const at::Tensor& exp_avg,
            const at::Tensor& exp_avg_sq) {
  // 1 − beta2^t = 1 / inverse_sqrt_correction²
  const double correction = 1.0 / (static_cast<double>(a.inverse_sqrt_correction) * a.inverse_sqrt_correction);
  const double step = std::round(std::log(1.0 - correction) / std::log(static_cast<double>(a.beta2)));
  const double learning_rate = a.step_size * (1.0 - std::pow(static_cast<double>(a.beta1), step));
  const double weight_decay = learning_rate > 0 ? (1.0 - a.decay) / learning_rate : 0.0;
  const at::Tensor gradient = a.gradient_scale == 1.0F ? whole_gradient : whole_gradient * a.gradient_scale;
  at::_fused_adamw_({master}, {gradient}, {exp_avg}, {exp_avg_sq}, {},
                    {at::scalar_tensor(step, at::TensorOptions().dtype(at::kFloat))}, learning_rate, a.beta1, a.beta2,
                    weight_decay, a.eps, /*amsgrad=*/false, /*maximize=*/false);
}

void adamw_float32(const AdamW& a) {
  const auto flat = [&](const void* data) { return dense(data, {a.count}, at::kFloat); };
  update(a, flat(a.weights), flat(a.gradient), flat(a.exp_avg), flat(a.exp_avg_sq));
}

void adamw_bfloat16(const AdamW& a) {
  const at::ScalarType state = a.remainders != nullptr ? at::kFloat : at::kBFloat16;
  const auto flat = [&](const void* data) { return dense(data, {a.count}, state).to(at::kFloat); };
  const at::Tensor gradient = dense(a.gradient, {a.count}, at::kFloat);
  const at::Tensor master = dense(a.weights, {a.count}, at::kBFloat16).to(at::kFloat);
  auto* weights = static_cast<uint16_t*>(a.weights);
  float* values = master.data_ptr<float>();
  if (a.remainders != nullptr) {
    for (int64_t i = 0; i < a.count; ++i) values[i] = joined(weights[i], a.remainders[i]);
    update(a, master, gradient, flat(a.exp_avg), flat(a.exp_avg_sq));  // of float32: no copies
    for (int64_t i = 0; i < a.count; ++i) {
      weights[i] = upper_half(values[i]);
      a.remainders[i] = remainder(values[i]);
    }
    return;
  }
  const at::Tensor exp_avg = flat(a.exp_avg);
  const at::Tensor exp_avg_sq = flat(a.exp_avg_sq);
  update(a, master, gradient, exp_avg, exp_avg_sq);
  round_stochastically(master, rounding_noise(a.noise, 0), a.weights);
  round_stochastically(exp_avg, rounding_noise(a.noise, 1), a.exp_avg);
  round_stochastically(exp_avg_sq, rounding_noise(a.noise, 2), a.exp_avg_sq);
}

double squared_norm(const float* values, int64_t count) {
  const double norm =
      at::linalg_vector_norm(dense(values, {count}, at::kFloat), 2, ::std::nullopt, /*keepdim=*/false, at::kDouble)
          .item<double>();
  return norm * norm;
}

}  // namespace

void register_adamw(Table& float32, Table& bfloat16) {
  float32.adamw = adamw_float32;
  float32.squared_norm = squared_norm;
  bfloat16.adamw = adamw_bfloat16;
  bfloat16.squared_norm = squared_norm;
}

}  // namespace zero_rl::kernels::reference
