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

}  // namespace zero_rl::kernels::ZERO_RL_ISA
