// In the place of native/kernels/cuda_kernels.cuh: the kernels are functions that run their bodies on the host, a block on one
// thread. They are known by the address of a function of the kernel's name, as nvcc makes it too.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "fake_device.h"
#include "kernels/group.cuh"

namespace zero_rl::operators::detail {

// Registers the kernel of a function when the library is mapped.
template <auto kFunction, class Definition>
struct Registered {
  static inline const bool done = [] {
    fake::register_kernel(reinterpret_cast<const void*>(kFunction),
                          {Definition::kName, Definition::kMaxThreads, Definition::kStaticBytes, &Definition::bind});
    return true;
  }();
};

template <class Body>
struct BlockKernel {
  static constexpr const char* kName = "run_blocks";
  static constexpr int kMaxThreads = Body::kMaxThreads;
  // At most: one buffer for each kind of reduction (BlockGroup::reduce).
  static constexpr size_t kStaticBytes = device::kWarpLanes * (2 * sizeof(float) + sizeof(double));
  static std::function<void()> bind(void** arguments, unsigned grid, unsigned, size_t shared_bytes) {
    return [body = *static_cast<const Body*>(arguments[0]), grid, shared_bytes] {
      const auto shared = std::make_unique<std::max_align_t[]>(shared_bytes / sizeof(std::max_align_t) + 1);
      const device::SerialGroup group(reinterpret_cast<char*>(shared.get()));
      for (unsigned index = 0; index < grid; ++index) body(group, static_cast<int64_t>(index));
    };
  }
};

template <class Body>
void run_blocks(const Body) {
  static_cast<void>(Registered<&run_blocks<Body>, BlockKernel<Body>>::done);
}

template <class Body>
struct WarpKernel {
  static constexpr const char* kName = "run_warps";
  static constexpr int kMaxThreads = 256;
  static constexpr size_t kStaticBytes = 0;
  static std::function<void()> bind(void** arguments, unsigned grid, unsigned threads, size_t) {
    const int64_t most = static_cast<int64_t>(grid) * (threads / device::kWarpLanes);
    const int64_t count = std::min(most, *static_cast<const int64_t*>(arguments[1]));
    return [body = *static_cast<const Body*>(arguments[0]), count] {
      const device::SerialGroup group(nullptr);
      for (int64_t index = 0; index < count; ++index) body(group, index);
    };
  }
};

template <class Body>
void run_warps(const Body, int64_t) {
  static_cast<void>(Registered<&run_warps<Body>, WarpKernel<Body>>::done);
}

template <class Body>
struct ElementKernel {
  static constexpr const char* kName = "run_elements";
  static constexpr int kMaxThreads = 256;
  static constexpr size_t kStaticBytes = 0;
  static std::function<void()> bind(void** arguments, unsigned grid, unsigned threads, size_t) {
    const int64_t most = static_cast<int64_t>(grid) * threads;
    const int64_t count = std::min(most, *static_cast<const int64_t*>(arguments[1]));
    return [body = *static_cast<const Body*>(arguments[0]), count] {
      for (int64_t index = 0; index < count; ++index) body(index);
    };
  }
};

template <class Body>
void run_elements(const Body, int64_t) {
  static_cast<void>(Registered<&run_elements<Body>, ElementKernel<Body>>::done);
}

}  // namespace zero_rl::operators::detail
