// How sums leave the registers: bias, residual, SwiGLU and rounding are applied on the way to C. Whole squares of bfloat16 have
// ways of their own that do the same in fewer instructions.
#pragma once

#include <type_traits>

#include "kernels/kernels.h"
#include "kernels/panel_product.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// One vector of a row of C, or the first `valid` lanes of it.
template <class T>
static inline void write(const PackedGemm& g, Vector value, int64_t row, int64_t column, int64_t valid) {
  const auto put = [&](auto* c) {
    if (valid >= kLanes) {
      store_narrow(c, g.accumulate ? value + load_wide(c) : value);
      return;
    }
    using Element = std::remove_pointer_t<decltype(c)>;
    for (int64_t lane = 0; lane < valid; ++lane) {
      c[lane] = from_float<Element>(g.accumulate ? value[lane] + to_float(c[lane]) : value[lane]);
    }
  };
  if (g.float_out) {
    put(static_cast<float*>(g.c) + row * g.c_stride + column);
  } else {
    put(static_cast<T*>(g.c) + row * g.c_stride + column);
  }
}

// Brings a panel's part of a row of C that is to be added to near.
static inline void fetch_result(const PackedGemm& g, int64_t row, int64_t panel) {
  if (!g.accumulate || !g.float_out || g.transposed) return;
  const float* c = static_cast<const float*>(g.c) + row * g.c_stride + panel * kTileColumns;
  __builtin_prefetch(c, 1);
  __builtin_prefetch(c + kLanes, 1);
}

// Brings what a tile's sums are written to near while they are added up.
template <class T>
static inline void fetch_results(const PackedGemm& g, int64_t rows, int64_t row, int64_t panel) {
  const auto fetch = [&](const void* matrix, int64_t stride, int64_t column, int64_t width, int64_t element) {
    const char* first = static_cast<const char*>(matrix) + (row * stride + column) * element;
    for (int64_t i = 0; i < rows; ++i, first += stride * element) {
      __builtin_prefetch(first, 1);
      if (width * element > 64) __builtin_prefetch(first + 64, 1);
    }
  };
  if (g.paired) {
    if (g.activated != nullptr) fetch(g.activated, g.activated_stride, panel * kLanes, kLanes, sizeof(T));
    if (g.c == nullptr) return;
    fetch(g.c, g.c_stride, panel * kLanes, kLanes, sizeof(T));
    fetch(g.c, g.c_stride, g.n / 2 + panel * kLanes, kLanes, sizeof(T));
  } else {
    fetch(g.c, g.c_stride, panel * kTileColumns, kTileColumns, g.float_out ? sizeof(float) : sizeof(T));
  }
}

template <class T>
static inline Vector bias_at(const PackedGemm& g, int64_t column, int64_t valid) {
  const T* bias = static_cast<const T*>(g.bias) + column;
  if (valid >= kLanes) return load_wide(bias);
  Vector result{};
  for (int64_t lane = 0; lane < valid; ++lane) result[lane] = to_float(bias[lane]);
  return result;
}

// `rows` rows of sums, kTileColumns apart, with C columns that are all there and without anything to branch on.
template <bool Accumulate, class Element>
static inline void finish_columns(const float* sums, int64_t rows, Vector left_bias, Vector right_bias, Element* c,
                                  int64_t stride) {
  for (int64_t i = 0; i < rows; ++i, c += stride, sums += kTileColumns) {
    Vector left = load(sums) + left_bias;
    Vector right = load(sums + kLanes) + right_bias;
    if constexpr (Accumulate) {
      left += load_wide(c);
      right += load_wide(c + kLanes);
    }
    store_narrow(c, left);
    store_narrow(c + kLanes, right);
  }
}

template <class T>
static void finish_plain(const PackedGemm& g, const float* sums, int64_t rows, int64_t row, int64_t panel) {
  const int64_t column = panel * kTileColumns;
  const int64_t left = g.n - column;
  const int64_t right = left - kLanes;
  Vector left_bias{};
  Vector right_bias{};
  if (g.bias != nullptr) {
    left_bias = bias_at<T>(g, column, left);
    if (right > 0) right_bias = bias_at<T>(g, column + kLanes, right);
  }
  if (right >= kLanes) {
    const auto finish = [&](auto* c) {
      c += row * g.c_stride + column;
      if (g.accumulate) {
        finish_columns<true>(sums, rows, left_bias, right_bias, c, g.c_stride);
      } else {
        finish_columns<false>(sums, rows, left_bias, right_bias, c, g.c_stride);
      }
    };
    g.float_out ? finish(static_cast<float*>(g.c)) : finish(static_cast<T*>(g.c));
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    const float* from = sums + i * kTileColumns;
    write<T>(g, load(from) + left_bias, row + i, column, left);
    if (right > 0) write<T>(g, load(from + kLanes) + right_bias, row + i, column + kLanes, right);
  }
}

template <class T>
static void finish_paired(const PackedGemm& g, const float* sums, int64_t rows, int64_t row, int64_t panel) {
  const int64_t half = g.n / 2;
  const int64_t column = panel * kLanes;
  const int64_t valid = half - column;
  Vector gate_bias{};
  Vector up_bias{};
  if (g.bias != nullptr) {
    gate_bias = bias_at<T>(g, column, valid);
    up_bias = bias_at<T>(g, half + column, valid);
  }
  for (int64_t i = 0; i < rows; ++i) {
    const float* from = sums + i * kTileColumns;
    const Vector gate = rounded_to<T>(load(from) + gate_bias);
    const Vector up = rounded_to<T>(load(from + kLanes) + up_bias);
    if (g.c != nullptr) {
      write<T>(g, gate, row + i, column, valid);
      write<T>(g, up, row + i, half + column, valid);
    }
    if (g.activated == nullptr) continue;
    const Vector value = silu_times(gate, up);
    T* to = static_cast<T*>(g.activated) + (row + i) * g.activated_stride + column;
    if (valid >= kLanes) {
      store_narrow(to, value);
    } else {
      for (int64_t lane = 0; lane < valid; ++lane) to[lane] = from_float<T>(value[lane]);
    }
  }
}

#if defined(__AVX512BF16__)
static inline void store_pair(Bfloat16* to, Vector left, Vector right) {
  _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)right, (__m512)left));
}

// Rows [first, end) of the sums of a square, to C rows from `row` and whole columns from `column`.
struct SquareRows {
  const float* sums;
  int64_t row;
  int64_t first;
  int64_t end;
  int64_t column;

  Vector left(int64_t i) const { return load(sums + i * kTileColumns); }
  Vector right(int64_t i) const { return load(sums + i * kTileColumns + kLanes); }
};

template <bool Bias, bool Accumulate>
static inline void finish_rounded(const PackedGemm& g, const SquareRows& s) {
  Vector left_bias{};
  Vector right_bias{};
  if constexpr (Bias) {
    left_bias = load_wide(static_cast<const Bfloat16*>(g.bias) + s.column);
    right_bias = load_wide(static_cast<const Bfloat16*>(g.bias) + s.column + kLanes);
  }
  Bfloat16* c = static_cast<Bfloat16*>(g.c) + (s.row + s.first) * g.c_stride + s.column;
  for (int64_t i = s.first; i < s.end; ++i, c += g.c_stride) {
    Vector left = s.left(i);
    Vector right = s.right(i);
    if constexpr (Bias) {
      left += left_bias;
      right += right_bias;
    }
    if constexpr (Accumulate) {
      left += load_wide(c);
      right += load_wide(c + kLanes);
    }
    store_pair(c, left, right);
  }
}

static inline void finish_float(const PackedGemm& g, const SquareRows& s) {
  float* c = static_cast<float*>(g.c) + (s.row + s.first) * g.c_stride + s.column;
  for (int64_t i = s.first; i < s.end; ++i, c += g.c_stride) {
    store(c, g.accumulate ? s.left(i) + load(c) : s.left(i));
    store(c + kLanes, g.accumulate ? s.right(i) + load(c + kLanes) : s.right(i));
  }
}

template <bool Bias>
static inline void finish_swiglu(const PackedGemm& g, const SquareRows& s) {
  const int64_t half = g.n / 2;
  const int64_t column = s.column / 2;
  Vector gate_bias{};
  Vector up_bias{};
  if constexpr (Bias) {
    gate_bias = load_wide(static_cast<const Bfloat16*>(g.bias) + column);
    up_bias = load_wide(static_cast<const Bfloat16*>(g.bias) + half + column);
  }
  for (int64_t i = s.first; i < s.end; ++i) {
    Vector gate = s.left(i);
    Vector up = s.right(i);
    if constexpr (Bias) {
      gate += gate_bias;
      up += up_bias;
    }
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)up, (__m512)gate);
    const __m256i gates = _mm512_castsi512_si256(both);
    const __m256i ups = _mm512_extracti64x4_epi64(both, 1);
    if (g.c != nullptr) {
      auto* c = static_cast<Bfloat16*>(g.c) + (s.row + i) * g.c_stride + column;
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(c), gates);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + half), ups);
    }
    if (g.activated == nullptr) continue;
    store_narrow(static_cast<Bfloat16*>(g.activated) + (s.row + i) * g.activated_stride + column,
                 silu_times(widened(gates), widened(ups)));
  }
}

// Whether rows of a square of bfloat16 were finished.
static inline bool finish_whole(const PackedGemm& g, const float* sums, int64_t row, int64_t first, int64_t end,
                                int64_t panel) {
  const int64_t column = panel * kTileColumns;
  if (column + kTileColumns > g.n || g.transposed || (g.float_out && g.bias != nullptr)) return false;
  const SquareRows rows{sums, row, first, end, column};
  if (g.paired) {
    g.bias != nullptr ? finish_swiglu<true>(g, rows) : finish_swiglu<false>(g, rows);
  } else if (g.float_out) {
    finish_float(g, rows);
  } else if (g.bias != nullptr) {
    g.accumulate ? finish_rounded<true, true>(g, rows) : finish_rounded<true, false>(g, rows);
  } else {
    g.accumulate ? finish_rounded<false, true>(g, rows) : finish_rounded<false, false>(g, rows);
  }
  return true;
}

// Element (i, j) of a square goes to row `column + j` and column `row + i` of C, float32.
static void finish_transposed(const PackedGemm& g, const float* sums, int64_t row, int64_t height, int64_t panel) {
  const int64_t column = panel * kTileColumns;
  const int64_t width = g.n - column < kTileColumns ? g.n - column : kTileColumns;
  for (int64_t j0 = 0; j0 < width; j0 += kLanes) {
    const int64_t columns = width - j0 < kLanes ? width - j0 : kLanes;
    for (int64_t i0 = 0; i0 < height; i0 += kLanes) {
      const int64_t rows = height - i0 < kLanes ? height - i0 : kLanes;
      __m512i square[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) square[i] = (__m512i)load(sums + (i0 + i) * kTileColumns + j0);
      transpose_words(square);
      const auto mask = static_cast<__mmask16>((1U << rows) - 1);
      for (int64_t j = 0; j < columns; ++j) {
        float* c = static_cast<float*>(g.c) + (column + j0 + j) * g.c_stride + row + i0;
        const __m512 value = (__m512)square[j];
        _mm512_mask_storeu_ps(c, mask, g.accumulate ? value + _mm512_maskz_loadu_ps(mask, c) : value);
      }
    }
  }
}
#else
static inline bool finish_whole(const PackedGemm&, const float*, int64_t, int64_t, int64_t, int64_t) { return false; }
static inline void finish_transposed(const PackedGemm&, const float*, int64_t, int64_t, int64_t) {}
#endif

}  // namespace zero_rl::kernels::ZERO_RL_ISA
