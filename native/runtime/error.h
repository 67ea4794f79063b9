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
// `what` cannot be done with the model.
inline Error not_finite_error(const std::string& what) {
  return {"ERR_ZERO_RL_NOT_FINITE", "The model cannot be " + what +
                                        " because its logits are NaN or infinite, so its weights are damaged; load an "
                                        "earlier checkpoint, and lower the learning rate where training made them so"};
}
inline Error aborted_error() { return {"ERR_ZERO_RL_ABORTED", "The operation was aborted"}; }

}  // namespace zero_rl
