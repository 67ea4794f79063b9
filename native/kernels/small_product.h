// Products of float32 rows with a right-hand side that is read where it lies: for attention, whose matrices are small and
// used once. Every sum runs over k in order from one accumulator, so that its bits do not depend on the other rows and
// columns.
#pragma once

#include <cstddef>
#include <utility>

#include "kernels/kernels.h"
#include "kernels/vector_math.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// Element (k, j) lies at data + (j / width)·panel + k·step + j % width; width is a multiple of kTileColumns. Columns are read
// up to a multiple of kTileColumns. With each element, what lies `ahead` bytes further is fetched into the caches.
template <class B>
struct RightSide {
  using Element = B;
  static constexpr int64_t kRun = 0;
  const B* data;
  int64_t step;
  int64_t width;
  int64_t panel;
  std::ptrdiff_t ahead = 0;

  const B* column(int64_t j, int64_t /*k*/) const { return data + j / width * panel + j % width; }
  const B* next(int64_t j, int64_t k, int64_t /*columns*/) const {
    return reinterpret_cast<const B*>(reinterpret_cast<uintptr_t>(column(j, k)) + static_cast<uintptr_t>(ahead));
  }
};

template <class B>
static inline RightSide<B> row_major(const B* data, int64_t step) {
  return {data, step, int64_t{1} << 40, 0};
}

// Transposed keys in pages: element (k, j) lies at pool + table[j / width]·page + k·width + j % width. While a page is read,
// the next one is fetched into the caches, and with the last what lies at `after`.
template <class B>
struct PagedColumns {
  using Element = B;
  static constexpr int64_t kRun = 0;
  const B* pool;
  const int32_t* table;
  int64_t page;
  int64_t columns;
  const B* after;
  static constexpr int64_t step = kKeyTile;

  const B* column(int64_t j, int64_t /*k*/) const { return pool + table[j / kKeyTile] * page + j % kKeyTile; }
  const B* next(int64_t j, int64_t k, int64_t further) const {
    const int64_t at = j + (further > kKeyTile ? further : kKeyTile);
    return at < columns ? column(at, k) : after + j % kKeyTile;
  }
};

// Values in pages: element (k, j) lies at pool + table[k / kKeyTile]·page + (k % kKeyTile)·step + j.
template <class B>
struct PagedRows {
  using Element = B;
  static constexpr int64_t kRun = kKeyTile;
  const B* pool;
  const int32_t* table;
  int64_t page;
  int64_t step;
  int64_t rows;
  const B* after;

  const B* column(int64_t j, int64_t k) const { return pool + table[k / kKeyTile] * page + j; }
  const B* next(int64_t j, int64_t k, int64_t /*columns*/) const { return k + kRun < rows ? column(j, k + kRun) : after + j; }
};

// Element (i, k) lies at data + i·row + k·step.
struct LeftSide {
  const float* data;
  int64_t row;
  int64_t step;
};

// How many column tiles a few rows take at once, or their sums would wait for each other.
constexpr int64_t tiles_for(int64_t rows) { return rows <= kTileRows / 4 ? 2 : 1; }

template <int64_t Rows, bool UnitStep, int64_t Tiles, class Side>
static inline void product_tile(const LeftSide& a, const Side& side, int64_t first, int64_t depth, float* out,
                                int64_t out_row, bool accumulate) {
  using B = typename Side::Element;
  const int64_t step = UnitStep ? 1 : a.step;
  const int64_t b_step = side.step;
  Vector left[Rows * Tiles];
  Vector right[Rows * Tiles];
#pragma GCC unroll 24
  for (int64_t i = 0; i < Rows * Tiles; ++i) {
    const float* from = out + i / Tiles * out_row + i % Tiles * kTileColumns;
    left[i] = accumulate ? load(from) : Vector{};
    right[i] = accumulate ? load(from + kLanes) : Vector{};
  }
  for (int64_t run = 0; run < depth; run += Side::kRun > 0 ? Side::kRun : depth) {
    const int64_t length = Side::kRun > 0 && depth - run > Side::kRun ? Side::kRun : depth - run;
    const float* from = a.data + run * step;
    const B* columns[Tiles];
    const B* next[Tiles];
    for (int64_t tile = 0; tile < Tiles; ++tile) {
      columns[tile] = side.column(first + tile * kTileColumns, run);
      next[tile] = side.next(first + tile * kTileColumns, run, Tiles * kTileColumns);
    }
    for (int64_t k = 0; k < length; ++k) {
      Vector b[2 * Tiles];
#pragma GCC unroll 2
      for (int64_t tile = 0; tile < Tiles; ++tile) {
        constexpr int64_t kLine = 64 / sizeof(B);
        __builtin_prefetch(next[tile] + k * b_step);
        if constexpr (kTileColumns > kLine) __builtin_prefetch(next[tile] + k * b_step + kLine);
        b[2 * tile] = load_wide(columns[tile] + k * b_step);
        b[2 * tile + 1] = load_wide(columns[tile] + k * b_step + kLanes);
      }
#pragma GCC unroll 24
      for (int64_t i = 0; i < Rows * Tiles; ++i) {
        const float value = from[i / Tiles * a.row + k * step];
        left[i] += value * b[i % Tiles * 2];
        right[i] += value * b[i % Tiles * 2 + 1];
      }
    }
  }
#pragma GCC unroll 24
  for (int64_t i = 0; i < Rows * Tiles; ++i) {
    float* to = out + i / Tiles * out_row + i % Tiles * kTileColumns;
    store(to, left[i]);
    store(to + kLanes, right[i]);
  }
}

template <int64_t Rows, bool UnitStep, class Side>
static void product_rows(int64_t columns, int64_t depth, const LeftSide& a, const Side& b, float* out, int64_t out_row,
                         bool accumulate) {
  constexpr int64_t kTiles = tiles_for(Rows);
  int64_t j = 0;
  for (; j + kTiles * kTileColumns <= columns; j += kTiles * kTileColumns) {
    product_tile<Rows, UnitStep, kTiles>(a, b, j, depth, out + j, out_row, accumulate);
  }
  for (; j < columns; j += kTileColumns) {
    product_tile<Rows, UnitStep, 1>(a, b, j, depth, out + j, out_row, accumulate);
  }
}

template <bool UnitStep, class Side, int64_t... Index>
static inline void product_block(int64_t rows, int64_t columns, int64_t depth, const LeftSide& a, const Side& b, float* out,
                                 int64_t out_row, bool accumulate, std::integer_sequence<int64_t, Index...>) {
  using Run = void (*)(int64_t, int64_t, const LeftSide&, const Side&, float*, int64_t, bool);
  static constexpr Run kRuns[] = {product_rows<Index + 1, UnitStep, Side>...};
  kRuns[rows - 1](columns, depth, a, b, out, out_row, accumulate);
}

// out[i, j] = Σ_k a(i, k) · b(k, j) (+ out[i, j]); columns are written up to a multiple of kTileColumns.
template <bool UnitStep, class Side>
static void small_product(int64_t rows, int64_t columns, int64_t depth, const LeftSide& a, const Side& b, float* out,
                          int64_t out_row, bool accumulate) {
  const int64_t blocks = (rows + kTileRows - 1) / kTileRows;
  for (int64_t block = 0, row = 0; block < blocks; ++block) {
    const int64_t height = rows / blocks + (block < rows % blocks ? 1 : 0);
    const LeftSide part{a.data + row * a.row, a.row, a.step};
    product_block<UnitStep>(height, columns, depth, part, b, out + row * out_row, out_row, accumulate,
                            std::make_integer_sequence<int64_t, kTileRows>());
    row += height;
  }
}

constexpr int64_t padded_columns(int64_t columns) {
  return (columns + kTileColumns - 1) / kTileColumns * kTileColumns;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
