// The kernels that run bodies: one block, one warp or one thread for each index.
#pragma once

#include <cstdint>

#include "kernels/group.cuh"

namespace zero_rl::operators::detail {

template <class Body>
__global__ void __launch_bounds__(Body::kMaxThreads) run_blocks(const __grid_constant__ Body body) {
  body(device::BlockGroup(), static_cast<int64_t>(blockIdx.x));
}

template <class Body>
__global__ void __launch_bounds__(256) run_warps(const __grid_constant__ Body body, int64_t count) {
  const int64_t index = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / device::kWarpLanes;
  if (index < count) body(device::WarpGroup(), index);
}

template <class Body>
__global__ void __launch_bounds__(256) run_elements(const __grid_constant__ Body body, int64_t count) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index < count) body(index);
}

}  // namespace zero_rl::operators::detail
