// Sums over rows and over all elements, in two steps of fixed parts.
#pragma once

#include "kernels/group.cuh"
#include "kernels/pack.cuh"

namespace zero_rl::device {

constexpr int kSumThreads = 256;

// The parts that rows are summed in.
inline int64_t row_parts(int64_t rows) {
  constexpr int64_t kLeastRows = 8;
  constexpr int64_t kMostParts = 512;
  const int64_t parts = (rows + kLeastRows - 1) / kLeastRows;
  return parts < kMostParts ? parts : kMostParts;
}

// One block per part of the rows and tile of columns: partials [parts, width].
template <class T, int V>
struct ColumnSumsBody {
  static constexpr int kMaxThreads = kSumThreads;
  static constexpr int kTile = kSumThreads * V;

  const T* x;
  float* partials;
  int64_t stride;
  int64_t rows;
  int64_t parts;
  int width;

  ZERO_RL_HOST_DEVICE int64_t tiles() const { return (width + kTile - 1) / kTile; }

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const int64_t part = index / tiles();
    const int first = static_cast<int>(index % tiles()) * kTile;
    const int end = first + kTile < width ? first + kTile : width;
    for (int j = first + group.rank() * V; j < end; j += group.size() * V) {
      float sums[V] = {};
      for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row) {
        const auto values = load<V>(x + row * stride + j);
        for (int v = 0; v < V; ++v) sums[v] += widen(values[v]);
      }
      for (int v = 0; v < V; ++v) partials[part * width + j + v] = sums[v];
    }
  }
};

// sums[j] += Σ partials[part, j] in the order of the parts.
struct AddPartsBody {
  const float* partials;
  float* sums;
  int64_t parts;
  int64_t width;

  ZERO_RL_HOST_DEVICE void operator()(int64_t j) const {
    float sum = 0;
    for (int64_t part = 0; part < parts; ++part) sum += partials[part * width + j];
    sums[j] += sum;
  }
};

constexpr int64_t kSquaresPart = 65536;

// One block per kSquaresPart elements: partials [parts].
template <class T, int V>
struct SquaresBody {
  static constexpr int kMaxThreads = kSumThreads;

  const T* x;
  double* partials;
  int64_t count;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t part) const {
    const int64_t first = part * kSquaresPart;
    const int64_t end = first + kSquaresPart < count ? first + kSquaresPart : count;
    double sum = 0;
    float short_sum = 0;
    int terms = 0;
    for (int64_t i = first + group.rank() * V; i < end; i += group.size() * V) {
      const auto values = load<V>(x + i);
      for (int v = 0; v < V; ++v) short_sum += widen(values[v]) * widen(values[v]);
      if (++terms == 32) {
        sum += short_sum;
        short_sum = 0;
        terms = 0;
      }
    }
    sum = group.sum(sum + short_sum);
    if (group.rank() == 0) partials[part] = sum;
  }
};

// One block: sum[0] = Σ partials.
struct TotalBody {
  static constexpr int kMaxThreads = kSumThreads;

  const double* partials;
  double* sum;
  int64_t parts;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t) const {
    double total = 0;
    for (int64_t part = group.rank(); part < parts; part += group.size()) total += partials[part];
    total = group.sum(total);
    if (group.rank() == 0) *sum = total;
  }
};

}  // namespace zero_rl::device
