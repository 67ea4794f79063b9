// The threads that work on one block of a kernel. A kernel's body is a function object that takes a group and the index of
// the block; it runs on the device with the threads of a CUDA block or warp, and on the host with one thread that is the
// whole block, or with as many fibers as the device has threads (kernels/fiber_group.h).
//
// Every group has rank() of size() threads in warps of kLanes lanes; reductions give all threads one result and add in one
// order that depends on the size alone.
#pragma once

#include <cstdint>

#include "runtime/host_device.h"

namespace zero_rl::device {

constexpr int kWarpLanes = 32;

// A block of one thread.
class SerialGroup {
 public:
  static constexpr int kLanes = 1;

  explicit SerialGroup(char* shared) : shared_(shared) {}

  int rank() const { return 0; }
  int size() const { return 1; }
  int lane() const { return 0; }
  int warp() const { return 0; }
  int warps() const { return 1; }
  void sync() const {}
  void sync_warp() const {}
  template <class T>
  T* shared(int64_t offset = 0) const {
    return reinterpret_cast<T*>(shared_ + offset);
  }

  float sum(float value) const { return value; }
  double sum(double value) const { return value; }
  float maximum(float value) const { return value; }
  float warp_sum(float value) const { return value; }
  float warp_maximum(float value) const { return value; }
  template <class T>
  void add(T* shared_address, T value) const {
    *shared_address += value;
  }

 private:
  char* shared_;
};

#ifdef __CUDACC__

namespace detail {

struct Sum {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

struct Maximum {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

template <class T, class Merge>
__device__ inline T reduce_warp(T value, Merge merge) {
#pragma unroll
  for (int distance = kWarpLanes / 2; distance > 0; distance /= 2) {
    value = merge(value, __shfl_xor_sync(0xFFFFFFFFU, value, distance));
  }
  return value;
}

}  // namespace detail

// One warp of a block, without shared memory.
class WarpGroup {
 public:
  static constexpr int kLanes = kWarpLanes;

  __device__ int rank() const { return static_cast<int>(threadIdx.x) % kWarpLanes; }
  __device__ int size() const { return kWarpLanes; }
  __device__ int lane() const { return rank(); }
  __device__ int warp() const { return 0; }
  __device__ int warps() const { return 1; }
  __device__ void sync() const { __syncwarp(); }
  __device__ void sync_warp() const { __syncwarp(); }
  __device__ float sum(float value) const { return detail::reduce_warp(value, detail::Sum()); }
  __device__ float maximum(float value) const { return detail::reduce_warp(value, detail::Maximum()); }
  __device__ float warp_sum(float value) const { return sum(value); }
  __device__ float warp_maximum(float value) const { return maximum(value); }
};

// A block whose size is a multiple of a warp.
class BlockGroup {
 public:
  static constexpr int kLanes = kWarpLanes;

  __device__ int rank() const { return static_cast<int>(threadIdx.x); }
  __device__ int size() const { return static_cast<int>(blockDim.x); }
  __device__ int lane() const { return rank() % kWarpLanes; }
  __device__ int warp() const { return rank() / kWarpLanes; }
  __device__ int warps() const { return size() / kWarpLanes; }
  __device__ void sync() const { __syncthreads(); }
  __device__ void sync_warp() const { __syncwarp(); }
  template <class T>
  __device__ T* shared(int64_t offset = 0) const {
    extern __shared__ __align__(16) char memory[];
    return reinterpret_cast<T*>(memory + offset);
  }

  __device__ float sum(float value) const { return reduce(value, detail::Sum()); }
  __device__ double sum(double value) const { return reduce(value, detail::Sum()); }
  __device__ float maximum(float value) const { return reduce(value, detail::Maximum()); }
  __device__ float warp_sum(float value) const { return detail::reduce_warp(value, detail::Sum()); }
  __device__ float warp_maximum(float value) const { return detail::reduce_warp(value, detail::Maximum()); }
  __device__ void add(uint32_t* address, uint32_t value) const { atomicAdd(address, value); }
  __device__ void add(uint64_t* address, uint64_t value) const {
    atomicAdd(reinterpret_cast<unsigned long long*>(address), static_cast<unsigned long long>(value));
  }

 private:
  template <class T, class Merge>
  __device__ T reduce(T value, Merge merge) const {
    __shared__ T warp_results[kWarpLanes];
    value = detail::reduce_warp(value, merge);
    __syncthreads();  // nobody still reads the results of the reduction before
    if (lane() == 0) warp_results[warp()] = value;
    __syncthreads();
    value = warp_results[0];
    for (int i = 1; i < warps(); ++i) value = merge(value, warp_results[i]);
    return value;
  }
};

#endif  // __CUDACC__

}  // namespace zero_rl::device
