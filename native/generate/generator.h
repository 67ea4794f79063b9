// Continuous batching: a queue of (prompt, sample) pairs, prompts prefilled once per group, a freed slot
// refilled before the next decode step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "generate/sampler.h"
#include "generate/stop_matcher.h"
#include "runtime/abort_flag.h"

namespace zero_rl {

struct GenerateRequest {
  std::vector<int32_t> tokens;   // prompts one after the other
  std::vector<int64_t> offsets;  // [prompts + 1]
  std::vector<uint64_t> uids;    // [prompts]
  int64_t samples = 1;           // per prompt
  int64_t max_tokens = 128;
  SamplerOptions sampler;
  std::vector<int32_t> stop_tokens;
  StopStrings stop_strings;
  int64_t max_batch = 0;  // 0: by memory

  int64_t prompts() const { return static_cast<int64_t>(uids.size()); }
  int64_t prompt_length(int64_t prompt) const { return offsets[prompt + 1] - offsets[prompt]; }
  int64_t longest_prompt() const {
    int64_t longest = 0;
    for (int64_t i = 0; i < prompts(); ++i) longest = std::max(longest, prompt_length(i));
    return longest;
  }
};

struct Completion {
  int64_t prompt;
  int64_t sample;
  std::vector<int32_t> tokens;
  std::vector<float> log_probs;
  std::vector<float> log_masses;  // one per token, or empty where nothing is truncated
  std::vector<uint8_t> kept;      // see model/kept_sets.h, where it is recorded
  bool stopped = false;           // by an end token or stop string, not by length
};

struct GenerateStats {
  int64_t steps = 0;
  // While work was queued: slots offered and slots that carried a live sequence.
  int64_t slot_steps = 0;
  int64_t live_slot_steps = 0;
  int64_t prompt_tokens = 0;
  int64_t new_tokens = 0;
};

// Throws ERR_ZERO_RL_NOT_FINITE for the log-prob of a token drawn from logits that are NaN or infinite.
void check_drawn(float log_prob);

// Called with the completions that ended in a step.
using CompletionSink = std::function<void(std::vector<Completion>)>;

class Generator {};

}  // namespace zero_rl
