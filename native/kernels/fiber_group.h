// Emulates a block of CUDA threads on one thread of the host, for tests of the kernels' bodies: every thread of the block is
// a fiber that runs until it comes to a barrier or a reduction. A warp runs as far as it can before the next one starts, from
// the first to the last in one block and from the last to the first in the next, so that a body that misses a barrier reads
// what is not written yet, or what is overwritten already.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>

#include "kernels/group.cuh"

namespace zero_rl::device {

// Whether operators on CPU tensors emulate the threads of the device.
bool emulation();
void set_emulation(bool on);

// The fibers of one block.
class FiberBlock {
 public:
  FiberBlock(int threads, int64_t shared_bytes);
  ~FiberBlock();
  FiberBlock(const FiberBlock&) = delete;
  FiberBlock& operator=(const FiberBlock&) = delete;

  // Runs body(rank) on every fiber to its end.
  void run(const std::function<void(int)>& body);

  int threads() const { return threads_; }
  char* shared() const { return reinterpret_cast<char*>(shared_.get()); }
  // Where fibers leave values for the others of their block.
  double* mailbox() const { return mailbox_.get(); }
  // Returns when all fibers of the caller's warp, or of the block, have called it.
  void wait(bool whole_block);

 private:
  struct Fibers;

  int threads_;
  std::unique_ptr<std::max_align_t[]> shared_;
  int64_t shared_bytes_;
  std::unique_ptr<double[]> mailbox_;
  std::unique_ptr<Fibers> fibers_;
  bool backwards_ = true;
};

class FiberGroup {
 public:
  static constexpr int kLanes = kWarpLanes;

  FiberGroup(FiberBlock& block, int rank) : block_(block), rank_(rank) {}

  int rank() const { return rank_; }
  int size() const { return block_.threads(); }
  int lane() const { return rank_ % kWarpLanes; }
  int warp() const { return rank_ / kWarpLanes; }
  int warps() const { return size() / kWarpLanes; }
  void sync() const { block_.wait(/*whole_block=*/true); }
  void sync_warp() const { block_.wait(/*whole_block=*/false); }
  template <class T>
  T* shared(int64_t offset = 0) const {
    return reinterpret_cast<T*>(block_.shared() + offset);
  }

  float sum(float value) const { return reduce(value, true, std::plus<float>()); }
  double sum(double value) const { return reduce(value, true, std::plus<double>()); }
  float maximum(float value) const { return reduce(value, true, larger); }
  float warp_sum(float value) const { return reduce(value, false, std::plus<float>()); }
  float warp_maximum(float value) const { return reduce(value, false, larger); }
  template <class T>
  void add(T* shared_address, T value) const {
    *shared_address += value;
  }

 private:
  static float larger(float a, float b) { return std::max(a, b); }

  // In the device's order: a butterfly in each warp, then over the warps.
  template <class T, class Merge>
  T reduce(T value, bool whole_block, Merge merge) const {
    double* mail = block_.mailbox();
    mail[rank_] = value;
    block_.wait(whole_block);
    const auto of_warp = [&](int warp) {
      T values[kWarpLanes];
      for (int i = 0; i < kWarpLanes; ++i) values[i] = static_cast<T>(mail[warp * kWarpLanes + i]);
      for (int distance = kWarpLanes / 2; distance > 0; distance /= 2) {
        for (int i = 0; i < distance; ++i) values[i] = merge(values[i], values[i + distance]);
      }
      return values[0];
    };
    T result = of_warp(whole_block ? 0 : warp());
    for (int i = 1; whole_block && i < warps(); ++i) result = merge(result, of_warp(i));
    block_.wait(whole_block);
    return result;
  }

  FiberBlock& block_;
  int rank_;
};

// body(group, index) for each block.
template <class Body>
void run_fibers(int64_t count, int threads, int64_t shared_bytes, const Body& body) {
  FiberBlock block(threads, shared_bytes);
  for (int64_t index = 0; index < count; ++index) {
    block.run([&](int rank) { body(FiberGroup(block, rank), index); });
  }
}

}  // namespace zero_rl::device
