// Finds stop strings in the bytes of a growing completion.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero_rl {

class StopStrings {
 public:
  StopStrings() = default;
  // token_bytes: what each token id adds to the text.
  StopStrings(std::vector<std::string> strings, std::vector<std::string> token_bytes)
      : strings_(std::move(strings)), token_bytes_(std::move(token_bytes)) {
    for (const std::string& text : strings_) longest_ = std::max(longest_, text.size());
  }

  bool empty() const { return strings_.empty(); }

  // Appends the token to the tail of the text; true when a stop string now occurs.
  bool append(std::string& tail, int32_t token) const {
    if (token < 0 || static_cast<size_t>(token) >= token_bytes_.size()) return false;
    const std::string& bytes = token_bytes_[token];
    tail += bytes;
    const bool found = std::any_of(strings_.begin(), strings_.end(), [&](const std::string& text) {
      return tail.find(text) != std::string::npos;
    });
    if (tail.size() >= longest_) tail.erase(0, tail.size() - (longest_ - 1));
    return found;
  }

 private:
  std::vector<std::string> strings_;
  std::vector<std::string> token_bytes_;
  size_t longest_ = 0;
};

}  // namespace zero_rl
