// Panels of kTileColumns columns: [panel][k][lane], left vector then right in float32. In bfloat16 the two vectors are
// interleaved, [panel][k][lane][2], so that one load, a shift and a mask widen both; or, for processors that multiply pairs,
// [panel][k / 2][left lanes, right lanes][2] with two k side by side.
#pragma once

#include "kernels/kernels.h"
#include "kernels/tile.h"
#include "kernels/transpose_words.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// Rows of a matrix that are fetched before their columns are packed.
constexpr int64_t kRowsAhead = 8;

static inline int64_t panel_count(int64_t n) { return (n + kTileColumns - 1) / kTileColumns; }

// Where column `lane` of a panel is written at `k`, in elements.
template <class T>
static inline int64_t place(int64_t k, int64_t lane) {
  if (sizeof(T) == sizeof(float)) return k * kTileColumns + lane;
  if (kPairs) return k / 2 * 2 * kTileColumns + 2 * lane + k % 2;
  return k * kTileColumns + (lane < kLanes ? 2 * lane : 2 * (lane - kLanes) + 1);
}

// The row of B behind a column of a panel; -1 beyond the last.
static inline int64_t row_of(const PackPanels& p, int64_t panel, int64_t lane) {
  if (!p.paired) {
    const int64_t row = panel * kTileColumns + lane;
    return row < p.n ? row : -1;
  }
  const int64_t row = panel * kLanes + lane % kLanes;
  if (row >= p.n / 2) return -1;
  return lane < kLanes ? row : p.n / 2 + row;
}

// Rows `row` and `next` of a panel side by side.
#if defined(__AVX512BF16__)
static inline void interleave_rows(const Bfloat16* row, const Bfloat16* next, Bfloat16* to) {
  alignas(64) static constexpr uint16_t kOrder[64] = {
      0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
      11, 43, 12, 44, 13, 45, 14, 46, 15, 47, 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53,
      22, 54, 23, 55, 24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63};
  const __m512i a = _mm512_loadu_si512(row);
  const __m512i b = _mm512_loadu_si512(next);
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16(a, _mm512_load_si512(kOrder), b));
  _mm512_storeu_si512(to + kTileColumns, _mm512_permutex2var_epi16(a, _mm512_load_si512(kOrder + 32), b));
}
#else
template <class T>
static inline void interleave_rows(const T* row, const T* next, T* to) {
  for (int64_t lane = 0; lane < kTileColumns; ++lane) {
    to[2 * lane] = row[lane];
    to[2 * lane + 1] = next[lane];
  }
}
#endif

// k0 ... k1 of a whole panel of a matrix whose columns are contiguous.
template <class T>
static inline void pack_columns(const PackPanels& p, int64_t panel, int64_t k0, int64_t k1, T* out) {
  const T* from = static_cast<const T*>(p.matrix) + panel * kTileColumns + k0 * p.depth_stride;
  const int64_t filled = k1 - k0;
  if constexpr (kPairs && sizeof(T) < sizeof(float)) {
    int64_t k = 0;
    for (; k + 2 <= filled; k += 2) {
      const T* row = from + k * p.depth_stride;
      interleave_rows(row, row + p.depth_stride, out + k * kTileColumns);
    }
    const int64_t depth = panel_depth<T>(filled);
    std::memset(out + k * kTileColumns, 0, static_cast<size_t>((depth - k) * kTileColumns) * sizeof(T));
    if (k < filled) {
      for (int64_t lane = 0; lane < kTileColumns; ++lane) {
        out[k * kTileColumns + place<T>(0, lane)] = from[k * p.depth_stride + lane];
      }
    }
  } else {
    constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
    for (int64_t k = 0; k < filled; ++k) {
      const T* row = from + k * p.depth_stride;
      if (k + kRowsAhead < filled) {
        for (int64_t lane = 0; lane < kTileColumns; lane += kLine) __builtin_prefetch(row + kRowsAhead * p.depth_stride + lane);
      }
      for (int64_t lane = 0; lane < kTileColumns; ++lane) out[place<T>(k, lane)] = row[lane];
    }
  }
}

#if defined(__AVX512F__)
// The first whole squares of a panel whose rows of B are contiguous; returns how deep they reach.
static inline int64_t pack_squares(const PackPanels& p, int64_t panel, int64_t k0, int64_t k1, float* out) {
  const auto* matrix = static_cast<const float*>(p.matrix) + k0;
  int64_t k = 0;
  for (; k + kLanes <= k1 - k0; k += kLanes) {
    for (int64_t first = 0; first < kTileColumns; first += kLanes) {
      __m512i words[kLanes];
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        const int64_t row = row_of(p, panel, first + lane);
        words[lane] = row < 0 ? _mm512_setzero_si512() : _mm512_loadu_si512(matrix + row * p.stride + k);
      }
      transpose_words(words);
      for (int64_t i = 0; i < kLanes; ++i) _mm512_storeu_si512(out + (k + i) * kTileColumns + first, words[i]);
    }
  }
  return k;
}
#endif

#if defined(__AVX512BF16__)
// The same of pairs.
static inline int64_t pack_squares(const PackPanels& p, int64_t panel, int64_t k0, int64_t k1, Bfloat16* out) {
  const auto* matrix = static_cast<const Bfloat16*>(p.matrix) + k0;
  int64_t k = 0;
  for (; k + kPairDepth <= k1 - k0; k += kPairDepth) {
    for (int64_t first = 0; first < kTileColumns; first += kLanes) {
      __m512i words[kLanes];
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        const int64_t row = row_of(p, panel, first + lane);
        words[lane] = row < 0 ? _mm512_setzero_si512() : _mm512_loadu_si512(matrix + row * p.stride + k);
      }
      transpose_words(words);
      Bfloat16* to = out + k * kTileColumns + 2 * first;
      for (int64_t pair = 0; pair < kLanes; ++pair) _mm512_storeu_si512(to + pair * 2 * kTileColumns, words[pair]);
    }
  }
  return k;
}
#endif

template <class T>
static inline int64_t pack_squares(const PackPanels&, int64_t, int64_t, int64_t, T*) {
  return 0;
}

// k0 ... k1 of a panel to out, as deep as panel_depth(k1 - k0); k0 is even.
template <class T>
static void pack_panel(const PackPanels& p, int64_t panel, int64_t k0, int64_t k1, T* out) {
  if (p.stride == 1 && !p.paired && (panel + 1) * kTileColumns <= p.n) {
    pack_columns(p, panel, k0, k1, out);
    return;
  }
  constexpr int64_t kBlock = 64;  // of k: what is written stays in the first-level cache
  const int64_t filled = k1 - k0;
  const int64_t depth = panel_depth<T>(filled);
  const int64_t packed = p.depth_stride == 1 ? pack_squares(p, panel, k0, k1, out) : 0;
  for (int64_t first = packed; first < depth; first += kBlock) {
    const int64_t end = first + kBlock < depth ? first + kBlock : depth;
    const int64_t last = end < filled ? end : filled;
    for (int64_t lane = 0; lane < kTileColumns; ++lane) {
      const int64_t row = row_of(p, panel, lane);
      int64_t k = first;
      if (row >= 0) {
        const T* from = static_cast<const T*>(p.matrix) + row * p.stride + k0 * p.depth_stride;
        if (p.depth_stride == 1) {
          for (; k < last; ++k) out[place<T>(k, lane)] = from[k];
        } else {
          for (; k < last; ++k) out[place<T>(k, lane)] = from[k * p.depth_stride];
        }
      }
      for (; k < end; ++k) out[place<T>(k, lane)] = T{};
    }
  }
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
