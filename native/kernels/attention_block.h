// The layouts of keys and values that the products of attention read, and how a segment is brought into them as float32.
#pragma once

#include "kernels/kernels.h"
#include "kernels/small_product.h"
#include "kernels/transpose_words.h"

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

  // Rows [begin, begin + count) become columns [first, first + count) of panels; those behind in the last panel become 0,
  // but for the rest of a vector that other rows have begun.
  void panels(const void* qkv, int64_t column, int64_t begin, int64_t first, int64_t count, float* out) const {
    const T* rows = static_cast<const T*>(qkv) + begin * width + column;
    const int64_t end = first + count;
    int64_t t = first;
    for (; t < end && t % kLanes != 0; ++t) {
      float* to = out + t / kKeyTile * dim * kKeyTile + t % kKeyTile;
      for (int64_t d = 0; d < dim; ++d) to[d * kKeyTile] = to_float(rows[(t - first) * width + d]);
    }
    for (t = (t + kLanes - 1) / kLanes * kLanes; t < padded_keys(end); t += kLanes) {
      float* to = out + t / kKeyTile * dim * kKeyTile + t % kKeyTile;
      const int64_t valid = end - t < 0 ? 0 : (end - t < kLanes ? end - t : kLanes);
      const T* from = rows + (t - first) * width;
      int64_t d = 0;
#if defined(__AVX512F__)
      for (; d + kLanes <= dim; d += kLanes) {
        __m512i square[kLanes] = {};
        for (int64_t i = 0; i < valid; ++i) square[i] = (__m512i)load_wide(from + i * width + d);
        transpose_words(square);
        for (int64_t i = 0; i < kLanes; ++i) store(to + (d + i) * kKeyTile, (Vector)square[i]);
      }
#endif
      for (; d < dim; ++d) {
        for (int64_t i = 0; i < kLanes; ++i) to[d * kKeyTile + i] = i < valid ? to_float(from[i * width + d]) : 0;
      }
    }
  }

  // Rows [begin, begin + length) of a matrix, `to_stride` apart and times `factor`; the columns from `dim` to a multiple of
  // kTileColumns are 0.
  void rows(const void* matrix, int64_t stride, int64_t column, int64_t begin, int64_t length, float factor, float* out,
            int64_t to_stride) const {
    const int64_t padded = padded_columns(dim);
    for (int64_t t = 0; t < length; ++t) {
      const T* row = static_cast<const T*>(matrix) + (begin + t) * stride + column;
      float* to = out + t * to_stride;
      for_vectors(dim, [&](int64_t d, int64_t count) { store(to + d, load_part(row + d, count) * factor); });
      for (int64_t d = (dim + kLanes - 1) / kLanes * kLanes; d < padded; d += kLanes) store(to + d, Vector{});
    }
  }

  int64_t width;
  int64_t dim;
  int64_t key;
  int64_t value;
};

// out = values · factor
template <class T>
static inline void write_row(const float* values, float factor, int64_t count, T* out) {
  for_vectors(count, [&](int64_t d, int64_t valid) { store_part(out + d, load(values + d) * factor, valid); });
}

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

// fill(block, segment), run(segment, its block, that of its prefix) and write(block, segment) for all segments of a family:
// that of the prefix first, which is written last, as the others add to it.
template <class Block, class Fill, class Run, class Write>
static inline void walk_family(const Attention& a, const Family& family, Block& prefix, Block& own, const Fill& fill,
                               const Run& run, const Write& write) {
  const Segment& first = a.segments[family.first];
  fill(prefix, first);
  run(first, prefix, Block{});
  for (int64_t i = family.first + 1; i < family.end; ++i) {
    fill(own, a.segments[i]);
    run(a.segments[i], own, prefix);
    write(own, a.segments[i]);
  }
  write(prefix, first);
}

static inline int64_t longest_segment(const Attention& a, int64_t first, int64_t end) {
  int64_t longest = 0;
  for (int64_t i = first; i < end; ++i) longest = a.segments[i].length > longest ? a.segments[i].length : longest;
  return longest;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
