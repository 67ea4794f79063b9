// What happens to flat buffers of parameters, beside the CPU kernels' twins.
#include <ATen/ops/empty.h>

#include <cmath>

#include "bench/operator_case.h"
#include "device/operators.h"
#include "kernels/reference.h"
#include "kernels/rounding.h"

namespace zero_rl::bench {

namespace {

// Weights with their masters: remainders only where they are bfloat16 and `masters` (1) is not 0.
struct Parameters {
  Parameters(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
    masters = random_tensor({sizes.at("count")}, at::kFloat, seed);
    weights = at::empty(masters.sizes(), masters.options().dtype(dtype));
    if (dtype == at::kBFloat16 && sizes.get("masters", 1) == 1) {
      remainders = at::empty(masters.sizes(), masters.options().dtype(at::kShort));
    }
    split(masters);
    read();
  }
  // What the twins do by loops over elements.
  void split(const at::Tensor& from) const {
    for (int64_t i = 0; i < from.numel(); ++i) {
      const float value = from.data_ptr<float>()[i];
      if (weights.scalar_type() == at::kFloat) {
        weights.data_ptr<float>()[i] = value;
        continue;
      }
      static_cast<uint16_t*>(weights.data_ptr())[i] = kernels::upper_half(value);
      if (remainders.has_value()) remainders->data_ptr<int16_t>()[i] = kernels::remainder(value);
    }
  }
  void read() {
    if (!remainders.has_value()) masters = weights.to(at::kFloat).clone();
  }
  template <class Case>
  void track(Case& result) const {
    result.track_in_place("weights", weights);
    if (remainders.has_value()) result.track_in_place("remainders", *remainders);
  }
  at::Tensor masters;  // what weights and remainders join to
  at::Tensor weights;
  operators::OptionalTensor remainders;
};

// Sizes count, masters (1), step (3), scale in thousandths (1000), decay (0), first (0).
OperatorCase adamw(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Parameters parameters(dtype, sizes, seed);
  const bool narrow = dtype == at::kBFloat16 && !parameters.remainders.has_value();
  const at::ScalarType state = narrow ? at::kBFloat16 : at::kFloat;
  const int64_t count = sizes.at("count");
  const auto step = static_cast<double>(sizes.get("step", 3));
  const at::Tensor gradient = random_tensor({count}, at::kFloat, seed + 1);
  const at::Tensor exp_avg = random_tensor({count}, state, seed + 2, 0.1);
  const at::Tensor exp_avg_sq = random_tensor({count}, state, seed + 3, 0.1).abs_();
  const auto inverse = static_cast<float>(1 / std::sqrt(1 - std::pow(0.95, step)));
  const kernels::AdamW request{
      .weights = parameters.weights.data_ptr(),
      .remainders = parameters.remainders.has_value() ? parameters.remainders->data_ptr<int16_t>() : nullptr,
      .gradient = gradient.data_ptr<float>(),
      .exp_avg = exp_avg.data_ptr(),
      .exp_avg_sq = exp_avg_sq.data_ptr(),
      .noise = 77,
      .count = count,
      .gradient_scale = static_cast<float>(sizes.get("scale", 1000)) / 1000,
      .beta1 = 0.9F,
      .beta2 = 0.95F,
      .eps = 1e-8F,
      .step_size = static_cast<float>(1e-2 / (1 - std::pow(0.9, step))),
      .inverse_sqrt_correction = inverse,
      .decay = sizes.get("decay", 0) == 1 ? 1 - 1e-2F * 0.1F : 1.0F};
  OperatorCase result;
  // In two pieces, as a sharded optimizer has it.
  const auto halves = [count](const at::Tensor& whole) {
    return std::vector<at::Tensor>{whole.narrow(0, 0, count / 2), whole.narrow(0, count / 2, count - count / 2)};
  };
  std::vector<operators::OptionalTensor> remainders(2);
  if (parameters.remainders.has_value()) {
    for (size_t i = 0; i < 2; ++i) remainders[i] = halves(*parameters.remainders)[i];
  }
  result.run = [=, weights = halves(parameters.weights), gradients = halves(gradient), averages = halves(exp_avg),
                squares = halves(exp_avg_sq)] {
    for (size_t i = 0; i < 2; ++i) {
      const int64_t first = i == 0 ? 0 : count / 2;
      operators::adamw(weights[i], remainders[i], gradients[i], averages[i], squares[i], request.noise, first,
                       request.gradient_scale, request.beta1, request.beta2, request.eps, request.step_size,
                       request.inverse_sqrt_correction, request.decay);
    }
  };
  result.twin = [=] { kernels::reference_table(dtype).adamw(request); };
  result.track_in_place("exp_avg", exp_avg);
  result.track_in_place("exp_avg_sq", exp_avg_sq);
  // Masters, not their halves: a carry between the two is no difference.
  const at::Tensor joined = at::empty({count}, at::TensorOptions().dtype(at::kFloat));
  const auto with_joined = [=](const std::function<void()>& side) {
    return [=] {
      side();
      operators::join_masters(parameters.weights, parameters.remainders, joined);
    };
  };
  result.run = with_joined(result.run);
  result.twin = with_joined(result.twin);
  result.track("masters", joined);
  result.restored.emplace_back(parameters.weights, parameters.weights.clone());
  if (parameters.remainders.has_value()) {
    result.restored.emplace_back(*parameters.remainders, parameters.remainders->clone());
  }
  return result;
}

// Sizes count, masters (1), rate in thousandths.
OperatorCase follow(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Parameters own(dtype, sizes, seed);
  const Parameters other(dtype, sizes, seed + 1);
  const double rate = static_cast<double>(sizes.at("rate")) / 1000;
  OperatorCase result;
  result.run = [=] { operators::follow(own.weights, own.remainders, other.weights, other.remainders, rate); };
  result.twin = [=] {
    own.split(rate == 1 ? other.masters : own.masters + static_cast<float>(rate) * (other.masters - own.masters));
  };
  own.track(result);
  return result;
}

// Sizes count, masters (1).
OperatorCase join_masters(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Parameters parameters(dtype, sizes, seed);
  const at::Tensor masters = at::empty(parameters.masters.sizes(), parameters.masters.options());
  OperatorCase result;
  result.run = [=] { operators::join_masters(parameters.weights, parameters.remainders, masters); };
  result.twin = [=] { masters.copy_(parameters.masters); };
  result.track("masters", masters);
  return result;
}

OperatorCase split_masters(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Parameters parameters(dtype, sizes, seed);
  const at::Tensor masters = random_tensor(parameters.masters.sizes(), at::kFloat, seed + 1);
  OperatorCase result;
  result.run = [=] { operators::split_masters(masters, parameters.weights, parameters.remainders); };
  result.twin = [=] { parameters.split(masters); };
  parameters.track(result);
  return result;
}

// Size count.
OperatorCase squared_norm(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const at::Tensor x = random_tensor({sizes.at("count")}, at::kFloat, seed);
  const at::Tensor sum = at::empty({1}, at::TensorOptions().dtype(at::kDouble));
  OperatorCase result;
  result.run = [=] { operators::squared_norm(x, sum); };
  result.twin = [=] { sum.fill_(kernels::reference_table(dtype).squared_norm(x.data_ptr<float>(), x.numel())); };
  result.track("sum", sum);
  return result;
}

}  // namespace

OperatorMakers parameter_operator_makers() {
  return {{"adamw", adamw},
          {"follow", follow},
          {"join_masters", join_masters},
          {"split_masters", split_masters},
          {"squared_norm", squared_norm}};
}

}  // namespace zero_rl::bench
