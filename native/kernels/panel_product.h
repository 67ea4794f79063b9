// The innermost products: a few rows times a panel over a block of k. Float32 panels and, where bfloat16 has no instructions
// of its own, widened bfloat16 ones are multiplied as float32; else pairs of bfloat16 are (AVX512_BF16), or squares of them
// by the processor's tiles (AMX).
#pragma once

#include <type_traits>

#include "kernels/pack_panel.h"
#include "kernels/transpose_words.h"
#include "kernels/vector_math.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

constexpr int64_t kDepth = 512;
constexpr int64_t kAhead = 1 << 13;  // bytes of a panel that are fetched before they are multiplied
constexpr int64_t kSquare = 32;  // rows and columns of four tiles of sums

#if defined(__AMX_BF16__)
constexpr bool kTileUnits = true;
#else
constexpr bool kTileUnits = false;
#endif

// How rows of A are multiplied.
template <class T>
using LeftElement = std::conditional_t<kPairs, T, float>;

// How far apart rows of `depth` elements lie in scratch: an odd number of lines in bfloat16, or many rows would share a few lines of
// the nearest cache.
static inline int64_t row_pitch(int64_t depth) { return ((depth + 31) / 32 | 1) * 32; }

// A block of a panel, and the block that is multiplied after it: what is kAhead further is fetched meanwhile. Null where the
// panel comes from the caches.
template <class T>
struct PanelBlock {
  const T* data;
  const T* next;
  int64_t depth;

  void fetch_ahead(int64_t k, int64_t lines) const {
    if (next == nullptr) return;
    constexpr int64_t kElements = kAhead / static_cast<int64_t>(sizeof(T));
    const int64_t at = k * kTileColumns + kElements;
    const int64_t size = panel_depth<T>(depth) * kTileColumns;
    const T* from = at < size ? data + at : next + (at - size);
    for (int64_t line = 0; line < lines; ++line) __builtin_prefetch(reinterpret_cast<const char*>(from) + line * 64);
  }
};

// The rows of A that a block multiplies, brought into scratch where they cannot be read where they lie. Scratch holds rows
// row_pitch(depth) apart, widened or for pairs, with zeros up to a multiple of kPairDepth and, for squares, rows of zeros up to a
// multiple of kSquare. Columns for tiles of float32 lie there as [tile][k][kTileRows], tiles a little more than that apart so that they do not
// share lines of the nearest cache.
template <class T>
class LeftRows {
 public:
  static constexpr bool kFloat = sizeof(T) == sizeof(float);
  static constexpr bool kNative = kPairs && !kFloat;  // multiplied as T
  static constexpr int64_t kTilePitch = kTileRows * kDepth + 16;

  LeftRows(const T* a, int64_t stride, int64_t depth_stride, int64_t rows, int64_t depth, float* scratch)
      : columns_(!kNative && depth_stride != 1), place_(a), stride_(stride), pitch_(row_pitch(depth)) {
    const bool direct = depth_stride == 1;
    if (columns_) {
      gather_columns(a, depth_stride, rows, depth, scratch);
    } else if constexpr (kNative) {
      // Rows a multiple of kConflict apart would share a few lines of the nearest cache.
      constexpr int64_t kConflict = 1024;
      if (direct && depth % kPairDepth == 0 && stride % kConflict != 0) {
        in_place_ = kTileUnits ? rows / kSquare * kSquare : rows;
      }
      auto* to = reinterpret_cast<T*>(scratch);
      gathered_ = to;
      if (direct) {
        gather_rows(a + in_place_ * stride, stride, rows - in_place_, depth, to);
      } else {
        transpose_rows(a, depth_stride, rows, depth, to);
      }
    } else if constexpr (kFloat) {
      in_place_ = rows;
    } else {
      widen_rows(a, stride, rows, depth, scratch);
      gathered_ = scratch;
    }
  }

  // Whether tiles are columns: then (i, k) lies at row(tile, at) + i + k · kTileRows, else at + i · stride(at) + k.
  bool columns() const { return columns_; }
  const LeftElement<T>* row(int64_t tile, int64_t at) const {
    if (columns_) return gathered_ + tile * kTilePitch;
    if constexpr (kFloat || kNative) {
      if (at < in_place_) return place_ + at * stride_;
    }
    return gathered_ + (at - in_place_) * pitch_;
  }
  int64_t stride(int64_t at) const { return columns_ ? 1 : at < in_place_ ? stride_ : pitch_; }

 private:
  void gather_columns(const T* a, int64_t depth_stride, int64_t rows, int64_t depth, float* out) {
    if constexpr (!kNative) {
      const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
      const int64_t taller = rows % tiles;  // how many tiles, the first, are one row taller than the rest
      constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
      for (int64_t k = 0; k < depth; ++k) {
        const T* from = a + k * depth_stride;
        if (k + kRowsAhead < depth) {
          for (int64_t i = 0; i < rows; i += kLine) __builtin_prefetch(from + kRowsAhead * depth_stride + i);
        }
        float* to = out + k * kTileRows;
        for (int64_t t = 0; t < tiles; ++t, to += kTilePitch) {
          const int64_t height = rows / tiles + (t < taller ? 1 : 0);
          copy_column(from, height, to);
          from += height;
        }
      }
      gathered_ = out;
    }
  }

  static void copy_column(const T* from, int64_t height, float* to) {
    if (kFloat && height == kTileRows) {
      std::memcpy(to, from, kTileRows * sizeof(float));
    } else {
      for (int64_t i = 0; i < height; ++i) to[i] = to_float(from[i]);
    }
  }

  void widen_rows(const T* a, int64_t stride, int64_t rows, int64_t depth, float* out) const {
    for (int64_t i = 0; i < rows; ++i) {
      for_vectors(depth, [&](int64_t k, int64_t count) {
        store_part(out + i * pitch_ + k, load_part(a + i * stride + k, count), count);
      });
    }
  }

  static int64_t padded_rows(int64_t rows) { return kTileUnits ? (rows + kSquare - 1) / kSquare * kSquare : rows; }

  void gather_rows(const T* a, int64_t stride, int64_t rows, int64_t depth, T* to) const {
    const auto bytes = static_cast<size_t>(depth) * sizeof(T);
    const size_t padded = static_cast<size_t>(panel_depth<T>(depth)) * sizeof(T);
    for (int64_t i = 0; i < padded_rows(rows); ++i) {
      auto* row = reinterpret_cast<char*>(to + i * pitch_);
      if (i < rows) std::memcpy(row, a + i * stride, bytes);
      const size_t filled = i < rows ? bytes : 0;
      std::memset(row + filled, 0, padded - filled);
    }
  }

  void transpose_rows(const T* a, int64_t depth_stride, int64_t rows, int64_t depth, T* to) const {
#if defined(__AVX512BF16__)
    const int64_t whole = depth / kPairDepth * kPairDepth;
    const int64_t deep = panel_depth<T>(depth);
    const int64_t whole_rows = rows / kLanes * kLanes;
    for (int64_t k = 0; k < whole; k += kPairDepth) {
      for (int64_t i = 0; i < whole_rows; i += kLanes) {
        copy_square(a + i + k * depth_stride, depth_stride, to + i * pitch_ + k, pitch_);
      }
    }
    for (int64_t r = 0; r < padded_rows(rows); ++r) {
      int64_t k = r < whole_rows ? whole : 0;
      if (r < rows) {
        for (; k < depth; ++k) to[r * pitch_ + k] = a[r + k * depth_stride];
      }
      for (; k < deep; ++k) to[r * pitch_ + k] = T{};
    }
#endif
  }

  bool columns_;
  const T* place_;
  int64_t stride_;
  int64_t pitch_;
  int64_t in_place_ = 0;
  const LeftElement<T>* gathered_ = nullptr;
};

// The left and the right columns of a panel at one k.
static inline void load_columns(const float* panel, Vector& left, Vector& right) {
  left = load(panel);
  right = load(panel + kLanes);
}
// One word holds a left and a right column.
static inline void load_columns(const Bfloat16* panel, Vector& left, Vector& right) {
  const IntVector words = *reinterpret_cast<const IntVector*>(panel);
  left = (Vector)(words << 16);
  right = (Vector)(words & static_cast<int32_t>(0xFFFF0000));
}

// The sums that a tile starts from, in registers: `before` [Rows][kTileColumns], or 0 where it is null.
template <int64_t Rows>
static inline void start_sums(const float* before, Vector* left, Vector* right) {
  if (before == nullptr) {
#pragma GCC unroll 12
    for (int64_t i = 0; i < Rows; ++i) left[i] = right[i] = Vector{};
  } else {
#pragma GCC unroll 12
    for (int64_t i = 0; i < Rows; ++i) {
      left[i] = load(before + i * kTileColumns);
      right[i] = load(before + i * kTileColumns + kLanes);
    }
  }
}

// sums [Rows][kTileColumns] = before (0 when null) + Σ_k rows[i][k · Step] · panel[k], as float32.
template <int64_t Rows, int64_t Step, class T>
static inline void multiply_panel(const float* const* rows, const PanelBlock<T>& panel, const float* before,
                                  float* sums) {
  constexpr int64_t kLines = (kTileColumns * static_cast<int64_t>(sizeof(T)) + 63) / 64;
  const float* a[Rows];
  Vector left[Rows];
  Vector right[Rows];
#pragma GCC unroll 12
  for (int64_t i = 0; i < Rows; ++i) a[i] = rows[i];
  start_sums<Rows>(before, left, right);
  for (int64_t k = 0; k < panel.depth; ++k) {
    panel.fetch_ahead(k, kLines);
    Vector b0;
    Vector b1;
    load_columns(panel.data + k * kTileColumns, b0, b1);
#pragma GCC unroll 12
    for (int64_t i = 0; i < Rows; ++i) {
      const float value = a[i][k * Step];
      left[i] += value * b0;
      right[i] += value * b1;
    }
  }
#pragma GCC unroll 12
  for (int64_t i = 0; i < Rows; ++i) {
    store(sums + i * kTileColumns, left[i]);
    store(sums + i * kTileColumns + kLanes, right[i]);
  }
}

#if defined(__AVX512BF16__)
// One word of a row and of the panel holds two neighbours along k.
template <int64_t Rows, int64_t Step>
static inline void multiply_panel(const Bfloat16* const* rows, const PanelBlock<Bfloat16>& panel, const float* before,
                                  float* sums) {
  const int64_t pairs = panel_depth<Bfloat16>(panel.depth) / 2;
  const char* a[Rows];
  Vector left[Rows];
  Vector right[Rows];
#pragma GCC unroll 12
  for (int64_t i = 0; i < Rows; ++i) a[i] = reinterpret_cast<const char*>(rows[i]);
  start_sums<Rows>(before, left, right);
  for (int64_t k = 0; k < pairs; ++k) {
    panel.fetch_ahead(2 * k, 2);
    const Bfloat16* words = panel.data + k * 2 * kTileColumns;
    const __m512bh b0 = (__m512bh)_mm512_loadu_si512(words);
    const __m512bh b1 = (__m512bh)_mm512_loadu_si512(words + kTileColumns);
#pragma GCC unroll 12
    for (int64_t i = 0; i < Rows; ++i) {
      int32_t pair;
      std::memcpy(&pair, a[i] + k * 4, sizeof pair);
      const __m512bh value = (__m512bh)_mm512_set1_epi32(pair);
      left[i] = (Vector)_mm512_dpbf16_ps((__m512)left[i], value, b0);
      right[i] = (Vector)_mm512_dpbf16_ps((__m512)right[i], value, b1);
    }
  }
#pragma GCC unroll 12
  for (int64_t i = 0; i < Rows; ++i) {
    store(sums + i * kTileColumns, left[i]);
    store(sums + i * kTileColumns + kLanes, right[i]);
  }
}
#endif

#if defined(__AMX_BF16__)
// The calling thread's tiles: four of sums, two of rows, two of a panel, each 16 rows of 64 bytes.
class TileUnits {
 public:
  TileUnits() {
    struct alignas(64) Config {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    const Config config;
    _tile_loadconfig(&config);
  }
  ~TileUnits() { _tile_release(); }
  TileUnits(const TileUnits&) = delete;
  TileUnits& operator=(const TileUnits&) = delete;
};

// sums [kSquare, kTileColumns] = before (0 when null) + Σ_k a[i, k] · panel[k]; rows of A beyond `rows` are zeros. `meanwhile`
// is called once every kPairDepth of k: vector work that the processor does while its tiles multiply.
template <class Meanwhile>
static inline void multiply_square(const Bfloat16* a, int64_t stride, int64_t rows, const PanelBlock<Bfloat16>& panel,
                                   const float* before, float* sums, const Meanwhile& meanwhile) {
  constexpr int kRowBytes = kTileColumns * sizeof(float);
  const bool lower = rows > kSquare / 2;
  const auto a_bytes = static_cast<long>(stride * static_cast<int64_t>(sizeof(Bfloat16)));
  const Bfloat16* low_rows = a + kSquare / 2 * stride;
  const int64_t deep = panel_depth<Bfloat16>(panel.depth);
  if (before == nullptr) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, before, kRowBytes);
    _tile_loadd(1, before + kLanes, kRowBytes);
    _tile_loadd(2, before + kSquare / 2 * kTileColumns, kRowBytes);
    _tile_loadd(3, before + kSquare / 2 * kTileColumns + kLanes, kRowBytes);
  }
  for (int64_t k = 0; k < deep; k += kPairDepth) {
    panel.fetch_ahead(k, kSquare);
    const Bfloat16* b = panel.data + k * kTileColumns;
    _tile_loadd(6, b, kRowBytes);
    _tile_loadd(7, b + kTileColumns, kRowBytes);
    _tile_loadd(4, a + k, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if (lower) {
      _tile_loadd(5, low_rows + k, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    meanwhile();
  }
  _tile_stored(0, sums, kRowBytes);
  _tile_stored(1, sums + kLanes, kRowBytes);
  _tile_stored(2, sums + kSquare / 2 * kTileColumns, kRowBytes);
  _tile_stored(3, sums + kSquare / 2 * kTileColumns + kLanes, kRowBytes);
}
#else
struct TileUnits {
  TileUnits() {}  // not an unused variable
};

template <class Meanwhile>
static inline void multiply_square(const void*, int64_t, int64_t, const PanelBlock<Bfloat16>&, const float*, float*,
                                   const Meanwhile&) {}
#endif

}  // namespace zero_rl::kernels::ZERO_RL_ISA
