// Panels of kTileColumns columns: [panel][k][lane], left vector then right in float32. In bfloat16 the two vectors are
// interleaved, [panel][k][lane][2], so that one load, a shift and a mask widen both; or, for processors that multiply pairs,
// [panel][k / 2][left lanes, right lanes][2] with two k side by side.
#include "kernels/register.h"
#include "kernels/tile.h"
#include "kernels/transpose_words.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kBlock = 64;  // of k: what is written stays in the first-level cache
constexpr int64_t kElementsPerThread = 1 << 15;

int64_t panel_count(int64_t n) { return (n + kTileColumns - 1) / kTileColumns; }

template <class T>
int64_t panel_elements(int64_t n, int64_t k) {
  return panel_count(n) * kTileColumns * panel_depth<T>(k);
}

// Where column `lane` of a panel is written at `k`, in elements.
template <class T>
inline int64_t place(int64_t k, int64_t lane) {
  if (sizeof(T) == sizeof(float)) return k * kTileColumns + lane;
  if (kPairs) return k / 2 * 2 * kTileColumns + 2 * lane + k % 2;
  return k * kTileColumns + (lane < kLanes ? 2 * lane : 2 * (lane - kLanes) + 1);
}

// The row of B behind a column of a panel; -1 beyond the last.
int64_t row_of(const PackPanels& p, int64_t panel, int64_t lane) {
  if (!p.paired) {
    const int64_t row = panel * kTileColumns + lane;
    return row < p.n ? row : -1;
  }
  const int64_t row = panel * kLanes + lane % kLanes;
  if (row >= p.n / 2) return -1;
  return lane < kLanes ? row : p.n / 2 + row;
}

// A whole panel of a matrix whose columns are contiguous.
template <class T>
void pack_columns(const PackPanels& p, int64_t panel, T* out) {
  const T* from = static_cast<const T*>(p.matrix) + panel * kTileColumns;
  const int64_t depth = panel_depth<T>(p.k);
  constexpr bool kPaired = kPairs && sizeof(T) < sizeof(float);
  for (int64_t k = 0; k < depth; k += kPaired ? 2 : 1) {
    const T* row = from + k * p.depth_stride;
    T* to = out + k * kTileColumns;
    if (kPaired && k + 1 < p.k) {
      const T* next = row + p.depth_stride;
#pragma omp simd
      for (int64_t lane = 0; lane < kTileColumns; ++lane) {
        to[2 * lane] = row[lane];
        to[2 * lane + 1] = next[lane];
      }
    } else if (k < p.k) {
      if (kPaired) std::memset(to, 0, 2 * kTileColumns * sizeof(T));
      for (int64_t lane = 0; lane < kTileColumns; ++lane) to[place<T>(0, lane)] = row[lane];
    } else {
      std::memset(to, 0, 2 * kTileColumns * sizeof(T));
    }
  }
}

#if defined(__AVX512BF16__)
// The first whole squares of a panel whose rows of B are contiguous; returns how deep they reach.
int64_t pack_squares(const PackPanels& p, int64_t panel, Bfloat16* out) {
  const auto* matrix = static_cast<const Bfloat16*>(p.matrix);
  int64_t k = 0;
  for (; k + kPairDepth <= p.k; k += kPairDepth) {
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
int64_t pack_squares(const PackPanels&, int64_t, T*) {
  return 0;
}

template <class T>
void pack_panel(const PackPanels& p, int64_t panel) {
  const int64_t depth = panel_depth<T>(p.k);
  T* out = static_cast<T*>(p.panels) + panel * kTileColumns * depth;
  if (p.stride == 1 && !p.paired && (panel + 1) * kTileColumns <= p.n) {
    pack_columns(p, panel, out);
    return;
  }
  const int64_t packed = p.depth_stride == 1 ? pack_squares(p, panel, out) : 0;
  for (int64_t first = packed; first < depth; first += kBlock) {
    const int64_t end = first + kBlock < depth ? first + kBlock : depth;
    const int64_t filled = end < p.k ? end : p.k;
    for (int64_t lane = 0; lane < kTileColumns; ++lane) {
      const int64_t row = row_of(p, panel, lane);
      int64_t k = first;
      if (row >= 0) {
        const T* from = static_cast<const T*>(p.matrix) + row * p.stride;
        if (p.depth_stride == 1) {
          for (; k < filled; ++k) out[place<T>(k, lane)] = from[k];
        } else {
          for (; k < filled; ++k) out[place<T>(k, lane)] = from[k * p.depth_stride];
        }
      }
      for (; k < end; ++k) out[place<T>(k, lane)] = T{};
    }
  }
}

template <class T>
void pack_panels(const PackPanels& p) {
  const int64_t grain = 1 + kElementsPerThread / (kTileColumns * p.k);
  parallel_ranges(panel_count(p.n), grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t panel = begin; panel < end; ++panel) pack_panel<T>(p, panel);
  });
}

}  // namespace

void register_pack_panels(Table& float32, Table& bfloat16) {
  float32.panel_elements = panel_elements<float>;
  bfloat16.panel_elements = panel_elements<Bfloat16>;
  float32.pack_panels = pack_panels<float>;
  bfloat16.pack_panels = pack_panels<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
