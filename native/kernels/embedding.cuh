// Rows of an embedding table, and their gradients.
#pragma once

#include "kernels/group.cuh"
#include "kernels/pack.cuh"

namespace zero_rl::device {

// One element of the grid is V columns of one token; width is a multiple of V.
template <class T, int V>
struct EmbeddingBody {
  const T* table;
  const int32_t* tokens;
  T* out;
  int64_t width;
  int64_t vocab;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    const int32_t token = tokens[index * V / width];
    ZERO_RL_DEBUG_CHECK(token >= 0 && token < vocab);
    store(out + index * V, load<V>(table + token * width + index * V % width));
  }
};

// One block per place in the order of the tokens: where a run of equal ones begins, it adds the run's rows in order.
template <class T, class Sum, int V>
struct EmbeddingBackwardBody {
  static constexpr int kMaxThreads = 256;

  const T* dx;
  const int32_t* tokens;
  const int64_t* order;
  Sum* dtable;
  int64_t count;
  int64_t width;
  int64_t vocab;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t first) const {
    const int32_t token = tokens[order[first]];
    ZERO_RL_DEBUG_CHECK(token >= 0 && token < vocab);
    if (first > 0 && tokens[order[first - 1]] == token) return;
    int64_t end = first + 1;
    while (end < count && tokens[order[end]] == token) ++end;
    for (int64_t j = group.rank() * V; j < width; j += group.size() * V) {
      float sums[V];
      Sum* row = dtable + token * width + j;
      for (int v = 0; v < V; ++v) sums[v] = widen(row[v]);
      for (int64_t i = first; i < end; ++i) {
        const auto values = load<V>(dx + order[i] * width + j);
        for (int v = 0; v < V; ++v) sums[v] += widen(values[v]);
      }
      for (int v = 0; v < V; ++v) row[v] = narrow<Sum>(sums[v]);
    }
  }
};

}  // namespace zero_rl::device
