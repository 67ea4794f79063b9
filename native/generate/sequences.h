// What the scheduler keeps of requests and their sequences.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "generate/page_cache.h"
#include "generate/request.h"

namespace zero_rl {

// Its sequences wait in the request, are about to get rows (opened), or have rows.
struct LiveRequest {
  Submission submission;
  GenerateStats stats = {};
  int64_t next_prompt = 0;  // from here on nothing has been opened
  int64_t opened = 0;
  int64_t rows = 0;
  int64_t preempted = 0;  // sequences that had a row and wait again
  int64_t left = 0;       // not ended
  int64_t pages = 0;      // of its longest sequence
  bool truncated = false;
  bool records_kept = false;
  int64_t claim = 0;      // rows that it may take now
  std::vector<Completion> finished = {};
  std::exception_ptr error = {};

  const GenerateRequest& request() const { return submission.request; }
  bool low() const { return request().low_priority; }
  int64_t unopened() const { return preempted + (request().prompts() - next_prompt) * request().samples; }
  // Whether sequences have no row.
  bool waits() const { return opened + unopened() > 0; }
  std::span<const int32_t> prompt(int64_t index) const {
    return std::span(request().tokens).subspan(request().offsets[index], request().prompt_length(index));
  }
};

// Which one gives way to which: low priority first, then what came later.
struct Rank {
  bool low;
  uint64_t order;
  int64_t sample;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

struct Sequence {
  LiveRequest* owner = nullptr;
  Rank rank = {};
  Completion completion = {};  // what has been drawn
  int32_t limit = 0;           // most new tokens
  std::string tail = {};       // end of the text, for stop strings
  std::vector<int32_t> pages = {};

  int64_t prompt_length() const { return owner->request().prompt_length(completion.prompt); }
  int64_t drawn() const { return static_cast<int64_t>(completion.tokens.size()); }
  // Prompt and completion.
  std::vector<int32_t> tokens() const {
    const auto prompt = owner->prompt(completion.prompt);
    std::vector<int32_t> all(prompt.begin(), prompt.end());
    all.insert(all.end(), completion.tokens.begin(), completion.tokens.end());
    return all;
  }
};

// Tokens that sequences are to go on from: the prompt of those that have not begun, or all of one that lost its row.
struct Context {
  LiveRequest* owner = nullptr;
  Rank rank = {};
  std::vector<int32_t> tokens = {};
  int64_t prompt = 0;
  int64_t next_sample = 0;  // of those that have no row yet
  int64_t end_sample = 0;
  std::optional<Sequence> preempted = {};

  bool matched = false;  // with what is cached
  std::vector<int32_t> pages = {};
  int64_t computed = 0;  // tokens whose keys and values are in the pages
  at::Tensor logits = {};  // [., V] of the pass that computed the last token; undefined before
  int64_t logits_row = 0;

  int64_t length() const { return static_cast<int64_t>(tokens.size()); }
  int64_t members() const { return preempted ? 1 : end_sample - next_sample; }
  bool ready() const { return logits.defined(); }
  // Gives the pages up; what has been computed stays cached as long as there is room.
  void reset(PageCache& cache) {
    cache.tree().insert(std::span(tokens).first(computed), pages);
    cache.release(pages);
    matched = false;
    computed = 0;
    logits.reset();
  }
};

}  // namespace zero_rl
