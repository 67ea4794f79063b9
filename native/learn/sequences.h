// Scored sequences and their grouping into micro-batches.
#pragma once

#include <cstdint>
#include <vector>

#include "model/kept_sets.h"
#include "model/packed_tokens.h"

namespace zero_rl {

// Prompt and response of each sequence, one after the other. Values per response token are laid out
// sequence after sequence.
struct Sequences {
  std::vector<int32_t> tokens;
  std::vector<int64_t> offsets;         // [sequences + 1]
  std::vector<int64_t> prompt_lengths;  // [sequences], at least 1
  // What truncated draws of the responses were made from, see model/kept_sets.h: empty, or one entry per sequence, which is
  // empty where nothing was truncated.
  std::vector<std::vector<uint8_t>> kept_bytes;
  KeptSets kept;  // read from them

  int64_t count() const { return static_cast<int64_t>(prompt_lengths.size()); }
  int64_t response_length(int64_t index) const { return offsets[index + 1] - offsets[index] - prompt_lengths[index]; }
  int64_t response_tokens() const;
  // Moves kept_bytes to kept. Throws ERR_ZERO_RL_DATA where they do not fit the responses.
  void read_kept(int64_t vocab);
};

// A run of whole sequences. The last token of a sequence predicts nothing and is not run.
struct MicroBatch {
  PackedTokens packed;
  std::vector<int64_t> rows;       // [R] packed position whose output predicts the response token
  std::vector<int32_t> targets;    // [R]
  std::vector<int64_t> responses;  // [R] index of the response token among all of the call
  const KeptSets* kept = nullptr;  // of all response tokens of the call; null where nothing was truncated
};

// Consecutive sequences up to `token_limit` packed tokens each; a longer sequence is a batch of its own. Neighbours with the same
// prompt share all of it but its last token. Sequences that `skipped` [sequences] names are left out; it may be empty.
std::vector<MicroBatch> split(const Sequences& sequences, int64_t token_limit, const std::vector<bool>& skipped = {});

}  // namespace zero_rl
