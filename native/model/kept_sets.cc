#include "model/kept_sets.h"

#include <algorithm>
#include <limits>

#include "runtime/error.h"

namespace zero_rl {

namespace {

constexpr uint64_t kWhole = 0;
constexpr uint64_t kBits = 2;

int64_t bit_bytes(int64_t vocab) { return (vocab + 7) / 8; }

void append_number(std::vector<uint8_t>& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

uint64_t read_number(const uint8_t*& at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const uint8_t byte = *at++;
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

// The same of bytes that may be anything; false where they end or the number is none of ours.
bool read_checked(const std::vector<uint8_t>& bytes, size_t& at, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 35 && at < bytes.size(); shift += 7) {
    const uint8_t byte = bytes[at++];
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

enum class Found { kInside, kOutside, kMalformed };

// Moves over one set and says whether `token` is in it.
Found check_set(const std::vector<uint8_t>& bytes, size_t& at, int32_t token, int64_t vocab) {
  uint64_t header = 0;
  if (!read_checked(bytes, at, header)) return Found::kMalformed;
  if (header == kWhole) return Found::kInside;
  if (header == kBits) {
    const auto size = static_cast<size_t>(bit_bytes(vocab));
    if (bytes.size() - at < size) return Found::kMalformed;
    const bool inside = (bytes[at + token / 8] >> (token % 8) & 1) != 0;
    at += size;
    return inside ? Found::kInside : Found::kOutside;
  }
  if (header % 2 == 0 || header < 3) return Found::kMalformed;
  int64_t id = -1;
  bool inside = false;
  for (uint64_t left = header / 2; left > 0; --left) {
    uint64_t distance = 0;
    if (!read_checked(bytes, at, distance)) return Found::kMalformed;
    id += static_cast<int64_t>(distance) + 1;
    if (id >= vocab) return Found::kMalformed;
    inside = inside || id == token;
  }
  return inside ? Found::kInside : Found::kOutside;
}

Error unfit(const std::string& name, const std::string& problem) {
  return {"ERR_ZERO_RL_DATA",
          name + " " + problem + "; give the keptTokens of the very rollout that the response tokens are from"};
}

}  // namespace

void append_kept(std::vector<uint8_t>& out, const std::vector<int32_t>& ids, int64_t vocab) {
  const size_t start = out.size();
  append_number(out, 1 + 2 * static_cast<uint64_t>(ids.size()));
  const size_t most = start + 1 + static_cast<size_t>(bit_bytes(vocab));
  int32_t before = -1;
  for (const int32_t id : ids) {
    append_number(out, static_cast<uint64_t>(id - before - 1));
    before = id;
    if (out.size() > most) break;
  }
  if (out.size() <= most) return;
  out.resize(start);
  append_number(out, kBits);
  out.resize(most);
  for (const int32_t id : ids) out[start + 1 + id / 8] |= static_cast<uint8_t>(1 << (id % 8));
}

void KeptSets::append(const std::string& name, const std::vector<uint8_t>& bytes, const int32_t* tokens, int64_t count,
                      int64_t vocab) {
  const auto base = static_cast<int64_t>(bytes_.size());
  size_t at = 0;
  for (int64_t t = 0; t < count; ++t) {
    begins_.push_back(base + static_cast<int64_t>(at));
    switch (check_set(bytes, at, tokens[t], vocab)) {
      case Found::kMalformed:
        throw unfit(name, "does not hold a set for each of " + std::to_string(count) + " response tokens");
      case Found::kOutside:
        throw unfit(name, "has a set without response token " + std::to_string(t) + ", " + std::to_string(tokens[t]));
      case Found::kInside:
        break;
    }
  }
  if (at != bytes.size()) throw unfit(name, "holds more sets than " + std::to_string(count) + ", one per response token");
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void KeptSets::append_whole(int64_t count) {
  for (int64_t t = 0; t < count; ++t) {
    begins_.push_back(static_cast<int64_t>(bytes_.size()));
    append_number(bytes_, kWhole);
  }
}

// Calls visit(id) for each token of a set that is not the whole vocabulary, in rising order.
template <class Visit>
void KeptSets::visit(int64_t index, int64_t vocab, const Visit& visit) const {
  const uint8_t* at = bytes_.data() + begins_[index];
  const uint64_t header = read_number(at);
  if (header == kBits) {
    for (int64_t id = 0; id < vocab; ++id) {
      if ((at[id / 8] >> (id % 8) & 1) != 0) visit(id);
    }
    return;
  }
  int64_t id = -1;
  for (uint64_t left = header / 2; left > 0; --left) {
    id += static_cast<int64_t>(read_number(at)) + 1;
    visit(id);
  }
}

void KeptSets::apply(int64_t index, float temperature, float* logits, int64_t vocab) const {
  if (whole(index)) return;
  struct Kept {
    int64_t id;
    float logit;
  };
  std::vector<Kept> kept;
  float highest = std::numeric_limits<float>::lowest();
  visit(index, vocab, [&](int64_t id) {
    kept.push_back({id, logits[id]});
    highest = std::max(highest, logits[id]);
  });
  // No lower than that: kernels multiply the exponential by its logarithm.
  constexpr float kNats = 200;
  std::fill(logits, logits + vocab, highest - kNats * temperature);
  for (const Kept& token : kept) logits[token.id] = token.logit;
}

void KeptSets::write_words(int64_t index, uint32_t* words, int64_t vocab) const {
  const int64_t count = (vocab + 31) / 32;
  std::fill(words, words + count, whole(index) ? ~uint32_t{0} : 0);
  if (whole(index)) return;
  visit(index, vocab, [&](int64_t id) { words[id / 32] |= uint32_t{1} << (id % 32); });
}

}  // namespace zero_rl
