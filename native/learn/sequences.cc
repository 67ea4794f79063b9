#include "learn/sequences.h"

namespace zero_rl {

int64_t Sequences::response_tokens() const {
  int64_t total = 0;
  for (int64_t i = 0; i < count(); ++i) total += offsets[i + 1] - offsets[i] - prompt_lengths[i];
  return total;
}

std::vector<MicroBatch> split(const Sequences& sequences, int64_t token_limit) {
  std::vector<MicroBatch> batches;
  int64_t response = 0;
  for (int64_t i = 0; i < sequences.count(); ++i) {
    const int32_t* tokens = sequences.tokens.data() + sequences.offsets[i];
    const int64_t length = sequences.offsets[i + 1] - sequences.offsets[i];
    const int64_t prompt = sequences.prompt_lengths[i];
    if (length == prompt) continue;
    if (batches.empty() || batches.back().packed.count() + length - 1 > token_limit) {
      batches.emplace_back().first_response = response;
    }
    MicroBatch& batch = batches.back();
    const int64_t start = batch.packed.count();
    batch.packed.append(tokens, length - 1);
    for (int64_t t = prompt; t < length; ++t) {
      batch.rows.push_back(start + t - 1);
      batch.targets.push_back(tokens[t]);
    }
    response += length - prompt;
  }
  return batches;
}

}  // namespace zero_rl
