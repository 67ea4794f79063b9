// Sequences one after the other, as a packed pass reads them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/kernels.h"

namespace zero_rl {

namespace operators {
struct Segments;
}

class Operators;
struct Cache;

// A beginning that several sequences share is stored once. A sequence may begin behind tokens whose keys and values are cached.
struct PackedTokens {
  std::vector<int32_t> tokens;     // [T]
  std::vector<int32_t> positions;  // [T]
  std::vector<kernels::Segment> segments;

  int64_t count() const { return static_cast<int64_t>(tokens.size()); }
  // A sequence, or the beginning of several, behind `context` cached tokens.
  kernels::Segment append(const int32_t* data, int64_t length, int64_t context = 0);
  // What follows that beginning in one of them. Nothing else may be appended between the two.
  kernels::Segment append_after(const kernels::Segment& beginning, const int32_t* data, int64_t length);
};

// Where a pass stores keys and values, and reads those of contexts.
struct CacheUse {
  const Cache& cache;
  std::vector<int32_t> tables;  // [segments, pages]: the pages of each segment's sequence from its first position on
  int64_t pages;
};

// PackedTokens where the operators compute. The packed tokens and the use of the cache outlive it.
struct PackedBatch {
  PackedBatch(const Operators& operators, const PackedTokens& packed, const CacheUse* use = nullptr);

  const PackedTokens& packed;
  const CacheUse* use;     // or null
  int64_t count;           // T
  int64_t positions_end = 0;  // behind the last position
  at::Tensor tokens;       // [T] int32
  at::Tensor positions;    // [T] int32

  // What the operators' attention reads besides (Operators::bind): on the CPU segments with the tables of their contexts, and the
  // page and slot of each token.
  std::vector<kernels::Segment> runs;
  std::vector<int32_t> pages;
  std::vector<int32_t> slots;
  // On a device the segments, and where there is a cache their tables [S, pages] and the segment [T] of each token, int32.
  std::shared_ptr<const operators::Segments> segments;
  at::Tensor tables;
  at::Tensor table_rows;
};

}  // namespace zero_rl
