// The softmax over one query's scores: shared by the packed and the decoding attention, so that both add in the same
// order. Keys are taken in blocks at fixed positions: each block has its own maximum and sums, which are merged in order of
// the blocks, whoever computed them. The functions are not inlined, or the compiler might fuse operations here and not there.
#pragma once

#include "kernels/vector_math.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// Keys of positions [i·kKeyBlock, (i + 1)·kKeyBlock) are a block.
constexpr int64_t kKeyBlock = 512;

// Of the exponentials of one query's scores.
struct RowSums {
  float maximum;  // of the scores
  float total;    // of the exponentials relative to it
};

// Scores become exponentials relative to their maximum. Reads and writes up to a multiple of kLanes; what is written beyond
// `count` is 0.
[[gnu::noinline]] static RowSums block_exponentials(float* scores, int64_t count) {
  const int64_t whole = count / kLanes * kLanes;
  Vector tops = splat(-INFINITY);
  for (int64_t j = 0; j < whole; j += kLanes) {
    const Vector score = load(scores + j);
    tops = score > tops ? score : tops;
  }
  if (whole < count) {
    const Vector score = first_lanes(load(scores + whole), count - whole, -INFINITY);
    tops = score > tops ? score : tops;
  }
  const float top = maximum_lane(tops);
  Vector sums{};
  for (int64_t j = 0; j < whole; j += kLanes) {
    const Vector value = fast_exp(load(scores + j) - top);
    store(scores + j, value);
    sums += value;
  }
  if (whole < count) {
    const Vector value = first_lanes(fast_exp(load(scores + whole) - top), count - whole, 0);
    store(scores + whole, value);
    sums += value;
  }
  return {top, sum_lanes(sums)};
}

// Adds a block of keys to what the blocks before it have summed; `values` are the sums of values, `padded` of them.
[[gnu::noinline]] static void merge_block(RowSums& sums, float* values, const RowSums& block,
                                          const float* block_values, int64_t padded) {
  const float maximum = sums.maximum > block.maximum ? sums.maximum : block.maximum;
  const Vector before = fast_exp(splat(sums.maximum - maximum));
  const Vector added = fast_exp(splat(block.maximum - maximum));
  sums = {maximum, sums.total * before[0] + block.total * added[0]};
  for (int64_t d = 0; d < padded; d += kLanes) {
    store(values + d, load(values + d) * before + load(block_values + d) * added);
  }
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
