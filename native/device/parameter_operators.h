// The operators over flat buffers of parameters, whatever runs their kernels (device/row_operators.h says what Launch is).
#pragma once

#include "device/row_operators.h"
#include "kernels/adamw.cuh"

namespace zero_rl::operators {

template <class Launch>
struct ParameterOperators {
  static void squared_norm(const at::Tensor& x, const at::Tensor& sum) {
    check_compute_dtype(x, "x");
    const int64_t count = x.numel();
    check(x, "x", x.scalar_type(), {count}, x);
    check(sum, "sum", at::kDouble, {1}, x);
    const int64_t parts = (count + device::kSquaresPart - 1) / device::kSquaresPart;
    const at::Tensor partials = scratch({parts}, at::kDouble, x);
    with_dtype(x, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(count, {&x}, [&](auto pack) {
        Launch::blocks(x, parts, device::kSumThreads, 0,
                       device::SquaresBody<T, decltype(pack)::value>{data<T>(x), data<double>(partials), count});
      });
    });
    Launch::blocks(x, 1, device::kSumThreads, 0, device::TotalBody{data<double>(partials), data<double>(sum), parts});
  }

  static void adamw(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& gradient,
                    const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq, int64_t noise, int64_t first,
                    double gradient_scale, double beta1, double beta2, double eps, double step_size,
                    double inverse_sqrt_correction, double decay) {
    check_masters(weights, remainders, "weights", weights);
    const bool narrow = weights.scalar_type() == at::kBFloat16 && !remainders.has_value();
    const at::ScalarType state = narrow ? at::kBFloat16 : at::kFloat;
    check(gradient, "gradient", at::kFloat, weights.sizes(), weights);
    check(exp_avg, "exp_avg", state, weights.sizes(), weights);
    check(exp_avg_sq, "exp_avg_sq", state, weights.sizes(), weights);
    const device::AdamWFactors factors{static_cast<float>(gradient_scale), static_cast<float>(beta1),
                                       static_cast<float>(beta2),          static_cast<float>(eps),
                                       static_cast<float>(step_size),      static_cast<float>(inverse_sqrt_correction),
                                       static_cast<float>(decay)};
    if (narrow) {
      over(weights, {&gradient, &exp_avg, &exp_avg_sq}, [&](auto pack) {
        using T = c10::BFloat16;
        return device::AdamWNarrowBody<decltype(pack)::value>{
            data<T>(weights), data<float>(gradient), data<T>(exp_avg), data<T>(exp_avg_sq), static_cast<uint32_t>(noise),
            first,            factors};
      });
      return;
    }
    with_masters(weights, remainders, [&](auto owned) {
      over(weights, {&or_else(remainders, weights), &gradient, &exp_avg, &exp_avg_sq}, [&](auto pack) {
        return device::AdamWBody<element_of<decltype(owned)>, decltype(pack)::value>{
            owned, data<float>(gradient), data<float>(exp_avg), data<float>(exp_avg_sq), factors};
      });
    });
  }

  static void follow(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& other_weights,
                     const OptionalTensor& other_remainders, double rate) {
    check_masters(weights, remainders, "weights", weights);
    check_masters(other_weights, other_remainders, "other_weights", weights);
    with_masters(weights, remainders, [&](auto owned) {
      using T = element_of<decltype(owned)>;
      const device::Masters<T> other{data<T>(other_weights), data<int16_t>(other_remainders)};
      over(weights, {&other_weights, &or_else(remainders, weights), &or_else(other_remainders, weights)}, [&](auto pack) {
        return device::FollowBody<T, decltype(pack)::value>{owned, other, static_cast<float>(rate)};
      });
    });
  }

  static void join_masters(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& masters) {
    check_masters(weights, remainders, "weights", weights);
    check(masters, "masters", at::kFloat, weights.sizes(), weights);
    with_masters(weights, remainders, [&](auto owned) {
      over(weights, {&masters, &or_else(remainders, weights)}, [&](auto pack) {
        return device::JoinMastersBody<element_of<decltype(owned)>, decltype(pack)::value>{owned, data<float>(masters)};
      });
    });
  }

  static void split_masters(const at::Tensor& masters, const at::Tensor& weights, const OptionalTensor& remainders) {
    check_masters(weights, remainders, "weights", weights);
    check(masters, "masters", at::kFloat, weights.sizes(), weights);
    with_masters(weights, remainders, [&](auto owned) {
      over(weights, {&masters, &or_else(remainders, weights)}, [&](auto pack) {
        return device::SplitMastersBody<element_of<decltype(owned)>, decltype(pack)::value>{data<float>(masters), owned};
      });
    });
  }

  static void implement(torch::Library& library) {
    library.impl("squared_norm", &squared_norm);
    library.impl("adamw", &adamw);
    library.impl("follow", &follow);
    library.impl("join_masters", &join_masters);
    library.impl("split_masters", &split_masters);
  }

 private:
  static const at::Tensor& or_else(const OptionalTensor& operand, const at::Tensor& other) {
    return operand.has_value() ? *operand : other;
  }

  template <class Owned>
  using element_of = std::remove_pointer_t<decltype(Owned::weights)>;

  static void check_masters(const at::Tensor& weights, const OptionalTensor& remainders, const char* name,
                            const at::Tensor& like) {
    check_compute_dtype(weights, name);
    check(weights, name, like.scalar_type(), {like.numel()}, like);
    if (remainders.has_value()) {
      TORCH_CHECK(weights.scalar_type() == at::kBFloat16, "Expected no remainders beside float32 weights");
      check(*remainders, "remainders", at::kShort, {weights.numel()}, like);
    }
  }

  // body(Masters<T>)
  template <class Body>
  static void with_masters(const at::Tensor& weights, const OptionalTensor& remainders, const Body& body) {
    with_dtype(weights, [&](auto type) {
      using T = typename decltype(type)::type;
      body(device::Masters<T>{data<T>(weights), data<int16_t>(remainders)});
    });
  }

  // Runs make(pack width) over the elements, four at once, which is 16 bytes of float32, where the count and all addresses
  // allow it.
  template <class Make>
  static void over(const at::Tensor& like, std::initializer_list<const at::Tensor*> operands, const Make& make) {
    const int64_t count = like.numel();
    if (can_pack(4, 4, operands) && can_pack(4, 4, {&like}) && count % 4 == 0) {
      Launch::elements(like, count / 4, make(std::integral_constant<int, 4>()));
    } else {
      Launch::elements(like, count, make(std::integral_constant<int, 1>()));
    }
  }
};

}  // namespace zero_rl::operators
