#include "generate/sampler.h"

#include <algorithm>
#include <cmath>

#include "generate/truncated_draw.h"
#include "model/kept_sets.h"
#include "runtime/parallel.h"
#include "runtime/philox.h"

namespace zero_rl {

Sampler::Sampler(const SamplerOptions& options, int64_t vocab)
    : options_(options), vocab_(vocab), truncated_(options.truncated(vocab)) {}

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
    TruncatedDraw truncated({.top_k = options_.top_k, .top_p = options_.top_p, .min_p = options_.min_p});
    for (int64_t row = begin; row < end; ++row) {
      const float* row_logits = logits + row * vocab_;
      const float* exponentials = exponentials_.data() + row * vocab_;
      const SampleKey& key = keys[row];
      SampledToken& drawn = out[row];
      drawn.log_mass = 0;
      drawn.kept.clear();
      int32_t token = 0;
      if (options_.temperature == 0) {
        token = static_cast<int32_t>(std::max_element(row_logits, row_logits + vocab_) - row_logits);
      } else {
        const auto bits = philox(options_.seed, {key.position, key.sample, static_cast<uint32_t>(key.uid),
                                                 static_cast<uint32_t>(key.uid >> 32)});
        const double uniform = uniform_open(bits[0], bits[1]);
        if (truncated_) {
          token = truncated.draw(exponentials, vocab_, uniform);
          drawn.log_mass = std::min(0.0F, static_cast<float>(std::log(truncated.kept_mass() / sums_[row])));
          if (options_.record_kept) append_kept(drawn.kept, truncated.kept_tokens(), vocab_);
        } else {
          token = draw(exponentials, sums_[row], uniform);
        }
      }
      drawn.token = token;
      drawn.log_prob = kernels::log_prob(row_logits[token], inverse_temperature, maxima_[row], sums_[row]);
    }
  });
}

}  // namespace zero_rl
