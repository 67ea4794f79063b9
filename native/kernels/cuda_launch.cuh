// Launches the kernels' bodies on the current stream of a tensor's device, through the interface that libtorch has for every
// device: this library links neither libc10_cuda nor libtorch_cuda, so that it loads, and can be looked at, without a GPU.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/group.cuh"

namespace zero_rl::operators {

namespace detail {

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

inline void check_cuda(cudaError_t error) {
  TORCH_CHECK(error == cudaSuccess, "CUDA error: ", cudaGetErrorString(error));
}

}  // namespace detail

struct CudaLaunch {
  template <class Body>
  static void blocks(const at::Tensor& like, int64_t count, int threads, int64_t shared_bytes, const Body& body) {
    const c10::DeviceGuard guard(like.device());
    if (count > 0) allow_shared(detail::run_blocks<Body>, shared_bytes);
    launch(like, count, [&](unsigned grid, cudaStream_t stream) {
      detail::run_blocks<Body><<<grid, threads, shared_bytes, stream>>>(body);
    });
  }

  template <class Body>
  static void warps(const at::Tensor& like, int64_t count, const Body& body) {
    constexpr int per_block = kThreads / device::kWarpLanes;
    const c10::DeviceGuard guard(like.device());
    launch(like, (count + per_block - 1) / per_block, [&](unsigned grid, cudaStream_t stream) {
      detail::run_warps<Body><<<grid, kThreads, 0, stream>>>(body, count);
    });
  }

  template <class Body>
  static void elements(const at::Tensor& like, int64_t count, const Body& body) {
    const c10::DeviceGuard guard(like.device());
    launch(like, (count + kThreads - 1) / kThreads, [&](unsigned grid, cudaStream_t stream) {
      detail::run_elements<Body><<<grid, kThreads, 0, stream>>>(body, count);
    });
  }

 private:
  static constexpr int kThreads = 256;

  // What a kernel declares itself, as for reductions, comes on top of what the launch gives it.
  template <class Kernel>
  static void allow_shared(Kernel* kernel, int64_t bytes) {
    constexpr int64_t always_there = 48 << 10;
    constexpr int64_t most_declared = 1 << 10;
    if (bytes + most_declared <= always_there) return;
    cudaFuncAttributes attributes{};
    detail::check_cuda(cudaFuncGetAttributes(&attributes, kernel));
    if (bytes + static_cast<int64_t>(attributes.sharedSizeBytes) <= always_there) return;
    detail::check_cuda(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)));
  }

  template <class Start>
  static void launch(const at::Tensor& like, int64_t grid, const Start& start) {
    constexpr int64_t most = 0x7FFFFFFF;
    if (grid == 0) return;
    TORCH_CHECK(grid <= most, "Expected an operand of at most ", most, " blocks but received ", grid);
    const c10::impl::VirtualGuardImpl device(at::kCUDA);
    const c10::Stream stream = device.getStream(like.device());
    start(static_cast<unsigned>(grid), static_cast<cudaStream_t>(device.getStreamNativeHandle(stream)));
    detail::check_cuda(cudaGetLastError());
  }
};

}  // namespace zero_rl::operators
