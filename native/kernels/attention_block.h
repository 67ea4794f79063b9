// The layouts of keys and values that the products of attention read, and how a segment is brought into them as float32.
#pragma once

#include "kernels/kernels.h"
#include "kernels/small_product.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// [key_tiles(length), dim, kKeyTile]
template <class T>
static inline RightSide<T> key_panels(const T* data, int64_t dim) {
  return {data, kKeyTile, kKeyTile, dim * kKeyTile};
}

static inline int64_t padded_keys(int64_t count) { return key_tiles(count) * kKeyTile; }

// Where the columns of one key/value head lie in the rows of qkv.
template <class T>
struct HeadColumns {
  HeadColumns(const Attention& a, int64_t kv_head)
      : width((a.heads + 2 * a.kv_heads) * a.head_dim),
        dim(a.head_dim),
        key((a.heads + kv_head) * a.head_dim),
        value((a.heads + a.kv_heads + kv_head) * a.head_dim) {}

  // Rows [begin, begin + length) as panels; the lanes beyond `length` are 0.
  void panels(const void* qkv, int64_t column, int64_t begin, int64_t length, float* out) const {
    for (int64_t t = 0; t < length; ++t) {
      const T* row = static_cast<const T*>(qkv) + (begin + t) * width + column;
      float* to = out + t / kKeyTile * dim * kKeyTile + t % kKeyTile;
      for (int64_t d = 0; d < dim; ++d) to[d * kKeyTile] = to_float(row[d]);
    }
    for (int64_t t = length; t < padded_keys(length); ++t) {
      float* to = out + t / kKeyTile * dim * kKeyTile + t % kKeyTile;
      for (int64_t d = 0; d < dim; ++d) to[d * kKeyTile] = 0;
    }
  }

  // The same rows as [length, padded_columns(dim)], times `factor`; the columns beyond `dim` are 0.
  void rows(const void* matrix, int64_t stride, int64_t column, int64_t begin, int64_t length, float factor,
            float* out) const {
    const int64_t padded = padded_columns(dim);
    for (int64_t t = 0; t < length; ++t) {
      const T* row = static_cast<const T*>(matrix) + (begin + t) * stride + column;
      for (int64_t d = 0; d < dim; ++d) out[t * padded + d] = to_float(row[d]) * factor;
      for (int64_t d = dim; d < padded; ++d) out[t * padded + d] = 0;
    }
  }

  int64_t width;
  int64_t dim;
  int64_t key;
  int64_t value;
};

// A segment that stands alone, or one and those that have it as their prefix: [first, end) of the segments.
struct Family {
  int64_t first;
  int64_t end;
};

static inline Family family_at(const Attention& a, int64_t first) {
  const Segment& head = a.segments[first];
  int64_t end = first + 1;
  while (end < a.segment_count && a.segments[end].prefix_length > 0 && a.segments[end].prefix_begin == head.begin) {
    ++end;
  }
  return {first, end};
}

static inline int64_t longest_segment(const Attention& a, int64_t first, int64_t end) {
  int64_t longest = 0;
  for (int64_t i = first; i < end; ++i) longest = a.segments[i].length > longest ? a.segments[i].length : longest;
  return longest;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
