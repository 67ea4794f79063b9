// RMSNorm over rows: forward and backward.
#pragma once

#include <cmath>

#include "kernels/group.cuh"
#include "kernels/pack.cuh"

namespace zero_rl::device {

// One block per row. V elements at once.
template <class T, int V>
struct RmsNormBody {
  static constexpr int kMaxThreads = 512;

  const T* x;  // rows of `width`
  const T* weight;
  T* y;
  float* rstd;  // [rows] or null
  int64_t x_stride;
  int64_t y_stride;
  int width;
  float eps;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t row) const {
    const T* xs = x + row * x_stride;
    float squares = 0;
    for (int j = group.rank() * V; j < width; j += group.size() * V) {
      const auto values = load<V>(xs + j);
      for (int v = 0; v < V; ++v) squares += widen(values[v]) * widen(values[v]);
    }
    const float scale = 1.0f / std::sqrt(group.sum(squares) / static_cast<float>(width) + eps);
    for (int j = group.rank() * V; j < width; j += group.size() * V) {
      auto values = load<V>(xs + j);
      const auto weights = load<V>(weight + j);
      for (int v = 0; v < V; ++v) values[v] = narrow<T>(widen(values[v]) * scale * widen(weights[v]));
      store(y + row * y_stride + j, values);
    }
    if (rstd != nullptr && group.rank() == 0) rstd[row] = scale;
  }
};

// One block per part of consecutive rows, whose gradient of the weight it leaves in dweights [parts, width].
// Shared memory: float [width].
template <class T, int V>
struct RmsNormBackwardBody {
  static constexpr int kMaxThreads = 512;

  const T* dy;
  const T* x;
  const T* weight;
  const float* rstd;
  T* dx;
  float* dweights;
  int64_t dy_stride;
  int64_t x_stride;
  int64_t dx_stride;
  int64_t rows;
  int64_t parts;
  int width;
  bool accumulate;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t part) const {
    float* sums = group.template shared<float>();  // each element belongs to one thread
    for (int j = group.rank() * V; j < width; j += group.size() * V) {
      for (int v = 0; v < V; ++v) sums[j + v] = 0;
    }
    for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row) do_row(group, row, sums);
    for (int j = group.rank() * V; j < width; j += group.size() * V) {
      for (int v = 0; v < V; ++v) dweights[part * width + j + v] = sums[j + v];
    }
  }

 private:
  template <class Group>
  ZERO_RL_HOST_DEVICE void do_row(const Group& group, int64_t row, float* sums) const {
    const float scale = rstd[row];
    float dot = 0;
    for (int j = group.rank() * V; j < width; j += group.size() * V) {
      const auto gradients = load<V>(dy + row * dy_stride + j);
      const auto values = load<V>(x + row * x_stride + j);
      const auto weights = load<V>(weight + j);
      for (int v = 0; v < V; ++v) dot += widen(gradients[v]) * widen(weights[v]) * (widen(values[v]) * scale);
    }
    const float mean = group.sum(dot) / static_cast<float>(width);
    for (int j = group.rank() * V; j < width; j += group.size() * V) {
      const auto gradients = load<V>(dy + row * dy_stride + j);
      const auto values = load<V>(x + row * x_stride + j);
      const auto weights = load<V>(weight + j);
      Pack<T, V> results{};
      if (accumulate) results = load<V>(dx + row * dx_stride + j);
      for (int v = 0; v < V; ++v) {
        const float normalised = widen(values[v]) * scale;
        const float gradient = widen(gradients[v]);
        const float change = scale * (gradient * widen(weights[v]) - normalised * mean);
        results[v] = narrow<T>(accumulate ? widen(results[v]) + change : change);
        sums[j + v] += gradient * normalised;
      }
      store(dx + row * dx_stride + j, results);
    }
  }
};

}  // namespace zero_rl::device
