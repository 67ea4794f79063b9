// Where the engine's time goes: sections (what the engine is at) and kernels, recorded per thread while a profile is
// taken. Otherwise a section costs the load of a flag and a kernel nothing: see kernels/recorded_set.h.
// Sums are kept of every call; of the single calls each thread keeps, for a trace, every section and the first kernels of
// each job. A device may push an NVTX range where a Scope begins and ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace zero_rl::profiler {

// Sections nest; time belongs to the innermost one.
enum class Section : uint8_t {
  kNone,
  kJob,  // work of the engine that no section below names
  kLoad,
  kInitialize,
  kSample,   // scheduling
  kPrefill,
  kDecode,   // a decode step: its inputs, and handing out its rows
  kDecodeLayers,
  kDecodeHead,
  kDraw,
  kWait,  // for the other threads
  kLogProbs,
  kStep,
  kForward,
  kHead,
  kBackward,
  kOptimizer,
  kReadState,
  kWriteState,
  kFollow,
  kMeasureMachine,
  kRunKernel,
  kCount,
};

struct Event {
  enum class Kind : uint8_t { kSection, kKernel };
  int64_t start;  // ns of steady_clock
  int64_t duration;
  double bytes;
  double flops;
  Kind kind;
  uint8_t id;  // of the section or the kernel
  bool bfloat16;
};

struct Total {
  int64_t calls = 0;
  int64_t nanoseconds = 0;
  double bytes = 0;
  double flops = 0;
};

// Sums of one thread over the calls of a kernel in a section.
struct KernelTotal {
  Section section;
  uint8_t kernel;
  bool bfloat16;
  bool shared;  // each call had one thread of several: the others were busy with calls of their own
  Total total;
};

struct ThreadRecord {
  int64_t id;
  std::string name;
  std::vector<Event> events;
  int64_t dropped;  // events for which there was no room since the last drain
};

const char* section_name(Section section);

inline std::atomic<bool> recording{false};
inline bool on() { return recording.load(std::memory_order_relaxed); }

int64_t now();

// Forgets what was recorded before.
void start(int64_t kernel_events_per_job);
void stop();
// The events since the last drain, by thread. One caller at a time; threads may record meanwhile.
std::vector<ThreadRecord> drain();
// Sums since the start, over all threads for kernels; seconds of sections are those of the engine's own thread.
std::vector<KernelTotal> kernel_totals();

// A job of the engine begins: its kernels may fill the trace anew.
void begin_job();
void record_kernel(uint8_t kernel, bool bfloat16, int64_t start, double bytes, double flops);

// A section from here to the end of the block.
class Scope {
 public:
  explicit Scope(Section section) {
    if (on()) enter(section);
  }
  ~Scope() {
    if (start_ != 0) leave();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  void enter(Section section);
  void leave();
  int64_t start_ = 0;
  Section section_ = Section::kNone;
  Section outer_ = Section::kNone;
};

}  // namespace zero_rl::profiler
