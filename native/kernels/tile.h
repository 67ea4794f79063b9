// The register tile that matrix products and attention share: up to kTileRows rows times two vectors of columns.
// Every element is added up by fused multiply-adds in the order of k, whatever the tile around it, so that a row
// has the same bits in every product that holds it.
#pragma once

#include "kernels/element.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
constexpr int64_t kTileRows = 12;
#elif defined(__AVX2__)
constexpr int64_t kLanes = 8;
constexpr int64_t kTileRows = 6;
#else
constexpr int64_t kLanes = 4;
constexpr int64_t kTileRows = 4;
#endif
constexpr int64_t kTileColumns = 2 * kLanes;

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

static inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
static inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }

// Where the processor multiplies pairs of bfloat16, panels of it hold pairs along k and are as deep as a multiple of
// kPairDepth, with zeros.
#if defined(__AVX512BF16__)
constexpr bool kPairs = true;
#else
constexpr bool kPairs = false;
#endif
constexpr int64_t kPairDepth = 32;

template <class T>
constexpr int64_t panel_depth(int64_t k) {
  return kPairs && sizeof(T) < sizeof(float) ? (k + kPairDepth - 1) / kPairDepth * kPairDepth : k;
}

template <int64_t Rows>
struct Tile {
  Vector left[Rows];
  Vector right[Rows];

  void clear() {
    for (int64_t i = 0; i < Rows; ++i) left[i] = right[i] = Vector{};
  }
};

// tile[i] += Σ_k a[i][k · Step] · b[k · kTileColumns ... + kTileColumns) for k < depth.
template <int64_t Rows, int64_t Step>
static inline void multiply_add(const float* const* a, const float* b, int64_t depth, Tile<Rows>& tile) {
  const float* rows[Rows];
  Vector left[Rows];
  Vector right[Rows];
#pragma GCC unroll 12
  for (int64_t i = 0; i < Rows; ++i) {
    rows[i] = a[i];
    left[i] = tile.left[i];
    right[i] = tile.right[i];
  }
  for (int64_t k = 0; k < depth; ++k) {
    const Vector b0 = load(b + k * kTileColumns);
    const Vector b1 = load(b + k * kTileColumns + kLanes);
#pragma GCC unroll 12
    for (int64_t i = 0; i < Rows; ++i) {
      const float value = rows[i][k * Step];
      left[i] += value * b0;
      right[i] += value * b1;
    }
  }
#pragma GCC unroll 12
  for (int64_t i = 0; i < Rows; ++i) {
    tile.left[i] = left[i];
    tile.right[i] = right[i];
  }
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
