// Operands that may be missing, as the dispatcher takes them.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace zero_rl {

inline std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

}  // namespace zero_rl
