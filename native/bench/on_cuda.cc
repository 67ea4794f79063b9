#include "bench/on_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <map>

namespace zero_rl::bench {

namespace {

// A key that only tests use: its kernels run while a guard includes it.
constexpr auto kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

void move_and_call(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  const c10::impl::ExcludeDispatchKeyGuard off(kKey);
  const auto& arguments = op.schema().arguments();
  const size_t first = stack->size() - arguments.size();
  std::map<c10::TensorImpl*, std::pair<at::Tensor, at::Tensor>> moved;  // one copy of a tensor that is passed twice
  for (size_t i = 0; i < arguments.size(); ++i) {
    c10::IValue& value = (*stack)[first + i];
    if (!value.isTensor() || arguments[i].name() == "objective") continue;  // which stays on the CPU
    const at::Tensor original = value.toTensor();
    auto [place, added] = moved.try_emplace(original.unsafeGetTensorImpl());
    if (added) place->second = {original, original.to(at::Device(at::kCUDA))};
    value = place->second.second;
  }
  op.callBoxed(stack);
  for (const auto& [key, pair] : moved) pair.first.copy_(pair.second);
}

}  // namespace

void on_cuda(const std::vector<std::string>& operators, const std::function<void()>& work) {
  torch::Library library(torch::Library::IMPL, "zero_rl", kKey, __FILE__, __LINE__);
  for (const std::string& name : operators) {
    library.impl(name.c_str(), torch::CppFunction::makeFromBoxedFunction<&move_and_call>());
  }
  // Operators that are not among them see nothing of the key.
  torch::Library others(torch::Library::IMPL, "_", kKey, __FILE__, __LINE__);
  others.fallback(torch::CppFunction::makeFallthrough());
  const c10::impl::IncludeDispatchKeyGuard on(kKey);
  work();
}

}  // namespace zero_rl::bench
