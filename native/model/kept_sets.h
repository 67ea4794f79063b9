// The tokens that truncated draws (top-k, top-p, min-p) were made from, so that scoring and training can renormalise over
// them: π(token) / S with S = Σ π over the set. The set is that of the policy at the rollout and stays while the policy moves,
// so ratios compare two distributions over the same tokens (Keep Sampling Mask of DeepSeek-V3.2, arXiv 2512.02556).
//
// It is kept, not computed again: after an update the same rule would keep other tokens, and on a device the logits of a
// decode step and of a packed pass differ by rounding, which moves tokens across the border. That takes few bytes, since most
// sets are small: for each token drawn a header, then the set in the shorter of two forms.
//   0        no truncation: every token
//   1 + 2n   n ids, rising: the first, then the distance of each to the one before less 1
//   2        a bit for each token of the vocabulary, ⌈V / 8⌉ bytes, the lowest bit first
// Headers, ids and distances are little-endian base-128 numbers, seven bits a byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zero_rl {

// Appends a set of ids, which rise.
void append_kept(std::vector<uint8_t>& out, const std::vector<int32_t>& ids, int64_t vocab);

// The sets of response tokens, one after the other.
class KeptSets {
 public:
  // Whether no draw was truncated.
  bool empty() const { return begins_.empty(); }

  // Takes the sets of a sequence over, which were recorded as its response tokens [count] were drawn.
  // Throws ERR_ZERO_RL_DATA, which begins with `name`, for other bytes than append_kept writes, and where a token is not in
  // its set.
  void append(const std::string& name, const std::vector<uint8_t>& bytes, const int32_t* tokens, int64_t count,
              int64_t vocab);
  // So many tokens that were drawn from all of the vocabulary.
  void append_whole(int64_t count);

  // Whether the draw `index` was from all of the vocabulary.
  bool whole(int64_t index) const { return bytes_[begins_[index]] == 0; }
  // Lowers the logits of tokens outside the set so far that at this temperature they have no probability.
  void apply(int64_t index, float temperature, float* logits, int64_t vocab) const;
  // One bit for each token, ⌈V / 32⌉ words.
  void write_words(int64_t index, uint32_t* words, int64_t vocab) const;

 private:
  template <class Visit>
  void visit(int64_t index, int64_t vocab, const Visit& visit) const;

  std::vector<uint8_t> bytes_;
  std::vector<int64_t> begins_;
};

}  // namespace zero_rl
