// Draws a token from a row of logits with one uniform number, as native/generate/draw_token.h does: by inverting the cumulative
// distribution in the order of the tokens, or, where it is truncated, in the order of likelihood (sampler_selection.cuh).
#pragma once

#include "kernels/sampler_selection.cuh"
#include "runtime/philox.h"

namespace zero_rl::device {

constexpr int kSegment = 1024;   // tokens whose sum one warp takes
constexpr int kFineParts = 64;   // of a segment
// Of a row: temperature, top-k, top-p, min-p, whether the tokens kept are recorded.
constexpr int64_t kDrawSettings = 5;

// Bytes of shared memory for a vocabulary.
inline int64_t sampler_shared_bytes(int64_t vocab) {
  const int64_t segments = (vocab + kSegment - 1) / kSegment;
  const int64_t plain = segments * 20 + kFineParts * 8 + 64;
  return plain > kSelectionBytes ? plain : kSelectionBytes;
}

// One block per row.
template <int V>
struct SampleBody {
  static constexpr int kMaxThreads = 512;

  const float* logits;
  const double* all_settings;  // [B, kDrawSettings]
  const int64_t* seeds;
  const int64_t* uids;
  const int32_t* samples;
  const int32_t* counts;
  int32_t* tokens;
  float* log_probs;
  float* log_masses;
  float* entropies;
  uint32_t* kept;  // [B, ring, words] or null
  int64_t ring;
  int64_t words;
  int64_t vocab;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t row) const {
    const float* at = logits + row * vocab;
    const double* settings = all_settings + row * kDrawSettings;
    const auto temperature = static_cast<float>(settings[0]);
    const float inverse_temperature = temperature == 0 ? 1.0f : 1.0f / temperature;
    if (temperature == 0) {
      const RowStatistics statistics = row_statistics<V>(group, at, vocab, inverse_temperature);
      write(group, row, first_with(group, at, statistics.maximum), statistics, inverse_temperature, 0);
      return;
    }
    const auto bits = philox(static_cast<uint64_t>(seeds[row]),
                             {static_cast<uint32_t>(counts[row]), static_cast<uint32_t>(samples[row]),
                              static_cast<uint32_t>(uids[row]), static_cast<uint32_t>(static_cast<uint64_t>(uids[row]) >> 32)});
    const double uniform = uniform_open(bits[0], bits[1]);
    const auto top_k = static_cast<int64_t>(settings[1]);
    const bool truncated = settings[2] < 1 || (top_k > 0 && top_k < vocab) || settings[3] > 0;
    if (truncated) {
      const RowStatistics statistics = row_statistics<V>(group, at, vocab, inverse_temperature);
      const Selection<Group> selection{group, at, vocab, inverse_temperature, statistics.maximum};
      const bool recorded = kept != nullptr && settings[4] != 0;
      uint32_t* bits = recorded ? kept + (row * ring + counts[row] % ring) * words : nullptr;
      const auto drawn = selection.draw(top_k, settings[2], settings[3], uniform, bits);
      const auto log_mass = static_cast<float>(std::log(drawn.mass / statistics.sum));
      write(group, row, drawn.token, statistics, inverse_temperature, log_mass < 0 ? log_mass : 0);
      return;
    }
    draw(group, row, at, inverse_temperature, uniform);
  }

 private:
  template <class Group>
  ZERO_RL_HOST_DEVICE void write(const Group& group, int64_t row, int32_t token, const RowStatistics& statistics,
                                 float inverse_temperature, float log_mass) const {
    if (group.rank() != 0) return;
    tokens[row] = token;
    log_masses[row] = log_mass;
    log_probs[row] = statistics.log_prob(logits[row * vocab + token], inverse_temperature);
    entropies[row] = statistics.entropy();
  }

  // The first token whose logit is the highest.
  template <class Group>
  ZERO_RL_HOST_DEVICE int32_t first_with(const Group& group, const float* at, float maximum) const {
    int64_t first = vocab - 1;
    for (int64_t j = group.rank(); j < vocab; j += group.size()) {
      if (at[j] == maximum) {
        first = j;
        break;
      }
    }
    // Below 2^24, where float32 counts exactly.
    return static_cast<int32_t>(-group.maximum(static_cast<float>(-first)));
  }

  // Segment sums in one pass over the row, then the segment, then its part, then the token.
  template <class Group>
  ZERO_RL_HOST_DEVICE void draw(const Group& group, int64_t row, const float* at, float inverse_temperature,
                                double uniform) const {
    const int64_t segments = (vocab + kSegment - 1) / kSegment;
    // [segments], first relative to their own maxima: Σ e^z and Σ z·e^z
    auto* sums = group.template shared<double>();
    auto* weighted = sums + segments;
    auto* fine = weighted + segments;
    auto* chosen = reinterpret_cast<Choice*>(fine + kFineParts);
    auto* maxima = reinterpret_cast<float*>(chosen + 1);
    for (int64_t segment = group.warp(); segment < segments; segment += group.warps()) {
      sum_segment(group, at, segment, inverse_temperature, sums, weighted, maxima);
    }
    group.sync();
    float own = -INFINITY;
    for (int64_t i = group.rank(); i < segments; i += group.size()) own = maxima[i] > own ? maxima[i] : own;
    const float maximum = group.maximum(own);
    for (int64_t i = group.rank(); i < segments; i += group.size()) {
      const float factor = std::exp(maxima[i] - maximum);
      if (sums[i] > 0) weighted[i] = factor * (weighted[i] + sums[i] * (maxima[i] - maximum));
      sums[i] *= factor;
    }
    group.sync();
    if (group.rank() == 0) *chosen = choose_segment(sums, weighted, segments, uniform);
    group.sync();
    const Choice choice = *chosen;
    const int64_t first = choice.index * kSegment;
    constexpr int kFine = kSegment / kFineParts;
    for (int part = group.rank(); part < kFineParts; part += group.size()) {
      double sum = 0;
      for (int64_t j = first + part * kFine; j < first + (part + 1) * kFine && j < vocab; ++j) {
        sum += std::exp(at[j] * inverse_temperature - maximum);
      }
      fine[part] = sum;
    }
    group.sync();
    if (group.rank() != 0) return;
    const int32_t token = choose_token(at, first, fine, choice.rest, inverse_temperature, maximum);
    write(group, row, token, {maximum, choice.total, choice.weighted}, inverse_temperature, 0);
  }

  template <class Group>
  ZERO_RL_HOST_DEVICE void sum_segment(const Group& group, const float* at, int64_t segment, float inverse_temperature,
                                       double* sums, double* weighted, float* maxima) const {
    constexpr int kReads = kSegment / V / Group::kLanes;
    const int64_t first = segment * kSegment + group.lane() * V;
    Pack<float, V> values[kReads];
    float maximum = -INFINITY;
    for (int i = 0; i < kReads; ++i) {
      const int64_t j = first + i * Group::kLanes * V;
      if (j < vocab) {
        values[i] = load<V>(at + j);
      } else {
        for (int v = 0; v < V; ++v) values[i][v] = -INFINITY;
      }
      for (int v = 0; v < V; ++v) {
        values[i][v] *= inverse_temperature;
        maximum = values[i][v] > maximum ? values[i][v] : maximum;
      }
    }
    maximum = group.warp_maximum(maximum);
    float sum = 0;
    float product = 0;
    if (maximum > -INFINITY) {
      for (int i = 0; i < kReads; ++i) {
        for (int v = 0; v < V; ++v) {
          const float z = values[i][v] - maximum;
          const float e = std::exp(z);
          sum += e;
          if (e > 0) product += e * z;  // a logit of −∞ adds nothing
        }
      }
    }
    sum = group.warp_sum(sum);
    product = group.warp_sum(product);
    if (group.lane() == 0) {
      sums[segment] = sum;
      weighted[segment] = product;
      maxima[segment] = maximum;
    }
  }

  struct Choice {
    int64_t index;
    double rest;   // of the target within the segment
    double total;  // of all segments
    double weighted;
  };

  ZERO_RL_HOST_DEVICE static Choice choose_segment(const double* sums, const double* weighted, int64_t segments,
                                                   double uniform) {
    Choice choice{0, 0, 0, 0};
    for (int64_t i = 0; i < segments; ++i) {
      choice.total += sums[i];
      choice.weighted += weighted[i];
    }
    const double target = uniform * choice.total;
    double cumulative = 0;
    for (int64_t i = 0; i < segments; ++i) {
      if (sums[i] > 0) {
        choice.index = i;
        choice.rest = target - cumulative;
      }
      cumulative += sums[i];
      if (cumulative > target) break;
    }
    return choice;
  }

  ZERO_RL_HOST_DEVICE int32_t choose_token(const float* at, int64_t first, const double* fine, double rest,
                                           float inverse_temperature, float maximum) const {
    constexpr int kFine = kSegment / kFineParts;
    double cumulative = 0;
    int last_part = 0;
    double before_last = 0;
    for (int part = 0; part < kFineParts; ++part) {
      if (fine[part] > 0) {
        last_part = part;
        before_last = cumulative;
      }
      cumulative += fine[part];
      if (cumulative > rest) break;
    }
    int64_t last = first + last_part * kFine;
    cumulative = before_last;
    for (int64_t j = first + last_part * kFine; j < first + (last_part + 1) * kFine && j < vocab; ++j) {
      const float e = std::exp(at[j] * inverse_temperature - maximum);
      if (e > 0) last = j;
      cumulative += e;
      if (cumulative > rest) break;
    }
    return static_cast<int32_t>(last);  // the last possible one where the sums differ by rounding
  }
};

// What follows a draw; one thread per row (operators.h describes it).
struct AdvanceBody {
  const int32_t* tokens;
  const float* log_probs;
  const float* log_masses;
  const float* entropies;
  const int32_t* stop_tokens;  // [B, stop_count]
  const int32_t* limits;
  int32_t* positions;
  int32_t* counts;
  int32_t* out_tokens;  // [B, capacity] like the next three
  float* out_log_probs;
  float* out_log_masses;
  float* out_entropies;
  int64_t stop_count;
  int64_t capacity;

  ZERO_RL_HOST_DEVICE void operator()(int64_t row) const {
    if (positions[row] < 0) return;
    const int32_t token = tokens[row];
    const int32_t count = counts[row];
    ZERO_RL_DEBUG_CHECK(count >= 0);
    const int64_t place = row * capacity + count % capacity;
    out_tokens[place] = token;
    out_log_probs[place] = log_probs[row];
    out_log_masses[place] = log_masses[row];
    out_entropies[place] = entropies[row];
    counts[row] = count + 1;
    const bool finite = log_probs[row] > -INFINITY && log_probs[row] < INFINITY;
    bool over = count + 1 >= limits[row] || !finite;
    for (int64_t i = 0; i < stop_count; ++i) over = over || stop_tokens[row * stop_count + i] == token;
    positions[row] = over ? -1 - positions[row] : positions[row] + 1;
  }
};

}  // namespace zero_rl::device
