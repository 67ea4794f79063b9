// CUDA's runtime, compiled into libzero_rl_cuda.so. Its tensors belong to the engine thread and to one stream of its own.
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/empty.h>
#include <c10/core/AllocatorConfig.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#include <torch/library.h>

#include "device/runtime.h"

namespace zero_rl {

namespace {

class CudaGraph : public Graph {
 public:
  CudaGraph(at::cuda::MempoolId_t pool, const std::function<void()>& step) {
    // Other threads may call CUDA meanwhile.
    graph_.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
    try {
      step();
    } catch (...) {
      graph_.capture_end();
      throw;
    }
    graph_.capture_end();
  }
  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

class CudaRuntime : public Runtime {
 public:
  explicit CudaRuntime(int index) : device_(at::kCUDA, static_cast<c10::DeviceIndex>(index)) {
    // Phases of different shapes follow each other: pages are mapped where they are needed. To be said before the first
    // allocation, and not where the user has.
    if (std::getenv("PYTORCH_ALLOC_CONF") == nullptr && std::getenv("PYTORCH_CUDA_ALLOC_CONF") == nullptr) {
      c10::CachingAllocator::setAllocatorSettings("expandable_segments:True");
    }
    const c10::cuda::CUDAGuard guard(device_);
    stream_ = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device_.index());
    pool_ = at::cuda::graph_pool_handle();
    graphs_ = std::getenv("ZERO_RL_TEST_NO_GRAPHS") == nullptr;
  }

  std::unique_ptr<Scope> enter() override { return std::make_unique<Current>(*stream_); }
  at::Device device() const override { return device_; }

  int64_t available_bytes() override {
    const c10::cuda::CUDAGuard guard(device_);
    size_t free = 0;
    size_t total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device_.index());
    constexpr auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return static_cast<int64_t>(free) + stats.reserved_bytes[all].current - stats.allocated_bytes[all].current;
  }
  void release_unused() override { c10::cuda::CUDACachingAllocator::emptyCache(); }

  at::Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType dtype) override {
    return at::empty(sizes, at::TensorOptions().dtype(dtype).pinned_memory(true));
  }
  std::unique_ptr<Graph> capture(const std::function<void()>& step) override {
    return graphs_ ? std::make_unique<CudaGraph>(pool_, step) : nullptr;
  }
  int64_t default_batch() const override { return 512; }
  int64_t most_pass_tokens() const override { return 16384; }

 private:
  struct Current : Scope {
    explicit Current(c10::cuda::CUDAStream stream) : guard(stream) {}
    c10::cuda::CUDAStreamGuard guard;  // of the device too
  };

  at::Device device_;
  std::optional<c10::cuda::CUDAStream> stream_;
  at::cuda::MempoolId_t pool_;
  bool graphs_;
};

class CudaRuntimes : public RuntimeMaker {
 public:
  const char* version() const override { return ZERO_RL_VERSION; }
  int device_count() const override { return c10::cuda::device_count_ensure_non_zero(); }
  std::unique_ptr<Runtime> make(int index) const override { return std::make_unique<CudaRuntime>(index); }
};

// Never destroyed: CUDA goes before static destructors do.
int64_t runtimes() {
  static const auto* const maker = new CudaRuntimes();
  return reinterpret_cast<int64_t>(static_cast<const RuntimeMaker*>(maker));
}

}  // namespace

TORCH_LIBRARY(zero_rl_cuda, library) {
  library.def("runtimes() -> int", &runtimes);
}

}  // namespace zero_rl
