// Runs the kernels' bodies on the CPU: blocks are shared out among the engine's threads, and each block is one thread, or,
// while a test has emulation on, as many fibers as the device has threads for it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/fiber_group.h"
#include "kernels/group.cuh"
#include "runtime/parallel.h"

namespace zero_rl::operators {

struct CpuLaunch {
  template <class Body>
  static void blocks(const at::Tensor&, int64_t count, int threads, int64_t shared_bytes, const Body& body) {
    if (device::emulation()) {
      device::run_fibers(count, threads, shared_bytes, body);
      return;
    }
    parallel_ranges(count, 1, [&](int64_t begin, int64_t end, int) {
      const auto shared = std::make_unique<std::max_align_t[]>(shared_bytes / sizeof(std::max_align_t) + 1);
      const device::SerialGroup group(reinterpret_cast<char*>(shared.get()));
      for (int64_t index = begin; index < end; ++index) body(group, index);
    });
  }

  template <class Body>
  static void warps(const at::Tensor& like, int64_t count, const Body& body) {
    constexpr int64_t grain = 16;
    if (device::emulation()) {
      device::run_fibers(count, device::kWarpLanes, 0, body);
      return;
    }
    parallel_ranges(count, grain, [&](int64_t begin, int64_t end, int) {
      const device::SerialGroup group(nullptr);
      for (int64_t index = begin; index < end; ++index) body(group, index);
    });
  }

  template <class Body>
  static void elements(const at::Tensor&, int64_t count, const Body& body) {
    constexpr int64_t grain = 4096;
    parallel_ranges(count, grain, [&](int64_t begin, int64_t end, int) {
      for (int64_t index = begin; index < end; ++index) body(index);
    });
  }
};

}  // namespace zero_rl::operators
