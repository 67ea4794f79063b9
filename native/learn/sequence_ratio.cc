#include "learn/sequence_ratio.h"

#include <algorithm>

namespace zero_rl {

SequenceRatios sequence_ratios(const Sequences& sequences, const std::vector<float>& log_probs,
                               const std::vector<float>& old_log_probs, const std::vector<float>& weights,
                               bool product) {
  SequenceRatios ratios{std::vector<float>(log_probs.size()), std::vector<float>(log_probs.size())};
  int64_t begin = 0;
  for (int64_t i = 0; i < sequences.count(); ++i) {
    const int64_t end = begin + sequences.response_length(i);
    double sum = 0;
    int64_t trained = 0;
    for (int64_t t = begin; t < end; ++t) {
      if (weights[t] == 0) continue;
      sum += static_cast<double>(log_probs[t]) - old_log_probs[t];
      ++trained;
    }
    const double share = 1.0 / static_cast<double>(std::max<int64_t>(1, trained));
    std::fill(ratios.log_ratios.begin() + begin, ratios.log_ratios.begin() + end,
              static_cast<float>(product ? sum : sum * share));
    std::fill(ratios.shares.begin() + begin, ratios.shares.begin() + end, static_cast<float>(share));
    begin = end;
  }
  return ratios;
}

}  // namespace zero_rl
