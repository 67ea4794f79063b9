// What happens to masters and weights, element by element (kernels/kernels.h and kernels/rounding.h say what they are).
#pragma once

#include <cmath>

#include "kernels/pack.cuh"
#include "kernels/rounding.h"

namespace zero_rl::device {

struct AdamWFactors {
  float gradient_scale;
  float beta1;
  float beta2;
  float eps;
  float step_size;
  float inverse_sqrt_correction;
  float decay;
};

ZERO_RL_HOST_DEVICE inline void adamw_update(const AdamWFactors& f, float gradient, float& master, float& exp_avg,
                                             float& exp_avg_sq) {
  gradient *= f.gradient_scale;
  exp_avg += (1.0f - f.beta1) * (gradient - exp_avg);
  exp_avg_sq = f.beta2 * exp_avg_sq + (1.0f - f.beta2) * gradient * gradient;
  const float denominator = std::sqrt(exp_avg_sq) * f.inverse_sqrt_correction + f.eps;
  master = master * f.decay - f.step_size * exp_avg / denominator;
}

// Masters of weights: float32 weights are their own; bfloat16 ones have remainders, or none, and then are rounded masters.
template <class T>
struct Masters {
  T* weights;
  int16_t* remainders;  // or null

  template <int V>
  ZERO_RL_HOST_DEVICE Pack<float, V> load_masters(int64_t i) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return load<V>(weights + i);
    } else {
      const auto uppers = load<V>(weights + i);
      Pack<int16_t, V> lowers{};
      if (remainders != nullptr) lowers = load<V>(remainders + i);
      Pack<float, V> masters;
      for (int v = 0; v < V; ++v) masters[v] = kernels::joined(uppers[v].x, lowers[v]);
      return masters;
    }
  }

  template <int V>
  ZERO_RL_HOST_DEVICE void store_masters(int64_t i, const Pack<float, V>& masters) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      store(weights + i, masters);
    } else {
      Pack<T, V> uppers;
      Pack<int16_t, V> lowers;
      for (int v = 0; v < V; ++v) {
        uppers[v].x = kernels::upper_half(masters[v]);
        lowers[v] = kernels::remainder(masters[v]);
      }
      store(weights + i, uppers);
      if (remainders != nullptr) store(remainders + i, lowers);
    }
  }
};

// Weights with float32 masters.
template <class T, int V>
struct AdamWBody {
  Masters<T> owned;
  const float* gradient;
  float* exp_avg;
  float* exp_avg_sq;
  AdamWFactors factors;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    const int64_t i = index * V;
    auto masters = owned.template load_masters<V>(i);
    auto averages = load<V>(exp_avg + i);
    auto squares = load<V>(exp_avg_sq + i);
    const auto gradients = load<V>(gradient + i);
    for (int v = 0; v < V; ++v) adamw_update(factors, gradients[v], masters[v], averages[v], squares[v]);
    owned.store_masters(i, masters);
    store(exp_avg + i, averages);
    store(exp_avg_sq + i, squares);
  }
};

// bfloat16 weights and moments without masters, rounded stochastically. `first` is the place of element 0 in the whole.
template <int V>
struct AdamWNarrowBody {
  c10::BFloat16* weights;
  const float* gradient;
  c10::BFloat16* exp_avg;
  c10::BFloat16* exp_avg_sq;
  uint32_t noise;
  int64_t first;
  AdamWFactors factors;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    const int64_t i = index * V;
    auto values = load<V>(weights + i);
    auto averages = load<V>(exp_avg + i);
    auto squares = load<V>(exp_avg_sq + i);
    const auto gradients = load<V>(gradient + i);
    for (int v = 0; v < V; ++v) {
      float master = widen(values[v]);
      float average = widen(averages[v]);
      float square = widen(squares[v]);
      adamw_update(factors, gradients[v], master, average, square);
      values[v].x = rounded(master, 0, i + v);
      averages[v].x = rounded(average, 1, i + v);
      squares[v].x = rounded(square, 2, i + v);
    }
    store(weights + i, values);
    store(exp_avg + i, averages);
    store(exp_avg_sq + i, squares);
  }

 private:
  ZERO_RL_HOST_DEVICE uint16_t rounded(float value, uint32_t stream, int64_t i) const {
    const uint32_t key = kernels::rounding_noise(noise, stream);
    return kernels::stochastic_half(value, kernels::rounding_noise(key, static_cast<uint32_t>(first + i)) >> 16);
  }
};

// masters += rate · (other masters − masters).
template <class T, int V>
struct FollowBody {
  Masters<T> owned;
  Masters<T> other;
  float rate;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    auto masters = owned.template load_masters<V>(index * V);
    const auto others = other.template load_masters<V>(index * V);
    for (int v = 0; v < V; ++v) {
      masters[v] = rate == 1 ? others[v] : masters[v] + rate * (others[v] - masters[v]);  // rate 1 is a copy, to the bit
    }
    owned.store_masters(index * V, masters);
  }
};

template <class T, int V>
struct JoinMastersBody {
  Masters<T> owned;
  float* masters;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    store(masters + index * V, owned.template load_masters<V>(index * V));
  }
};

template <class T, int V>
struct SplitMastersBody {
  const float* masters;
  Masters<T> owned;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    owned.store_masters(index * V, load<V>(masters + index * V));
  }
};

}  // namespace zero_rl::device
