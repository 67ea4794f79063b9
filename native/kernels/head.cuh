// Rows of logits become log-probs and entropies, and, where there is an objective, losses and gradients in the same kernel.
#pragma once

#include "kernels/row_statistics.cuh"
#include "learn/token_loss.h"

namespace zero_rl::device {

constexpr int kHeadThreads = 512;

// One thread per word of bits: logits whose bit is 0 get no probability, at whatever temperature.
struct KeepTokensBody {
  const uint32_t* words;  // [R, W]
  float* logits;          // [R, V]
  int64_t word_count;     // W
  int64_t vocab;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    constexpr float dropped = -1e30f;  // finite: differences of two stay numbers
    const int64_t first = index % word_count * 32;
    float* at = logits + index / word_count * vocab + first;
    const uint32_t bits = words[index];
    for (int64_t j = 0; j < 32 && first + j < vocab; ++j) {
      if ((bits >> j & 1) == 0) at[j] = dropped;
    }
  }
};

// One block per row.
template <int V>
struct LogProbsBody {
  static constexpr int kMaxThreads = kHeadThreads;

  const float* logits;
  const int32_t* targets;
  float* log_probs;
  float* entropies;  // or null
  int64_t vocab;
  float inverse_temperature;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t row) const {
    const float* at = logits + row * vocab;
    ZERO_RL_DEBUG_CHECK(targets[row] >= 0 && targets[row] < vocab);
    const RowStatistics statistics = row_statistics<V>(group, at, vocab, inverse_temperature);
    if (group.rank() != 0) return;
    log_probs[row] = statistics.log_prob(at[targets[row]], inverse_temperature);
    if (entropies != nullptr) entropies[row] = statistics.entropy();
  }
};

// What the loss of a row depends on; null where the objective does not read it.
struct LossInputs {
  const float* advantages;
  const float* weights;  // 0: not trained
  const float* old_log_probs;
  const float* reference_log_probs;
  const float* sequence_log_ratios;
  const float* loss_shares;

  ZERO_RL_HOST_DEVICE TokenInputs token(int64_t row, float log_prob) const {
    TokenInputs inputs;
    inputs.log_prob = log_prob;
    inputs.advantage = advantages[row];
    if (old_log_probs != nullptr) inputs.old_log_prob = old_log_probs[row];
    if (reference_log_probs != nullptr) inputs.reference_log_prob = reference_log_probs[row];
    if (sequence_log_ratios != nullptr) inputs.sequence_log_ratio = sequence_log_ratios[row];
    if (loss_shares != nullptr) inputs.loss_share = loss_shares[row];
    return inputs;
  }
};

struct LossResults {
  float* log_probs;
  float* entropies;
  float* losses;
  float* clipped;
};

// One block per row. The gradients of T may lie over the logits where T is float.
template <class T, int V>
struct HeadLossBody {
  static constexpr int kMaxThreads = kHeadThreads;

  const float* logits;
  const int32_t* targets;
  LossInputs inputs;
  LossResults results;
  Objective objective;
  T* dlogits;
  int64_t vocab;
  float inverse_temperature;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t row) const {
    const float* at = logits + row * vocab;
    const int32_t target = targets[row];
    ZERO_RL_DEBUG_CHECK(target >= 0 && target < vocab);
    const float target_logit = at[target];
    const RowStatistics statistics = row_statistics<V>(group, at, vocab, inverse_temperature);
    const float log_prob = statistics.log_prob(target_logit, inverse_temperature);
    const float entropy = statistics.entropy();
    const double weight = inputs.weights[row];
    TokenLoss loss{};
    if (weight != 0) loss = token_loss(objective, inputs.token(row, log_prob));
    if (group.rank() == 0) {
      results.log_probs[row] = log_prob;
      results.entropies[row] = entropy;
      results.losses[row] = static_cast<float>(weight * loss.loss);
      results.clipped[row] = loss.clipped ? 1.0f : 0.0f;
    }
    const float coefficient = static_cast<float>(weight * loss.derivative) * inverse_temperature;
    const float bonus = static_cast<float>(-weight * objective.entropy_coefficient) * inverse_temperature;
    write_gradient(group, row, target, statistics, entropy, coefficient, bonus);
  }

 private:
  // coefficient·([j is the target] − p_j) − bonus·p_j·(log p_j + H)
  template <class Group>
  ZERO_RL_HOST_DEVICE void write_gradient(const Group& group, int64_t row, int32_t target,
                                          const RowStatistics& statistics, float entropy, float coefficient,
                                          float bonus) const {
    const float* at = logits + row * vocab;
    const float inverse_sum = static_cast<float>(1.0 / statistics.sum);
    const float offset = entropy - static_cast<float>(std::log(statistics.sum));
#ifdef __CUDA_ARCH__
#pragma unroll 4
#endif
    for (int64_t j = group.rank() * V; j < vocab; j += group.size() * V) {
      const auto values = load<V>(at + j);
      Pack<T, V> gradients;
      for (int v = 0; v < V; ++v) {
        const float z = values[v] * inverse_temperature - statistics.maximum;
        const float p = std::exp(z) * inverse_sum;
        float gradient = -coefficient * p;
        if (bonus != 0 && p > 0) gradient -= bonus * p * (z + offset);
        if (j + v == target) gradient += coefficient;
        gradients[v] = narrow<T>(gradient);
      }
      store(dlogits + row * vocab + j, gradients);
    }
  }
};

}  // namespace zero_rl::device
