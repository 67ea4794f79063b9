#include "bench/recorded_step.h"

#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>

#include <exception>
#include <functional>
#include <map>

#include "device/runtime.h"

namespace zero_rl::bench {

namespace {

at::Tensor upload(const std::vector<float>& values, at::Device device) {
  const at::Tensor result = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions().device(device));
  result.copy_(at::from_blob(const_cast<float*>(values.data()), result.sizes(), at::kFloat));
  return result;
}

// What steps have at hand: x is what they work on, `given` is gone after the recording.
struct Operands {
  at::Tensor x;
  at::Tensor given;
};

const std::map<std::string, std::function<void(Operands&)>>& steps() {
  static const std::map<std::string, std::function<void(Operands&)>> all{
      {"sums",
       [](Operands& operands) {
         at::Tensor doubled = at::empty_like(operands.x);
         at::mul_out(doubled, operands.x, at::Scalar(2));
         const at::Tensor sum = at::add(operands.x, doubled);
         operands.x.narrow(0, 1, 2).copy_(sum.narrow(0, 1, 2));
       }},
      {"what nothing wrote", [](Operands& operands) { operands.x.add_(at::empty_like(operands.x)); }},
      {"a value", [](Operands& operands) { operands.x.add_(operands.x.sum().item()); }},
      {"a copy to the host", [](Operands& operands) { operands.x.add_(operands.x.cpu().data_ptr<float>()[0]); }},
      {"a copy from the host",
       [](Operands& operands) { operands.x.add_(upload({1, 2, 3}, operands.x.device())); }},
      {"what is gone", [](Operands& operands) { operands.x.add_(operands.given); }},
  };
  return all;
}

}  // namespace

std::vector<double> run_recorded_step(const std::string& device, const std::string& name) {
  const std::unique_ptr<Runtime> runtime = make_runtime(device);
  const auto scope = runtime->enter();
  Operands operands{upload({1, 2, 3}, runtime->device()), upload({1, 1, 1}, runtime->device())};
  std::vector<double> result;
  const auto note = [&] {
    const at::Tensor values = operands.x.cpu();
    result.insert(result.end(), values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  };
  std::exception_ptr refused;
  for (int times = 0; times < 2; ++times) {
    try {
      const std::unique_ptr<Graph> graph = runtime->capture([&] { steps().at(name)(operands); });
      operands.given.reset();
      note();
      graph->replay();
      note();
    } catch (...) {
      refused = std::current_exception();
    }
    // What came before it changes nothing.
    runtime->capture([&] { steps().at("sums")(operands); });
    if (refused) std::rethrow_exception(refused);
  }
  return result;
}

}  // namespace zero_rl::bench
