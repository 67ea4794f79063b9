#include "bench/machine.h"

#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <new>
#include <string>

#include "bench/probe.h"
#include "kernels/kernels.h"
#include "runtime/parallel.h"

ZERO_RL_DECLARE_PROBE(portable)
ZERO_RL_DECLARE_PROBE(avx2)
ZERO_RL_DECLARE_PROBE(avx512)
ZERO_RL_DECLARE_PROBE(amx)

namespace zero_rl::bench {

namespace {

constexpr double kSampleSeconds = 0.008;

// Whatever ZERO_RL_ISA says: the roof is the machine's.
Probe best_probe() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return avx512::probe();
  }
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? avx2::probe() : portable::probe();
}

// Pages of its own that go back to the system at once; large ones where the system has them.
class Pages {
 public:
  explicit Pages(size_t bytes) : bytes_(bytes) {
    data_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data_ == MAP_FAILED) throw std::bad_alloc();
    madvise(data_, bytes, MADV_HUGEPAGE);
  }
  ~Pages() { munmap(data_, bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  float* floats() { return static_cast<float*>(data_); }

 private:
  void* data_;
  size_t bytes_;
};

int team_size() { return ThreadPool::instance().threads(); }

// Seconds until every thread has done body(thread, threads).
template <class Body>
double team_seconds(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  const int threads = team_size();
  parallel_threads(threads, [&](int thread) { body(static_cast<int64_t>(thread), static_cast<int64_t>(threads)); });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The least seconds of one repetition; body(repetitions) returns the seconds that all of them took.
template <class Body>
double least_seconds(int samples, const AbortFlag& abort, const Body& body) {
  int64_t repetitions = 1;
  double seconds = body(repetitions);
  while (seconds < kSampleSeconds / 2) {
    repetitions = std::max<int64_t>(repetitions * 2, static_cast<int64_t>(repetitions * kSampleSeconds / (seconds + 1e-9)));
    seconds = body(repetitions);
  }
  double least = seconds / static_cast<double>(repetitions);
  for (int sample = 0; sample < samples; ++sample) {
    abort.check();
    least = std::min(least, body(repetitions) / static_cast<double>(repetitions));
  }
  return least;
}

// Eight times the last-level cache that this processor sees; the C library names the whole socket's.
int64_t beyond_cache() {
  int64_t kibibytes = 0;
  for (int index = 0; index < 8; ++index) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
    int64_t size = 0;
    if (file >> size) kibibytes = std::max(kibibytes, size);
  }
  return std::clamp<int64_t>(8 * kibibytes * 1024, int64_t{1} << 28, int64_t{1} << 30);
}

std::vector<Bandwidth> measure_bandwidth(const Probe& probe, int samples, const AbortFlag& abort) {
  const int64_t largest = beyond_cache();
  Pages pages(static_cast<size_t>(largest));
  float* data = pages.floats();
  team_seconds([&](int64_t thread, int64_t threads) {
    const int64_t floats = largest / 4;
    std::fill(data + floats * thread / threads, data + floats * (thread + 1) / threads, 1.0F);
  });
  std::vector<Bandwidth> result;
  volatile float sink = 0;
  for (int64_t bytes = (int64_t{1} << 15) * team_size(); bytes <= largest; bytes *= 4) {
    if (bytes * 4 > largest) bytes = largest;
    // Slices and their halves are multiples of 128 floats.
    const auto slice = [&](int64_t threads) { return bytes / 4 / threads / 256 * 256; };
    const double read = least_seconds(samples, abort, [&](int64_t repetitions) {
      return team_seconds([&](int64_t thread, int64_t threads) {
        const float* from = data + slice(threads) * thread;
        float sum = 0;
        for (int64_t i = 0; i < repetitions; ++i) sum += probe.read(from, slice(threads));
        sink = sum;
      });
    });
    const double copy = least_seconds(samples, abort, [&](int64_t repetitions) {
      return team_seconds([&](int64_t thread, int64_t threads) {
        float* from = data + slice(threads) * thread;
        const int64_t half = slice(threads) / 2;
        for (int64_t i = 0; i < repetitions; ++i) {
          std::memcpy(from + (i % 2 == 0 ? half : 0), from + (i % 2 == 0 ? 0 : half), static_cast<size_t>(half) * 4);
        }
      });
    });
    const double moved = static_cast<double>(slice(team_size()) * team_size() * 4);
    result.push_back({bytes, moved / read, moved / copy});
  }
  return result;
}

double measure_probe(double (*multiply)(int64_t), int samples, const AbortFlag& abort) {
  if (multiply == nullptr) return 0;
  const double flops = multiply(1);
  const double seconds = least_seconds(samples, abort, [&](int64_t repetitions) {
    return team_seconds([&](int64_t, int64_t) { multiply(repetitions); });
  });
  return flops * team_size() / seconds;
}

double measure_mm(at::ScalarType dtype, int samples, const AbortFlag& abort) {
  double best = 0;
  for (const int64_t size : {256, 512, 1024, 2048}) {
    const at::Tensor a = at::full({size, size}, 0.5, at::TensorOptions().dtype(dtype));
    const at::Tensor b = at::full({size, size}, 0.25, at::TensorOptions().dtype(dtype));
    at::Tensor c = at::full({size, size}, 0, at::TensorOptions().dtype(dtype));
    double least = 1e9;
    for (int sample = 0; sample <= samples && (sample < 2 || least < 0.05); ++sample) {
      abort.check();
      const auto start = std::chrono::steady_clock::now();
      at::mm_out(c, a, b);
      least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    best = std::max(best, 2.0 * static_cast<double>(size * size * size) / least);
    if (least > 0.01) break;
  }
  return best;
}

}  // namespace

Machine measure_machine(int samples, const AbortFlag& abort) {
  const Probe probe = best_probe();
  Machine machine;
  machine.bandwidth = measure_bandwidth(probe, samples, abort);
  machine.float32.own = measure_probe(probe.multiply_float32, samples, abort);
  machine.float32.aten = measure_mm(at::kFloat, samples, abort);
  machine.bfloat16.own = std::max(machine.float32.own, measure_probe(probe.multiply_bfloat16, samples, abort));
  if (kernels::tile_units_usable()) {
    machine.bfloat16.tiles = measure_probe(amx::probe().multiply_tiles, samples, abort);
  }
  machine.bfloat16.aten = measure_mm(at::kBFloat16, samples, abort);
  machine.fork_join = least_seconds(samples, abort, [](int64_t repetitions) {
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < repetitions; ++i) team_seconds([](int64_t, int64_t) {});
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  });
  return machine;
}

}  // namespace zero_rl::bench
