// What libtorch asks of a device besides memory: its streams, events and hooks.
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/CPUAllocator.h>

#include <atomic>

#include "fake_device.h"
#include "pinned_memory.h"

namespace zero_rl::fake {

namespace {

thread_local int current = 0;

c10::Stream stream_of(int id) { return c10::Stream(c10::Stream::UNSAFE, c10::Device(c10::kCUDA, 0), id); }

struct Event {
  Clock clock;
};

class Guard final : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return c10::kCUDA; }
  c10::Device exchangeDevice(c10::Device) const override { return getDevice(); }
  c10::Device getDevice() const override { return {c10::kCUDA, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

  c10::Stream getStream(c10::Device) const override { return stream_of(current); }
  c10::Stream getDefaultStream(c10::Device) const override { return stream_of(0); }
  c10::Stream getNewStream(c10::Device device, int) const override { return getStreamFromGlobalPool(device, false); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override {
    static std::atomic<int> made{0};
    return stream_of(1 + made.fetch_add(1) % (kStreams - 1));
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    const c10::Stream before = stream_of(current);
    current = static_cast<int>(stream.id());
    return before;
  }
  void* getStreamNativeHandle(const c10::Stream stream) const override {
    return handle_of(static_cast<int>(stream.id()));
  }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream& stream) const override {
    TORCH_CHECK(cudaStreamSynchronize(handle_of(static_cast<int>(stream.id()))) == cudaSuccess,
                cudaGetErrorString(cudaErrorIllegalState));
  }
  void synchronizeDevice(const c10::DeviceIndex) const override {
    for (int i = 0; i < kStreams; ++i) synchronizeStream(stream_of(i));
  }

  void record(void** event, const c10::Stream& stream, const c10::DeviceIndex, const c10::EventFlag) const override {
    if (*event == nullptr) *event = new Event();
    static_cast<Event*>(*event)->clock = Device::instance().clock(static_cast<int>(stream.id()));
  }
  void block(void* event, const c10::Stream& stream) const override {
    if (event == nullptr) return;
    Clock& clock = Device::instance().clock(static_cast<int>(stream.id()));
    for (int i = 0; i < kStreams; ++i) clock[i] = std::max(clock[i], static_cast<Event*>(event)->clock[i]);
  }
  bool queryEvent(void*) const override { return true; }
  void synchronizeEvent(void* event) const override { Device::instance().synchronize(static_cast<Event*>(event)->clock); }
  void destroyEvent(void* event, const c10::DeviceIndex) const noexcept override { delete static_cast<Event*>(event); }
};

C10_REGISTER_GUARD_IMPL(CUDA, Guard);

}  // namespace

int current_stream() { return current; }

}  // namespace zero_rl::fake

namespace at {

// In at as the registry wants it.
struct FakeCudaHooks : CUDAHooksInterface {
  explicit FakeCudaHooks(CUDAHooksArgs) {}
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasCUDA() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  int getNumGPUs() const override { return 1; }
  DeviceIndex current_device() const override { return 0; }
  DeviceIndex getCurrentDevice() const override { return 0; }
  bool isPinnedPtr(const void* data) const override { return zero_rl::fake::is_pinned(data); }
  Allocator* getPinnedMemoryAllocator() const override { return zero_rl::fake::pinned_allocator(); }
};

namespace {
C10_REGISTER_TYPED_CLASS(CUDAHooksRegistry, "CUDAHooks", FakeCudaHooks);
}

}  // namespace at
