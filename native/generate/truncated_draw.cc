#include "generate/truncated_draw.h"

#include <algorithm>
#include <bit>

namespace zero_rl {

namespace {

int64_t bucket_of(float exponential, int shift, int64_t buckets) {
  return std::min<int64_t>(std::bit_cast<uint32_t>(exponential) >> shift, buckets - 1);
}

}  // namespace

void TruncatedDraw::count() {
  buckets_.fill({});
  for (int64_t j = 0; j < vocab_; ++j) {
    if (!kept(exponentials_[j], static_cast<int32_t>(j))) continue;
    Bucket& bucket = buckets_[bucket_of(exponentials_[j], kShift, kBuckets)];
    bucket.mass += exponentials_[j];
    ++bucket.count;
  }
}

double TruncatedDraw::total() const {
  double sum = 0;
  for (int64_t b = kBuckets - 1; b >= 0; --b) sum += buckets_[b].mass;
  return sum;
}

const std::vector<int32_t>& TruncatedDraw::sorted(int64_t bucket) {
  members_.clear();
  for (int64_t j = 0; j < vocab_; ++j) {
    const auto token = static_cast<int32_t>(j);
    if (bucket_of(exponentials_[j], kShift, kBuckets) == bucket && kept(exponentials_[j], token)) members_.push_back(token);
  }
  std::sort(members_.begin(), members_.end(), [this](int32_t a, int32_t b) {
    return exponentials_[a] != exponentials_[b] ? exponentials_[a] > exponentials_[b] : a < b;
  });
  return members_;
}

void TruncatedDraw::keep_top_k() {
  int64_t above = 0;
  for (int64_t b = kBuckets - 1; b >= 0; --b) {
    if (above + buckets_[b].count >= truncation_.top_k) {
      cut_.value = exponentials_[sorted(b)[truncation_.top_k - above - 1]];
      return;
    }
    above += buckets_[b].count;
  }
}

void TruncatedDraw::keep_top_p() {
  const double wanted = truncation_.top_p * total();
  double above = 0;
  for (int64_t b = kBuckets - 1; b >= 0; --b) {
    if (above + buckets_[b].mass < wanted || buckets_[b].count == 0) {
      above += buckets_[b].mass;
      continue;
    }
    Cut last;
    for (const int32_t token : sorted(b)) {
      last = {exponentials_[token], token};
      above += exponentials_[token];
      if (above >= wanted) break;
    }
    cut_ = last;
    return;
  }
}

void TruncatedDraw::truncate() {
  cut_ = {};
  if (truncation_.top_k > 0 && truncation_.top_k < vocab_) {
    count();
    keep_top_k();
  }
  if (truncation_.top_p < 1) {
    count();
    keep_top_p();
  }
  if (truncation_.min_p > cut_.value) cut_ = {truncation_.min_p, std::numeric_limits<int32_t>::max()};
  count();
}

std::vector<int32_t> TruncatedDraw::kept_tokens() const {
  std::vector<int32_t> ids;
  for (int64_t j = 0; j < vocab_; ++j) {
    const auto token = static_cast<int32_t>(j);
    if (kept(exponentials_[j], token)) ids.push_back(token);
  }
  return ids;
}

int32_t TruncatedDraw::draw(const float* exponentials, int64_t vocab, double uniform) {
  exponentials_ = exponentials;
  vocab_ = vocab;
  truncate();
  const double target = uniform * total();
  double cumulative = 0;
  int32_t last = static_cast<int32_t>(std::max_element(exponentials, exponentials + vocab) - exponentials);
  for (int64_t b = kBuckets - 1; b >= 0; --b) {
    if (buckets_[b].count == 0) continue;
    if (cumulative + buckets_[b].mass <= target) {
      cumulative += buckets_[b].mass;
      continue;
    }
    for (const int32_t token : sorted(b)) {
      last = token;
      cumulative += exponentials[token];
      if (cumulative > target) break;
    }
    return last;  // the sums differ by rounding
  }
  return last;
}

}  // namespace zero_rl
