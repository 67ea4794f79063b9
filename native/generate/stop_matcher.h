// Finds stop strings in the bytes of a growing completion.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero_rl {

// What each token id adds to the text.
class TokenBytes {
 public:
  // ends: where the bytes of each id end; those of the next one follow.
  TokenBytes(std::string bytes, std::vector<int32_t> ends) : bytes_(std::move(bytes)), ends_(std::move(ends)) {}

  // Nothing for an id that is none.
  std::string_view of(int32_t token) const {
    if (token < 0 || static_cast<size_t>(token) >= ends_.size()) return {};
    const int32_t begin = token == 0 ? 0 : ends_[token - 1];
    return std::string_view(bytes_).substr(begin, ends_[token] - begin);
  }

 private:
  std::string bytes_;
  std::vector<int32_t> ends_;
};

class StopStrings {
 public:
  StopStrings() = default;
  StopStrings(std::vector<std::string> strings, std::shared_ptr<const TokenBytes> token_bytes)
      : strings_(std::move(strings)), token_bytes_(std::move(token_bytes)) {
    for (const std::string& text : strings_) longest_ = std::max(longest_, text.size());
  }

  bool empty() const { return strings_.empty(); }

  // Appends the token to the tail of the text; true when a stop string now occurs.
  bool append(std::string& tail, int32_t token) const {
    const std::string_view bytes = token_bytes_->of(token);
    if (bytes.empty()) return false;
    tail += bytes;
    const bool found = std::any_of(strings_.begin(), strings_.end(), [&](const std::string& text) {
      return tail.find(text) != std::string::npos;
    });
    if (tail.size() >= longest_) tail.erase(0, tail.size() - (longest_ - 1));
    return found;
  }

 private:
  std::vector<std::string> strings_;
  std::shared_ptr<const TokenBytes> token_bytes_;
  size_t longest_ = 0;
};

}  // namespace zero_rl
