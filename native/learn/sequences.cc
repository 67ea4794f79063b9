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

// Sequences after the first one that begin with its prompt; those without a response end the run.
int64_t sharing_run(const Sequences& sequences, int64_t first) {
  const int64_t prompt = sequences.prompt_lengths[first];
  const int32_t* tokens = sequences.tokens.data() + sequences.offsets[first];
  int64_t end = first + 1;
  while (end < sequences.count() && sequences.prompt_lengths[end] == prompt && sequences.response_length(end) > 0 &&
         std::equal(tokens, tokens + prompt, sequences.tokens.data() + sequences.offsets[end])) {
    ++end;
  }
  return end - first;
}

}  // namespace

std::vector<MicroBatch> split(const Sequences& sequences, int64_t token_limit, bool share_prompts) {
  std::vector<MicroBatch> batches;
  kernels::Segment beginning{};  // that the sequences left in the run share
  int64_t run = 0;
  int64_t response = 0;
  for (int64_t i = 0; i < sequences.count(); ++i) {
    const int32_t* tokens = sequences.tokens.data() + sequences.offsets[i];
    const int64_t length = sequences.offsets[i + 1] - sequences.offsets[i];
    const int64_t prompt = sequences.prompt_lengths[i];
    if (length == prompt) {
      run = 0;
      continue;
    }
    bool fresh = run == 0;
    if (fresh) run = share_prompts ? sharing_run(sequences, i) : 1;
    const int64_t shared = run > 1 || !fresh ? prompt - 1 : 0;
    const int64_t added = length - 1 - (fresh ? 0 : shared);
    if (batches.empty() || batches.back().packed.count() + added > token_limit) {
      batches.emplace_back().first_response = response;
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
    }
    batch.sequence_tokens += length;
    response += length - prompt;
    --run;
  }
  return batches;
}

}  // namespace zero_rl
