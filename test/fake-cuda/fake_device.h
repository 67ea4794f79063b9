// A device that is none: its memory is memory of the host, and what is launched on it runs at once on the host. It keeps the
// rules of a CUDA device that programs break without noticing, and says when one is broken.
//
// What follows what is known by clocks: each stream counts what was launched on it and knows how far into the others it has
// waited, through events and through the host, which knows how far it has waited itself.
#pragma once

#include <c10/core/CachingDeviceAllocator.h>
#include <cuda_runtime_api.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace zero_rl::fake {

constexpr int kStreams = 33;  // the default one and those of the pool
constexpr size_t kMemory = size_t{1} << 30;
constexpr size_t kMostSharedBytes = 99 << 10;  // of a block on the devices that have least, once it is asked for
constexpr size_t kSharedBytes = 48 << 10;      // unasked

using Clock = std::array<uint64_t, kStreams>;

// Memory that work reads or writes.
struct Access {
  const void* address;
  bool write;
  uint64_t block = 0;  // as it was when the work was captured
};

// What is launched: it runs at once, or, while its stream is captured, at each replay.
struct Work {
  std::vector<Access> accesses;
  std::function<void()> run;
};

struct Kernel {
  const char* name;
  int max_threads;
  size_t static_bytes;
  // Copies the arguments, as a launch does.
  std::function<void()> (*bind)(void** arguments, unsigned grid, unsigned threads, size_t shared_bytes);
};

// Called before main or as the library is mapped.
void register_kernel(const void* function, const Kernel& kernel);
const Kernel* find_kernel(const void* function);

// Prints the broken rule, for where nothing can be thrown.
void report(const std::string& rule);

class Device {
 public:
  // Never destroyed.
  static Device& instance();

  // --- streams ---
  void launch(int stream, Work work);
  void synchronize(int stream);
  void synchronize(const Clock& clock);
  Clock& clock(int stream) { return streams_[stream].clock; }
  // Work that the host sees done after it has waited for the stream.
  void on_synchronize(int stream, std::function<void()> work) { streams_[stream].awaited.push_back(std::move(work)); }

  // --- capture ---
  bool capturing(int stream) const { return streams_[stream].capturing; }
  // Of a stream that this thread captures: what it may not do then.
  bool capturing_here() const;
  void begin_capture(int stream);
  // False where the capture was broken.
  bool end_capture(int stream, std::vector<Work>& work);
  void break_capture();

  // --- memory ---
  void* allocate(size_t bytes, int stream);
  void free(void* memory);
  size_t allocated() const { return allocated_; }
  void begin_pool(c10::MempoolId_t id, std::function<bool(cudaStream_t)> takes);
  void end_pool(c10::MempoolId_t id);
  void release_pool(c10::MempoolId_t id);
  void empty_cache();
  // Memory that the pool's owners have given back: a replay finds it overwritten by what other graphs of the pool keep there.
  void spoil(c10::MempoolId_t id);
  c10::MempoolId_t pool_of_capture() const { return recording_pool_; }

  // From the end of the process on, when the driver is gone.
  bool shut_down() const { return shut_down_; }

 private:
  Device();

  struct Stream {
    Clock clock{};
    bool capturing = false;
    bool broken = false;
    std::vector<Work> captured;
    std::vector<std::function<void()>> awaited;
  };
  struct Use {
    int stream = 0;
    uint64_t time = 0;  // 0: none yet
  };
  struct Block {
    uint64_t id;
    size_t bytes;
    int stream;
    c10::MempoolId_t pool;  // {0, 0}: none
    bool given_back = false;
    Use written;
    std::map<int, uint64_t> read;
  };
  struct Pool {
    int uses = 0;
  };

  void perform(int stream, Work& work);
  void access(int stream, const Access& access);
  bool follows(int stream, const Use& use) const { return streams_[stream].clock[use.stream] >= use.time; }
  std::map<uintptr_t, Block>::iterator find(const void* address);
  void erase(std::map<uintptr_t, Block>::iterator block);

  std::array<Stream, kStreams> streams_;
  Clock host_{};
  std::map<uintptr_t, Block> blocks_;
  std::map<c10::MempoolId_t, Pool> pools_;
  c10::MempoolId_t recording_pool_{0, 0};
  std::function<bool(cudaStream_t)> recording_takes_;
  size_t allocated_ = 0;
  uint64_t blocks_made_ = 0;
  bool slow_;  // memory is given back slowly, so that tests of the end of a process find out who does it then
  std::atomic<bool> shut_down_{false};
};

inline int stream_id(cudaStream_t stream) { return static_cast<int>(reinterpret_cast<uintptr_t>(stream)); }
inline cudaStream_t handle_of(int stream) { return reinterpret_cast<cudaStream_t>(static_cast<uintptr_t>(stream)); }

// The current stream of this thread.
int current_stream();

}  // namespace zero_rl::fake
