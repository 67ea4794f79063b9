#include "generate/sampler.h"

#include <algorithm>
#include <cmath>

#include "runtime/parallel.h"
#include "runtime/philox.h"

namespace zero_rl {

Sampler::Sampler(const SamplerOptions& options, int64_t vocab)
    : options_(options),
      vocab_(vocab),
      truncated_(options.top_p < 1 || (options.top_k > 0 && options.top_k < vocab) || options.min_p > 0) {}

// Inverse of the cumulative distribution in token order.
int32_t Sampler::draw(const float* exponentials, double sum, double uniform) const {
  const double target = uniform * sum;
  double cumulative = 0;
  int32_t last = 0;
  for (int64_t j = 0; j < vocab_; ++j) {
    cumulative += exponentials[j];
    if (exponentials[j] > 0) last = static_cast<int32_t>(j);
    if (cumulative > target) return static_cast<int32_t>(j);
  }
  return last;  // the sums differ by rounding
}

// top-k, then top-p on what is left, then min-p, as transformers orders its warpers. Ties at the k-th place
// stay in; within equal probabilities lower ids come first. The most likely token always stays.
int32_t Sampler::draw_truncated(const float* exponentials, double uniform, std::vector<int32_t>& candidates) const {
  // Exponentials are relative to the maximum, so min-p is a bound on them. Without top-p the order does not
  // matter, and the bound comes first because it leaves less to sort.
  const bool bound_first = options_.top_p >= 1;
  candidates.clear();
  for (int64_t j = 0; j < vocab_; ++j) {
    if (!bound_first || exponentials[j] >= options_.min_p) candidates.push_back(static_cast<int32_t>(j));
  }
  const auto likelier = [exponentials](int32_t a, int32_t b) {
    return exponentials[a] != exponentials[b] ? exponentials[a] > exponentials[b] : a < b;
  };
  if (candidates.empty()) {
    candidates.push_back(static_cast<int32_t>(std::max_element(exponentials, exponentials + vocab_) - exponentials));
  }
  if (options_.top_k > 0 && options_.top_k < static_cast<int64_t>(candidates.size())) {
    const auto kth = candidates.begin() + (options_.top_k - 1);
    std::nth_element(candidates.begin(), kth, candidates.end(), likelier);
    const float threshold = exponentials[*kth];
    std::erase_if(candidates, [&](int32_t j) { return exponentials[j] < threshold; });
  }
  std::sort(candidates.begin(), candidates.end(), likelier);
  double sum = 0;
  for (const int32_t j : candidates) sum += exponentials[j];
  if (!bound_first) {
    double kept = 0;
    size_t count = 0;
    while (count < candidates.size() && (count == 0 || kept < options_.top_p * sum)) {
      kept += exponentials[candidates[count++]];
    }
    candidates.resize(count);
    while (candidates.size() > 1 && exponentials[candidates.back()] < options_.min_p) {
      kept -= exponentials[candidates.back()];
      candidates.pop_back();
    }
    sum = kept;
  }
  const double target = uniform * sum;
  double cumulative = 0;
  for (const int32_t j : candidates) {
    cumulative += exponentials[j];
    if (cumulative > target) return j;
  }
  return candidates.back();
}

void Sampler::sample(const kernels::Table& kernels, const float* logits, const SampleKey* keys, int64_t rows,
                     SampledToken* out) {
  exponentials_.resize(rows * vocab_);
  maxima_.resize(rows);
  sums_.resize(rows);
  const float inverse_temperature = options_.temperature == 0 ? 1.0F : 1.0F / options_.temperature;
  kernels.softmax({.logits = logits,
                   .exponentials = exponentials_.data(),
                   .inverse_temperature = inverse_temperature,
                   .targets = nullptr,
                   .log_probs = nullptr,
                   .entropies = nullptr,
                   .maxima = maxima_.data(),
                   .sums = sums_.data(),
                   .rows = rows,
                   .vocab = vocab_});
  parallel_ranges(rows, 1 + 4096 / vocab_, [&](int64_t begin, int64_t end, int) {
    std::vector<int32_t> candidates;
    for (int64_t row = begin; row < end; ++row) {
      const float* row_logits = logits + row * vocab_;
      const float* exponentials = exponentials_.data() + row * vocab_;
      const SampleKey& key = keys[row];
      int32_t token = 0;
      if (options_.temperature == 0) {
        token = static_cast<int32_t>(std::max_element(row_logits, row_logits + vocab_) - row_logits);
      } else {
        const auto bits = philox(options_.seed, {key.position, key.sample, static_cast<uint32_t>(key.uid),
                                                 static_cast<uint32_t>(key.uid >> 32)});
        const double uniform = uniform_open(bits[0], bits[1]);
        token = truncated_ ? draw_truncated(exponentials, uniform, candidates)
                           : draw(exponentials, sums_[row], uniform);
      }
      out[row] = {token, kernels::log_prob(row_logits[token], inverse_temperature, maxima_[row], sums_[row])};
    }
  });
}

}  // namespace zero_rl
