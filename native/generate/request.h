// What is to be sampled, and what comes of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "generate/stop_matcher.h"
#include "runtime/abort_flag.h"

namespace zero_rl {

struct SamplerOptions {
  float temperature = 1;  // 0: the most likely token
  float top_p = 1;
  int64_t top_k = 0;  // 0: off
  float min_p = 0;
  uint64_t seed = 0;
  bool record_kept = false;  // the tokens that a truncation keeps, with every draw

  // Whether draws are from a part of the vocabulary.
  bool truncated(int64_t vocab) const {
    return temperature != 0 && (top_p < 1 || (top_k > 0 && top_k < vocab) || min_p > 0);
  }
  bool records_kept(int64_t vocab) const { return record_kept && truncated(vocab); }
};

struct GenerateRequest {
  std::vector<int32_t> tokens;   // prompts one after the other
  std::vector<int64_t> offsets;  // [prompts + 1]
  std::vector<uint64_t> uids;    // [prompts]
  int64_t samples = 1;           // per prompt
  int64_t first_sample = 0;
  int64_t max_tokens = 128;
  SamplerOptions sampler;
  std::vector<int32_t> stop_tokens;
  StopStrings stop_strings;
  int64_t max_batch = 0;  // 0: by the operators and memory
  bool low_priority = false;

  int64_t prompts() const { return static_cast<int64_t>(uids.size()); }
  int64_t prompt_length(int64_t prompt) const { return offsets[prompt + 1] - offsets[prompt]; }
  int64_t longest_prompt() const {
    int64_t longest = 0;
    for (int64_t i = 0; i < prompts(); ++i) longest = std::max(longest, prompt_length(i));
    return longest;
  }
};

struct Completion {
  int64_t prompt = 0;
  int64_t sample = 0;
  std::vector<int32_t> tokens;
  std::vector<float> log_probs;
  std::vector<float> entropies;   // nats, of the temperature-scaled, untruncated distribution of each token
  std::vector<float> log_masses;  // one per token, or empty where nothing is truncated
  std::vector<uint8_t> kept;      // see model/kept_sets.h, where it is recorded
  bool stopped = false;           // by an end token or stop string, not by length
};

struct GenerateStats {
  int64_t steps = 0;
  // While work was queued: rows offered and rows that carried a live sequence.
  int64_t slot_steps = 0;
  int64_t live_slot_steps = 0;
  int64_t prompt_tokens = 0;  // computed: those of a context whose pages were taken from a sequence count again
  int64_t cached_tokens = 0;  // of contexts, whose keys and values were there
  int64_t new_tokens = 0;
};

// A request on its way through the scheduler. The functions are called on the engine's thread.
struct Submission {
  GenerateRequest request;
  std::shared_ptr<AbortFlag> abort;
  // The completions that ended in a step.
  std::function<void(std::vector<Completion>)> deliver;
  // Once, at last; the exception is null where all completions were delivered.
  std::function<void(const GenerateStats&, std::exception_ptr)> end;
};

}  // namespace zero_rl
