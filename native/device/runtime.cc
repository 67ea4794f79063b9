#include "device/runtime.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>

#include <cstring>

#include "device/operator_graph.h"
#include "runtime/error.h"

namespace zero_rl {

namespace {

class CpuRuntime : public Runtime {
 public:
  std::unique_ptr<Scope> enter() override { return nullptr; }
  at::Device device() const override { return at::kCPU; }
  int64_t available_bytes() override { return int64_t{1} << 30; }
  void release_unused() override {}
  at::Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType dtype) override {
    return at::empty(sizes, at::TensorOptions().dtype(dtype));
  }
  std::unique_ptr<Graph> capture(const std::function<void()>& step) override { return record_operators(step); }
  int64_t default_batch() const override { return 32; }
  int64_t most_pass_tokens() const override { return 4096; }
};

Error unavailable(const std::string& reason) {
  return {"ERR_ZERO_RL_CUDA_UNAVAILABLE", "CUDA cannot be used because " + reason + "; reinstall zero-rl."};
}

}  // namespace

const RuntimeMaker& cuda_runtimes() {
  const auto schema = c10::Dispatcher::singleton().findSchema({"zero_rl_cuda::runtimes", ""});
  if (!schema.has_value()) throw unavailable("libzero_rl_cuda.so is not loaded");
  const auto& maker = *reinterpret_cast<const RuntimeMaker*>(schema->typed<int64_t()>().call());
  if (std::strcmp(maker.version(), ZERO_RL_VERSION) != 0) {
    throw unavailable(std::string("libzero_rl_cuda.so is of version ") + maker.version() + " and the addon of " +
                      ZERO_RL_VERSION);
  }
  return maker;
}

std::unique_ptr<Runtime> make_runtime(const std::string& device) {
  if (device == "cpu") return std::make_unique<CpuRuntime>();
  return cuda_runtimes().make(at::Device(device).index());
}

}  // namespace zero_rl
