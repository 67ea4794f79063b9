#include "generate/draw_token.h"

#include <algorithm>
#include <cmath>

#include "runtime/philox.h"

namespace zero_rl {

namespace {

// Inverse of the cumulative distribution in token order.
int32_t invert(const float* exponentials, int64_t vocab, double target) {
  double cumulative = 0;
  int32_t last = 0;
  for (int64_t j = 0; j < vocab; ++j) {
    cumulative += exponentials[j];
    if (exponentials[j] > 0) last = static_cast<int32_t>(j);
    if (cumulative > target) return static_cast<int32_t>(j);
  }
  return last;  // the sums differ by rounding
}

}  // namespace

DrawnToken draw_token(const kernels::Table& kernels, const float* logits, float* exponentials, int64_t vocab,
                      float temperature, const Truncation& truncation, const DrawKey& key, std::vector<int32_t>* kept) {
  const float inverse_temperature = temperature == 0 ? 1.0F : 1.0F / temperature;
  DrawnToken drawn{};
  float maximum = 0;
  float sum = 0;
  kernels.softmax({.logits = logits,
                   .exponentials = exponentials,
                   .inverse_temperature = inverse_temperature,
                   .targets = nullptr,
                   .log_probs = nullptr,
                   .entropies = &drawn.entropy,
                   .maxima = &maximum,
                   .sums = &sum,
                   .rows = 1,
                   .vocab = vocab});
  if (temperature == 0) {
    drawn.token = static_cast<int32_t>(std::max_element(logits, logits + vocab) - logits);
  } else {
    const auto bits = philox(key.seed, {key.position, key.sample, static_cast<uint32_t>(key.uid),
                                        static_cast<uint32_t>(key.uid >> 32)});
    const double uniform = uniform_open(bits[0], bits[1]);
    if (truncation.cuts(vocab)) {
      TruncatedDraw draw(truncation);
      drawn.token = draw.draw(exponentials, vocab, uniform);
      drawn.log_mass = std::min(0.0F, static_cast<float>(std::log(draw.kept_mass() / sum)));
      if (kept != nullptr) *kept = draw.kept_tokens();
    } else {
      drawn.token = invert(exponentials, vocab, uniform * static_cast<double>(sum));
    }
  }
  drawn.log_prob = kernels::log_prob(logits[drawn.token], inverse_temperature, maximum, sum);
  return drawn;
}

}  // namespace zero_rl
