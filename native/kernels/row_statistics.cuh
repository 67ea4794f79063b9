// The softmax statistics of one row of logits, in one pass.
#pragma once

#include <cmath>

#include "kernels/group.cuh"
#include "kernels/pack.cuh"

namespace zero_rl::device {

struct RowStatistics {
  float maximum;    // M of the scaled logits z
  double sum;       // Σ exp(z − M)
  double weighted;  // Σ exp(z − M)·(z − M)

  // Of a token, as kernels::log_prob has it: the product with the inverse temperature is exact in double.
  ZERO_RL_HOST_DEVICE float log_prob(float logit, float inverse_temperature) const {
    const double scaled = static_cast<double>(logit) * inverse_temperature - maximum;
    return static_cast<float>(scaled - std::log(static_cast<double>(static_cast<float>(sum))));
  }
  ZERO_RL_HOST_DEVICE float entropy() const { return static_cast<float>(std::log(sum) - weighted / sum); }
};

// What one thread has seen: sums relative to its own maximum.
struct RunningStatistics {
  float maximum = -INFINITY;
  float sum = 0;
  float weighted = 0;

  ZERO_RL_HOST_DEVICE void rebase(float higher) {
    if (sum > 0) {
      const float factor = std::exp(maximum - higher);
      weighted = factor * (weighted + sum * (maximum - higher));
      sum *= factor;
    }
    maximum = higher;
  }

  template <int V>
  ZERO_RL_HOST_DEVICE void add(const Pack<float, V>& logits, float inverse_temperature) {
    float scaled[V];
    float highest = maximum;
    for (int v = 0; v < V; ++v) {
      scaled[v] = logits[v] * inverse_temperature;
      highest = scaled[v] > highest ? scaled[v] : highest;
    }
    if (highest > maximum) rebase(highest);
    const float base = maximum == -INFINITY ? 0 : maximum;  // none but logits of −∞ so far
    for (int v = 0; v < V; ++v) {
      const float z = scaled[v] - base;
      const float e = std::exp(z);
      sum += e;
      if (e > 0) weighted += e * z;  // a logit of −∞ adds nothing
    }
  }
};

// For all threads of the group.
template <int V, class Group>
ZERO_RL_HOST_DEVICE inline RowStatistics row_statistics(const Group& group, const float* logits, int64_t vocab,
                                                        float inverse_temperature) {
  RunningStatistics own;
#ifdef __CUDA_ARCH__
#pragma unroll 4
#endif
  for (int64_t j = group.rank() * V; j < vocab; j += group.size() * V) own.add(load<V>(logits + j), inverse_temperature);
  const float maximum = group.maximum(own.maximum);
  own.rebase(maximum);
  return {maximum, group.sum(static_cast<double>(own.sum)), group.sum(static_cast<double>(own.weighted))};
}

}  // namespace zero_rl::device
