#include "runtime/profiler.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <mutex>

#include "runtime/thread_pool.h"

namespace zero_rl::profiler {

namespace {

constexpr auto kSections = static_cast<size_t>(Section::kCount);
constexpr size_t kKernels = 32;
constexpr uint64_t kRing = uint64_t{1} << 16;  // events of a thread between two drains

constexpr std::array<const char*, kSections> kNames{
    "none",  "engine",  "load",  "initialize", "sample",   "prefill",   "decode step", "decode layers",
    "decode head", "draw", "wait for threads", "log-probs", "step", "forward", "head", "backward",
    "optimizer", "read state", "write state", "follow", "measure machine", "run kernel"};

// Written by one thread, read by another: plain increments that tear nothing.
template <class T>
void add(std::atomic<T>& sum, T value) {
  sum.store(sum.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

struct AtomicTotal {
  std::atomic<int64_t> calls{0};
  std::atomic<int64_t> nanoseconds{0};
  std::atomic<double> bytes{0};
  std::atomic<double> flops{0};

  void clear() {
    calls = 0;
    nanoseconds = 0;
    bytes = 0;
    flops = 0;
  }
};

struct Log {
  // [section][kernel][bfloat16][shared]
  using Totals = std::array<std::array<std::array<std::array<AtomicTotal, 2>, 2>, kKernels>, kSections>;

  int64_t id = 0;
  std::string name;
  std::vector<Event> ring = std::vector<Event>(kRing);
  std::atomic<uint64_t> written{0};
  std::atomic<uint64_t> read{0};
  std::atomic<int64_t> dropped{0};
  Totals totals;
  // Of the thread alone:
  uint64_t job = 0;
  int64_t kernels_left = 0;

  void push(const Event& event) {
    const uint64_t at = written.load(std::memory_order_relaxed);
    if (at - read.load(std::memory_order_acquire) >= kRing) {
      add<int64_t>(dropped, 1);
      return;
    }
    ring[at % kRing] = event;
    written.store(at + 1, std::memory_order_release);
  }
};

struct Registry {
  std::mutex mutex;
  std::vector<std::shared_ptr<Log>> logs;
  std::atomic<uint64_t> job{0};
  std::atomic<int64_t> kernel_events_per_job{0};
};

// Never destroyed: threads may outlive static destructors.
Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

thread_local Log* own_log = nullptr;
thread_local Section current = Section::kNone;

Log& log() {
  if (own_log != nullptr) return *own_log;
  auto fresh = std::make_shared<Log>();
  fresh->id = static_cast<int64_t>(syscall(SYS_gettid));
  std::array<char, 16> name{};
  prctl(PR_GET_NAME, name.data());
  fresh->name = name.data();
  own_log = fresh.get();
  const std::lock_guard lock(registry().mutex);
  registry().logs.push_back(std::move(fresh));
  return *own_log;
}

template <class Visit>
void for_each_total(Log& log, const Visit& visit) {
  for (size_t section = 0; section < kSections; ++section) {
    for (size_t kernel = 0; kernel < kKernels; ++kernel) {
      for (size_t bfloat16 = 0; bfloat16 < 2; ++bfloat16) {
        for (size_t shared = 0; shared < 2; ++shared) {
          visit(section, kernel, bfloat16, shared, log.totals[section][kernel][bfloat16][shared]);
        }
      }
    }
  }
}

}  // namespace

const char* section_name(Section section) { return kNames[static_cast<size_t>(section)]; }

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void start(int64_t kernel_events_per_job) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (const auto& log : all.logs) {
    log->read.store(log->written.load(std::memory_order_acquire), std::memory_order_release);
    log->dropped = 0;
    for_each_total(*log, [](size_t, size_t, size_t, size_t, AtomicTotal& total) { total.clear(); });
  }
  all.kernel_events_per_job = kernel_events_per_job;
  recording = true;
}

void stop() { recording = false; }

std::vector<ThreadRecord> drain() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<ThreadRecord> records;
  for (const auto& log : all.logs) {
    ThreadRecord record{.id = log->id, .name = log->name, .events = {}, .dropped = log->dropped.exchange(0)};
    const uint64_t end = log->written.load(std::memory_order_acquire);
    for (uint64_t at = log->read.load(std::memory_order_relaxed); at < end; ++at) {
      record.events.push_back(log->ring[at % kRing]);
    }
    log->read.store(end, std::memory_order_release);
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<KernelTotal> kernel_totals() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<KernelTotal> result;
  for (const auto& log : all.logs) {
    for_each_total(*log, [&](size_t section, size_t kernel, size_t bfloat16, size_t shared, const AtomicTotal& total) {
      if (total.calls == 0) return;
      const auto same = std::find_if(result.begin(), result.end(), [&](const KernelTotal& found) {
        return found.section == static_cast<Section>(section) && found.kernel == kernel &&
               found.bfloat16 == (bfloat16 != 0) && found.shared == (shared != 0);
      });
      KernelTotal& sum = same != result.end()
                             ? *same
                             : result.emplace_back(KernelTotal{.section = static_cast<Section>(section),
                                                               .kernel = static_cast<uint8_t>(kernel),
                                                               .bfloat16 = bfloat16 != 0,
                                                               .shared = shared != 0,
                                                               .total = {}});
      sum.total.calls += total.calls;
      sum.total.nanoseconds += total.nanoseconds;
      sum.total.bytes += total.bytes;
      sum.total.flops += total.flops;
    });
  }
  return result;
}

void begin_job() {
  if (on()) registry().job.fetch_add(1, std::memory_order_relaxed);
}

void record_kernel(uint8_t kernel, bool bfloat16, int64_t start, double bytes, double flops) {
  const int64_t duration = now() - start;
  Log& mine = log();
  const bool shared = ThreadPool::instance().threads() == 1;
  AtomicTotal& total = mine.totals[static_cast<size_t>(current)][kernel][bfloat16 ? 1 : 0][shared ? 1 : 0];
  add<int64_t>(total.calls, 1);
  add(total.nanoseconds, duration);
  add(total.bytes, bytes);
  add(total.flops, flops);
  const uint64_t job = registry().job.load(std::memory_order_relaxed);
  if (mine.job != job) {
    mine.job = job;
    mine.kernels_left = registry().kernel_events_per_job.load(std::memory_order_relaxed);
  }
  if (mine.kernels_left <= 0) return;
  --mine.kernels_left;
  mine.push({.start = start,
             .duration = duration,
             .bytes = bytes,
             .flops = flops,
             .kind = Event::Kind::kKernel,
             .id = kernel,
             .bfloat16 = bfloat16});
}

void Scope::enter(Section section) {
  section_ = section;
  outer_ = current;
  current = section;
  start_ = now();
}

void Scope::leave() {
  current = outer_;
  log().push({.start = start_,
              .duration = now() - start_,
              .bytes = 0,
              .flops = 0,
              .kind = Event::Kind::kSection,
              .id = static_cast<uint8_t>(section_),
              .bfloat16 = false});
}

}  // namespace zero_rl::profiler
