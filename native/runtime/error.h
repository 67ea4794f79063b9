// The engine's own exception: a stable code of the public surface and one sentence.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace zero_rl {

class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

inline Error native_error(const std::string& message) { return {"ERR_ZERO_RL_NATIVE", message}; }
inline Error checkpoint_error(const std::string& message) { return {"ERR_ZERO_RL_CHECKPOINT", message}; }
inline Error out_of_memory_error(const std::string& message) { return {"ERR_ZERO_RL_OUT_OF_MEMORY", message}; }
inline Error aborted_error() { return {"ERR_ZERO_RL_ABORTED", "The operation was aborted"}; }

}  // namespace zero_rl
