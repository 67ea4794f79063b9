// Draws from the most likely tokens of a row: top-k, then top-p on what is left, then min-p, as transformers orders its
// warpers. Ties at the k-th place stay in; within equal probabilities lower ids come first. The most likely token always
// stays. Tokens are counted into buckets by the leading bits of their probability, and no more than the bucket that holds a
// bound, or the drawn token, is sorted.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace zero_rl {

struct Truncation {
  int64_t top_k = 0;  // 0: off
  float top_p = 1;
  float min_p = 0;

  // Whether draws are from a part of the vocabulary.
  bool cuts(int64_t vocab) const { return top_p < 1 || (top_k > 0 && top_k < vocab) || min_p > 0; }
};

class TruncatedDraw {
 public:
  explicit TruncatedDraw(const Truncation& truncation) : truncation_(truncation) {}

  // The inverse of the cumulative distribution, most likely first. `exponentials` [V] are relative to the largest.
  int32_t draw(const float* exponentials, int64_t vocab, double uniform);

  // Of the last draw, whose exponentials are still there: Σ exponentials of the tokens kept, and their ids, rising.
  double kept_mass() const { return total(); }
  std::vector<int32_t> kept_tokens() const;

 private:
  // Kept are the tokens down to this one.
  struct Cut {
    float value = std::numeric_limits<float>::min();
    int32_t token = std::numeric_limits<int32_t>::max();
  };
  struct Bucket {
    double mass;
    int64_t count;
  };
  // The leading 12 bits of floats up to 1, and a little more: rounding may exceed it.
  static constexpr int kShift = 20;
  static constexpr int64_t kBuckets = (0x3F800000 >> kShift) + 2;

  bool kept(float exponential, int32_t token) const {
    return exponential > cut_.value || (exponential == cut_.value && token <= cut_.token);
  }
  void truncate();
  void count();
  double total() const;
  const std::vector<int32_t>& sorted(int64_t bucket);
  void keep_top_k();
  void keep_top_p();

  Truncation truncation_;
  const float* exponentials_ = nullptr;
  int64_t vocab_ = 0;
  Cut cut_;
  std::array<Bucket, kBuckets> buckets_{};
  std::vector<int32_t> members_;
};

}  // namespace zero_rl
