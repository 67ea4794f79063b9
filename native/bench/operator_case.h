// An operator of devices with its operands, and what a twin makes of them: ATen, or the CPU kernels, or a loop.
#pragma once

#include "bench/kernel_case.h"

namespace zero_rl::bench {

struct OperatorCase {
  std::function<void()> run;
  std::function<void()> twin;
  // As those of a KernelCase.
  std::vector<std::pair<std::string, at::Tensor>> outputs;
  std::vector<std::pair<at::Tensor, at::Tensor>> restored;

  void track(const char* name, const at::Tensor& output) { outputs.emplace_back(name, output); }
  void track_in_place(const char* name, const at::Tensor& output) {
    track(name, output);
    restored.emplace_back(output, output.clone());
  }
};

// A case of the operator named, on the CPU; throws for an unknown name.
OperatorCase make_operator_case(const std::string& name, at::ScalarType dtype, const Sizes& sizes, uint64_t seed);

using OperatorMaker = OperatorCase (*)(at::ScalarType, const Sizes&, uint64_t);
using OperatorMakers = std::map<std::string, OperatorMaker>;

// Makers, one function per family.
OperatorMakers row_operator_makers();
OperatorMakers attention_operator_makers();
OperatorMakers token_operator_makers();
OperatorMakers parameter_operator_makers();

// Names of all cases, which are those of the operators.
std::vector<std::string> operator_names();

// Random integers in [0, bound) as an int32 tensor.
at::Tensor integer_tensor(int64_t count, int64_t bound, uint64_t seed);

}  // namespace zero_rl::bench
