// Runs operators that are called with CPU tensors on a CUDA device, for comparisons with their twins.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace zero_rl::bench {

// Runs `work`; each operator of zero_rl in it, of those named, gets copies of its tensors on the current CUDA device, and
// what it leaves in them is copied back. Other operators must not be called in it.
void on_cuda(const std::vector<std::string>& operators, const std::function<void()>& work);

}  // namespace zero_rl::bench
