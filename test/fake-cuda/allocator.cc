// CUDA's allocator and that of pinned memory.
#include <c10/cuda/CUDACachingAllocator.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "fake_device.h"
#include "pinned_memory.h"

// What inline functions of the interface name and nothing here calls.
namespace c10::cuda {
void c10_cuda_check_implementation(const int32_t, const char*, const char*, const uint32_t, const bool) {}
DeviceIndex current_device() { return 0; }
}  // namespace c10::cuda

namespace zero_rl::fake {

namespace {

using namespace c10::cuda::CUDACachingAllocator;

class DeviceMemory final : public CUDAAllocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const c10::Device device(c10::kCUDA, 0);
    if (bytes == 0) return {nullptr, nullptr, &release, device};
    void* memory = Device::instance().allocate(bytes, current_stream());
    return {memory, memory, &release, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
  void* raw_alloc(size_t bytes) override { return Device::instance().allocate(bytes, current_stream()); }
  void* raw_alloc_with_stream(size_t bytes, cudaStream_t stream) override {
    return Device::instance().allocate(bytes, stream_id(stream));
  }
  void raw_delete(void* memory) override { release(memory); }
  bool initialized() override { return true; }
  void init(int) override {}

  void emptyCache(c10::MempoolId_t) override { Device::instance().empty_cache(); }
  DeviceStats getDeviceStats(c10::DeviceIndex) override {
    DeviceStats stats;
    constexpr auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto bytes = static_cast<int64_t>(Device::instance().allocated());
    stats.allocated_bytes[all].current = bytes;
    stats.reserved_bytes[all].current = bytes;
    return stats;
  }
  void beginAllocateToPool(c10::DeviceIndex, c10::MempoolId_t id, std::function<bool(cudaStream_t)> takes) override {
    Device::instance().begin_pool(id, std::move(takes));
  }
  void endAllocateToPool(c10::DeviceIndex, c10::MempoolId_t id) override { Device::instance().end_pool(id); }
  void releasePool(c10::DeviceIndex, c10::MempoolId_t id) override { Device::instance().release_pool(id); }
  std::string name() override { return "fake"; }

  void recordStream(const c10::DataPtr&, c10::cuda::CUDAStream) override {}
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override {}
  double getMemoryFraction(c10::DeviceIndex) override { return 1; }
  void setMemoryFraction(double, c10::DeviceIndex) override {}
  std::vector<StreamSegmentSize> getExpandableSegmentSizes(c10::DeviceIndex) override { return {}; }
  void enable(bool) override {}
  bool isEnabled() const override { return true; }
  void cacheInfo(c10::DeviceIndex, size_t* largest) override { *largest = 0; }
  void* getBaseAllocation(void* memory, size_t*) override { return memory; }
  SnapshotInfo snapshot(c10::MempoolId_t, bool) override { return {}; }
  ShareableHandle shareIpcHandle(void*) override { return {}; }
  std::shared_ptr<void> getIpcDevPtr(std::string) override { return nullptr; }
  void recordHistory(bool, CreateContextFn, size_t, RecordContext, bool, const std::vector<std::string>&) override {}
  void attachOutOfMemoryObserver(OutOfMemoryObserver) override {}
  void attachAllocatorTraceTracker(AllocatorTraceTracker) override {}
  void enablePeerAccess(c10::DeviceIndex, c10::DeviceIndex) override {}
  cudaError_t memcpyAsync(void*, int, const void*, int, size_t, cudaStream_t, bool) override {
    return cudaErrorInvalidValue;
  }
  std::shared_ptr<AllocatorState> getCheckpointState(c10::DeviceIndex, c10::MempoolId_t) override { return nullptr; }
  CheckpointDelta setCheckpointPoolState(c10::DeviceIndex, std::shared_ptr<AllocatorState>) override { return {}; }

 private:
  static void release(void* memory) {
    if (memory != nullptr) Device::instance().free(memory);
  }
};

class PinnedMemory final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* memory = std::malloc(std::max<size_t>(bytes, 1));
    const std::lock_guard lock(mutex_);
    blocks_.emplace(static_cast<const char*>(memory), bytes);
    return {memory, memory, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }

  bool holds(const void* address) {
    const std::lock_guard lock(mutex_);
    const auto* at = static_cast<const char*>(address);
    auto found = blocks_.upper_bound(at);
    if (found == blocks_.begin()) return false;
    --found;
    return at < found->first + found->second;
  }
  static PinnedMemory& instance() {
    static auto* const memory = new PinnedMemory();
    return *memory;
  }

 private:
  static void release(void* memory) {
    {
      const std::lock_guard lock(instance().mutex_);
      instance().blocks_.erase(static_cast<const char*>(memory));
    }
    std::free(memory);
  }

  std::mutex mutex_;
  std::map<const char*, size_t> blocks_;
};

[[maybe_unused]] const bool registered = [] {
  c10::SetAllocator(c10::kCUDA, new DeviceMemory());
  return true;
}();

}  // namespace

c10::Allocator* pinned_allocator() { return &PinnedMemory::instance(); }

bool is_pinned(const void* address) { return PinnedMemory::instance().holds(address); }

}  // namespace zero_rl::fake
