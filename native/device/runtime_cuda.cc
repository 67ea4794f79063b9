// CUDA's runtime, compiled into libzero_rl_cuda.so: of CUDA that library names libcudart alone, so streams and the allocator
// are reached through the interfaces that libtorch's CUDA part registers in libc10. Tensors belong to the engine thread and
// to one stream of their device, so that what one engine writes and another reads needs no event.
#include <ATen/ops/empty.h>
#include <c10/core/AllocatorConfig.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>
#include <torch/library.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "device/runtime.h"

namespace zero_rl {

namespace {

void check(cudaError_t status) {
  TORCH_CHECK(status == cudaSuccess, "CUDA: ", cudaGetErrorString(status));
}

c10::cuda::CUDACachingAllocator::CUDAAllocator& allocator() {
  return *static_cast<c10::cuda::CUDACachingAllocator::CUDAAllocator*>(c10::GetAllocator(at::kCUDA));
}

// The name of memory that graphs share. The allocator takes none up again that its last graph has left.
using PoolName = std::shared_ptr<const c10::MempoolId_t>;

PoolName new_pool() {
  static std::atomic<c10::CaptureId_t> pools{0};
  // Ids of the allocator's own graphs are {n, 0}, those of its users {0, n}.
  return std::make_shared<const c10::MempoolId_t>(0, (c10::CaptureId_t{1} << 40) + pools.fetch_add(1));
}

// Memory that kernels of a graph take while it is recorded stays theirs.
class GraphPool {
 public:
  GraphPool(c10::DeviceIndex device, PoolName name, cudaStream_t stream) : device_(device), name_(std::move(name)) {
    allocator().beginAllocateToPool(device, *name_, [stream](cudaStream_t other) { return other == stream; });
  }
  ~GraphPool() { allocator().releasePool(device_, *name_); }
  GraphPool(const GraphPool&) = delete;
  GraphPool& operator=(const GraphPool&) = delete;

  void recorded() { allocator().endAllocateToPool(device_, *name_); }

 private:
  c10::DeviceIndex device_;
  PoolName name_;
};

class CudaGraph : public Graph {
 public:
  CudaGraph(c10::DeviceIndex device, PoolName pool, cudaStream_t stream, const std::function<void()>& step)
      : pool_(device, std::move(pool), stream), stream_(stream) {
    cudaGraph_t graph = nullptr;
    try {
      // Other threads may call CUDA meanwhile.
      check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
      step();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);
      pool_.recorded();
      if (graph != nullptr) cudaGraphDestroy(graph);
      throw;
    }
    const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
    pool_.recorded();
    check(ended);
    const cudaError_t made = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(made);
  }
  ~CudaGraph() override {
    cudaStreamSynchronize(stream_);  // it may be running
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
  }

  void replay() override { check(cudaGraphLaunch(executable_, stream_)); }

 private:
  GraphPool pool_;
  cudaStream_t stream_;
  cudaGraphExec_t executable_ = nullptr;
};

// Phases of different shapes follow each other, so that pages are mapped where they are needed. To be said before the first
// allocation, and not where the user has.
void use_expandable_segments() {
  if (std::getenv("PYTORCH_ALLOC_CONF") != nullptr || std::getenv("PYTORCH_CUDA_ALLOC_CONF") != nullptr) return;
  c10::CachingAllocator::setAllocatorSettings("expandable_segments:True");
}

class CudaRuntime : public Runtime {
 public:
  explicit CudaRuntime(c10::Stream stream)
      : stream_(stream), graphs_(std::getenv("ZERO_RL_TEST_NO_GRAPHS") == nullptr) {}

  std::unique_ptr<Scope> enter() override { return std::make_unique<Current>(stream_); }
  at::Device device() const override { return stream_.device(); }

  int64_t available_bytes() override {
    const c10::DeviceGuard guard(device());
    size_t free = 0;
    size_t total = 0;
    check(cudaMemGetInfo(&free, &total));
    const auto stats = allocator().getDeviceStats(device().index());
    constexpr auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return static_cast<int64_t>(free) + stats.reserved_bytes[all].current - stats.allocated_bytes[all].current;
  }
  void release_unused() override { allocator().emptyCache(); }

  at::Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType dtype) override {
    return at::empty(sizes, at::TensorOptions().dtype(dtype).pinned_memory(true));
  }
  std::unique_ptr<Graph> capture(const std::function<void()>& step) override {
    if (!graphs_) return nullptr;
    PoolName pool = pool_.lock();
    if (pool == nullptr) pool_ = pool = new_pool();
    const auto stream = static_cast<cudaStream_t>(stream_.native_handle());
    return std::make_unique<CudaGraph>(device().index(), std::move(pool), stream, step);
  }
  int64_t default_batch() const override { return 512; }
  int64_t most_pass_tokens() const override { return 16384; }

 private:
  struct Current : Scope {
    explicit Current(c10::Stream stream) : guard(stream) {}
    c10::StreamGuard guard;  // of the device too
  };

  c10::Stream stream_;
  std::weak_ptr<const c10::MempoolId_t> pool_;  // of the graphs that live
  bool graphs_;
};

class CudaRuntimes : public RuntimeMaker {
 public:
  const char* version() const override { return ZERO_RL_VERSION; }
  int device_count() const override {
    int count = 0;
    check(cudaGetDeviceCount(&count));
    return count;
  }
  int compute_capability(int index) const override {
    int major = 0;
    int minor = 0;
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index));
    check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, index));
    return 10 * major + minor;
  }
  const char* architectures() const override { return ZERO_RL_CUDA_ARCHITECTURES; }
  std::unique_ptr<Runtime> make(int index) const override {
    const std::lock_guard lock(mutex_);
    auto found = streams_.find(index);
    if (found == streams_.end()) {
      use_expandable_segments();
      const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
      const c10::impl::VirtualGuardImpl guard(at::kCUDA);
      found = streams_.emplace(index, guard.getStreamFromGlobalPool(device, /*isHighPriority=*/false)).first;
    }
    return std::make_unique<CudaRuntime>(found->second);
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<int, c10::Stream> streams_;  // by device
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
