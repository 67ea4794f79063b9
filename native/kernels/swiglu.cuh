// act = silu(gate) · up over rows of gates and ups.
#pragma once

#include <cmath>

#include "kernels/pack.cuh"

namespace zero_rl::device {

ZERO_RL_HOST_DEVICE inline float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

// One element of the grid is V columns of one token; width is a multiple of V.
template <class T, int V>
struct SwiGluBody {
  const T* gate_up;  // [T, 2I]
  T* act;            // [T, I]
  int64_t width;     // I

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    const int64_t token = index * V / width;
    const int64_t column = index * V % width;
    const auto gates = load<V>(gate_up + token * 2 * width + column);
    const auto ups = load<V>(gate_up + token * 2 * width + width + column);
    Pack<T, V> acts;
    for (int v = 0; v < V; ++v) {
      const float gate = widen(gates[v]);
      acts[v] = narrow<T>(gate * sigmoid(gate) * widen(ups[v]));
    }
    store(act + index * V, acts);
  }
};

// gate_up becomes its gradient and dact becomes act.
template <class T, int V>
struct SwiGluBackwardBody {
  T* gate_up;
  T* dact;
  int64_t width;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    const int64_t token = index * V / width;
    const int64_t column = index * V % width;
    T* gate_at = gate_up + token * 2 * width + column;
    auto gates = load<V>(gate_at);
    auto ups = load<V>(gate_at + width);
    auto acts = load<V>(dact + index * V);
    for (int v = 0; v < V; ++v) {
      const float gate = widen(gates[v]);
      const float up = widen(ups[v]);
      const float gradient = widen(acts[v]);
      const float gated = sigmoid(gate);
      const float silu = gate * gated;
      ups[v] = narrow<T>(gradient * silu);
      gates[v] = narrow<T>(gradient * up * gated * (1.0f + gate - silu));
      acts[v] = narrow<T>(silu * up);
    }
    store(gate_at, gates);
    store(gate_at + width, ups);
    store(dact + index * V, acts);
  }
};

}  // namespace zero_rl::device
