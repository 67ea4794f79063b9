#include "learn/sequences.h"

#include <algorithm>
#include <string>

namespace zero_rl {

int64_t Sequences::response_tokens() const {
  int64_t total = 0;
  for (int64_t i = 0; i < count(); ++i) total += offsets[i + 1] - offsets[i] - prompt_lengths[i];
  return total;
}

void Sequences::read_kept(int64_t vocab) {
  if (kept_bytes.empty()) return;
  for (int64_t i = 0; i < count(); ++i) {
    const int64_t length = response_length(i);
    if (kept_bytes[i].empty()) {
      kept.append_whole(length);
    } else {
      kept.append("sequences[" + std::to_string(i) + "].keptTokens", kept_bytes[i],
                  tokens.data() + offsets[i] + prompt_lengths[i], length, vocab);
    }
  }
  kept_bytes.clear();
}

namespace {

// What is run of a call, in order: sequences with a response that are not skipped.
std::vector<int64_t> running(const Sequences& sequences, const std::vector<bool>& skipped) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < sequences.count(); ++i) {
    if (sequences.response_length(i) > 0 && (skipped.empty() || !skipped[i])) result.push_back(i);
  }
  return result;
}

bool share_prompt(const Sequences& sequences, int64_t a, int64_t b) {
  const int64_t prompt = sequences.prompt_lengths[a];
  const int32_t* tokens = sequences.tokens.data();
  return sequences.prompt_lengths[b] == prompt &&
         std::equal(tokens + sequences.offsets[a], tokens + sequences.offsets[a] + prompt, tokens + sequences.offsets[b]);
}

}  // namespace

std::vector<MicroBatch> split(const Sequences& sequences, int64_t token_limit, const std::vector<bool>& skipped) {
  std::vector<MicroBatch> batches;
  std::vector<int64_t> first_response{0};
  for (int64_t i = 0; i < sequences.count(); ++i) first_response.push_back(first_response.back() + sequences.response_length(i));
  const std::vector<int64_t> run = running(sequences, skipped);
  kernels::Segment beginning{};  // of the prompt of the sequence before
  for (size_t r = 0; r < run.size(); ++r) {
    const int64_t i = run[r];
    const int32_t* tokens = sequences.tokens.data() + sequences.offsets[i];
    const int64_t length = sequences.offsets[i + 1] - sequences.offsets[i];
    const int64_t prompt = sequences.prompt_lengths[i];
    const bool as_before = r > 0 && share_prompt(sequences, run[r - 1], i);
    const bool as_next = r + 1 < run.size() && share_prompt(sequences, i, run[r + 1]);
    const int64_t shared = as_before || as_next ? prompt - 1 : 0;
    bool fresh = !as_before;
    const int64_t added = length - 1 - (fresh ? 0 : shared);
    if (batches.empty() || batches.back().packed.count() + added > token_limit) {
      batches.emplace_back();
      if (!sequences.kept.empty()) batches.back().kept = &sequences.kept;
      fresh = true;
    }
    MicroBatch& batch = batches.back();
    if (fresh) beginning = shared > 0 ? batch.packed.append(tokens, shared) : kernels::Segment{};
    const kernels::Segment own = shared > 0 ? batch.packed.append_after(beginning, tokens + shared, length - 1 - shared)
                                            : batch.packed.append(tokens, length - 1);
    for (int64_t t = prompt; t < length; ++t) {
      batch.rows.push_back(own.begin + t - 1 - shared);
      batch.targets.push_back(tokens[t]);
      batch.responses.push_back(first_response[i] + t - prompt);
    }
  }
  return batches;
}

}  // namespace zero_rl
