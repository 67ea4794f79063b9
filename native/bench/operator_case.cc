#include "bench/operator_case.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "runtime/error.h"

namespace zero_rl::bench {

namespace {

const OperatorMakers& all_makers() {
  static const OperatorMakers makers = [] {
    OperatorMakers all = row_operator_makers();
    all.merge(attention_operator_makers());
    all.merge(token_operator_makers());
    all.merge(parameter_operator_makers());
    return all;
  }();
  return makers;
}

}  // namespace

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : all_makers()) names.push_back(name);
  return names;
}

OperatorCase make_operator_case(const std::string& name, at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const auto found = all_makers().find(name);
  if (found == all_makers().end()) throw native_error("There is no case of the operator " + name);
  return found->second(dtype, sizes, seed);
}

at::Tensor integer_tensor(int64_t count, int64_t bound, uint64_t seed) {
  const std::vector<int32_t> values = random_integers(count, bound, seed);
  at::Tensor tensor = at::empty({count}, at::TensorOptions().dtype(at::kInt));
  std::copy(values.begin(), values.end(), tensor.data_ptr<int32_t>());
  return tensor;
}

}  // namespace zero_rl::bench
