// Launches the kernels' bodies on the current stream of a tensor's device, through the interface that libtorch has for every
// device: this library links neither libc10_cuda nor libtorch_cuda, so that it loads, and can be looked at, without a GPU.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda_kernels.cuh"

namespace zero_rl::operators {

struct CudaLaunch {
  template <class Body>
  static void blocks(const at::Tensor& like, int64_t count, int threads, int64_t shared_bytes, Body body) {
    const auto* kernel = reinterpret_cast<const void*>(&detail::run_blocks<Body>);
    const c10::DeviceGuard guard(like.device());
    if (count > 0) allow_shared(kernel, shared_bytes);
    void* arguments[] = {&body};
    launch(like, kernel, count, threads, shared_bytes, arguments);
  }

  template <class Body>
  static void warps(const at::Tensor& like, int64_t count, Body body) {
    constexpr int per_block = kThreads / device::kWarpLanes;
    const auto* kernel = reinterpret_cast<const void*>(&detail::run_warps<Body>);
    const c10::DeviceGuard guard(like.device());
    void* arguments[] = {&body, &count};
    launch(like, kernel, (count + per_block - 1) / per_block, kThreads, 0, arguments);
  }

  template <class Body>
  static void elements(const at::Tensor& like, int64_t count, Body body) {
    const auto* kernel = reinterpret_cast<const void*>(&detail::run_elements<Body>);
    const c10::DeviceGuard guard(like.device());
    void* arguments[] = {&body, &count};
    launch(like, kernel, (count + kThreads - 1) / kThreads, kThreads, 0, arguments);
  }

 private:
  static constexpr int kThreads = 256;

  static void check_cuda(cudaError_t error) {
    TORCH_CHECK(error == cudaSuccess, "CUDA error: ", cudaGetErrorString(error));
  }

  // What a kernel declares itself, as for reductions, comes on top of what the launch gives it.
  static void allow_shared(const void* kernel, int64_t bytes) {
    constexpr int64_t always_there = 48 << 10;
    constexpr int64_t most_declared = 1 << 10;
    if (bytes + most_declared <= always_there) return;
    cudaFuncAttributes attributes{};
    check_cuda(cudaFuncGetAttributes(&attributes, kernel));
    if (bytes + static_cast<int64_t>(attributes.sharedSizeBytes) <= always_there) return;
    check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)));
  }

  static void launch(const at::Tensor& like, const void* kernel, int64_t grid, int threads, int64_t shared_bytes,
                     void** arguments) {
    constexpr int64_t most = 0x7FFFFFFF;
    if (grid == 0) return;
    TORCH_CHECK(grid <= most, "Expected an operand of at most ", most, " blocks but received ", grid);
    const c10::impl::VirtualGuardImpl device(at::kCUDA);
    const c10::Stream stream = device.getStream(like.device());
    check_cuda(cudaLaunchKernel(kernel, dim3(static_cast<unsigned>(grid)), dim3(static_cast<unsigned>(threads)),
                                arguments, static_cast<size_t>(shared_bytes),
                                static_cast<cudaStream_t>(device.getStreamNativeHandle(stream))));
  }
};

}  // namespace zero_rl::operators
