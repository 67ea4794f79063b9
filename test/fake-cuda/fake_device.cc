#include "fake_device.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace zero_rl::fake {

namespace {

constexpr size_t kAlignment = 512;
constexpr size_t kMostSpoiled = 1 << 22;  // bytes of fresh memory

thread_local int captured_here = -1;

std::map<const void*, Kernel>& kernels() {
  static auto* const all = new std::map<const void*, Kernel>();
  return *all;
}

}  // namespace

void register_kernel(const void* function, const Kernel& kernel) { kernels().emplace(function, kernel); }

const Kernel* find_kernel(const void* function) {
  const auto found = kernels().find(function);
  return found == kernels().end() ? nullptr : &found->second;
}

void report(const std::string& rule) { std::fprintf(stderr, "fake CUDA: %s\n", rule.c_str()); }

Device::Device() : slow_(std::getenv("ZERO_RL_TEST_SLOW_FREE") != nullptr) {
  std::atexit([] { instance().shut_down_ = true; });
}

Device& Device::instance() {
  static auto* const device = new Device();
  return *device;
}

void Device::launch(int stream, Work work) {
  Stream& queue = streams_[stream];
  if (shut_down_) report("work is launched after the driver has gone");
  if (queue.capturing) {
    for (Access& used : work.accesses) {
      const auto found = find(used.address);
      if (found != blocks_.end()) used.block = found->second.id;
    }
    queue.captured.push_back(std::move(work));
  } else {
    perform(stream, work);
  }
}

void Device::perform(int stream, Work& work) {
  Clock& clock = streams_[stream].clock;
  for (int i = 0; i < kStreams; ++i) clock[i] = std::max(clock[i], host_[i]);
  ++clock[stream];
  for (const Access& used : work.accesses) access(stream, used);
  if (work.run) work.run();
}

void Device::access(int stream, const Access& used) {
  const auto found = find(used.address);
  const bool alive = found != blocks_.end() && (used.block == 0 || used.block == found->second.id);
  TORCH_CHECK(alive, "fake CUDA: work uses memory that was freed");
  Block& block = found->second;
  TORCH_CHECK(follows(stream, block.written), "fake CUDA: stream ", stream, used.write ? " writes" : " reads",
              " memory that stream ", block.written.stream, " writes, and no event is between them");
  if (!used.write) {
    block.read[stream] = streams_[stream].clock[stream];
    return;
  }
  for (const auto& [reader, time] : block.read) {
    TORCH_CHECK(follows(stream, {reader, time}), "fake CUDA: stream ", stream, " writes memory that stream ", reader,
                " reads, and no event is between them");
  }
  block.read.clear();
  block.written = {stream, streams_[stream].clock[stream]};
}

void Device::synchronize(int stream) {
  synchronize(streams_[stream].clock);
  for (const auto& work : std::exchange(streams_[stream].awaited, {})) work();
}

void Device::synchronize(const Clock& clock) {
  for (int i = 0; i < kStreams; ++i) host_[i] = std::max(host_[i], clock[i]);
}

bool Device::capturing_here() const { return captured_here >= 0; }

void Device::begin_capture(int stream) {
  Stream& queue = streams_[stream];
  queue.capturing = true;
  queue.broken = false;
  queue.captured.clear();
  captured_here = stream;
}

bool Device::end_capture(int stream, std::vector<Work>& work) {
  Stream& queue = streams_[stream];
  queue.capturing = false;
  captured_here = -1;
  work = std::exchange(queue.captured, {});
  return !queue.broken;
}

void Device::break_capture() { streams_[captured_here].broken = true; }

void* Device::allocate(size_t bytes, int stream) {
  if (shut_down_) report("memory is allocated after the driver has gone");
  const bool pooled = recording_takes_ && recording_takes_(handle_of(stream));
  if (capturing_here() && !pooled) {
    break_capture();
    TORCH_CHECK(false, "fake CUDA: memory outside of the graph's pool is allocated while a stream is captured");
  }
  const size_t size = (std::max<size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  TORCH_CHECK_WITH(OutOfMemoryError, allocated_ + size <= kMemory, "fake CUDA: out of memory: ", size,
                   " bytes are asked for and ", kMemory - allocated_, " are left");
  void* memory = std::aligned_alloc(kAlignment, size);
  // Whoever takes it for zeros shall not find them.
  std::memset(memory, 0xFF, std::min(size, kMostSpoiled));
  allocated_ += size;
  blocks_.emplace(reinterpret_cast<uintptr_t>(memory),
                  Block{++blocks_made_, size, stream, pooled ? recording_pool_ : c10::MempoolId_t{0, 0}, false, {}, {}});
  return memory;
}

void Device::free(void* memory) {
  if (slow_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  if (shut_down_) report("memory is freed after the driver has gone");
  const auto found = find(memory);
  if (found == blocks_.end()) {
    report("memory is freed that is none");
    return;
  }
  Block& block = found->second;
  // The allocator gives it to who allocates next on its stream.
  bool waited = follows(block.stream, block.written);
  for (const auto& [reader, time] : block.read) waited = waited && follows(block.stream, {reader, time});
  if (!waited) report("memory is freed on a stream that another one may still use it on");
  if (block.pool != c10::MempoolId_t{0, 0}) {
    block.given_back = true;
    return;
  }
  erase(found);
}

void Device::erase(std::map<uintptr_t, Block>::iterator block) {
  allocated_ -= block->second.bytes;
  std::free(reinterpret_cast<void*>(block->first));
  blocks_.erase(block);
}

std::map<uintptr_t, Device::Block>::iterator Device::find(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  auto found = blocks_.upper_bound(at);
  if (found == blocks_.begin()) return blocks_.end();
  --found;
  return at < found->first + found->second.bytes ? found : blocks_.end();
}

// As CUDACachingAllocator does: a pool that nobody uses any more cannot be taken up again.
void Device::begin_pool(c10::MempoolId_t id, std::function<bool(cudaStream_t)> takes) {
  const auto [pool, made] = pools_.try_emplace(id);
  TORCH_CHECK(made || pool->second.uses > 0, "fake CUDA: a graph is captured into a pool that has been released");
  ++pool->second.uses;
  recording_pool_ = id;
  recording_takes_ = std::move(takes);
}

void Device::end_pool(c10::MempoolId_t id) {
  TORCH_CHECK(id == recording_pool_, "fake CUDA: a pool is ended that was not begun");
  recording_pool_ = {0, 0};
  recording_takes_ = nullptr;
}

void Device::release_pool(c10::MempoolId_t id) {
  const auto pool = pools_.find(id);
  if (pool == pools_.end() || pool->second.uses == 0) {
    report("a pool is released that nobody uses");
    return;
  }
  --pool->second.uses;
}

void Device::empty_cache() {
  TORCH_CHECK(!capturing_here(), "fake CUDA: memory is given back while a stream is captured");
  for (auto pool = pools_.begin(); pool != pools_.end();) {
    if (pool->second.uses > 0) {
      ++pool;
      continue;
    }
    bool empty = true;
    for (auto block = blocks_.begin(); block != blocks_.end();) {
      const auto here = block++;
      if (here->second.pool != pool->first) continue;
      if (here->second.given_back) {
        erase(here);
      } else {
        empty = false;
      }
    }
    pool = empty ? pools_.erase(pool) : std::next(pool);
  }
}

void Device::spoil(c10::MempoolId_t id) {
  for (const auto& [address, block] : blocks_) {
    if (block.pool == id && block.given_back) std::memset(reinterpret_cast<void*>(address), 0xFF, block.bytes);
  }
}

}  // namespace zero_rl::fake
