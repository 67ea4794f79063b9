// Matrix product with float32 accumulation. Threads share out rows or columns and pack their own panels, so
// there is no barrier; a result is added up in one order over k whatever the other dimensions are, so a row
// does not depend on its batch.
#include "kernels/gemm_by_panels.h"
#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

// A block of B (kDepth × kColumns) and one of A (kRows × kDepth) fit the second-level cache together.
constexpr int64_t kDepth = 256;
constexpr int64_t kColumns = 256;
constexpr int64_t kRows = 16 * kTileRows;

// out[panel][k][lane] = matrix(panel · Width + lane, k), zero beyond `count`.
template <int64_t Width, class T>
void pack(const T* matrix, int64_t stride, int64_t depth_stride, int64_t count, int64_t depth, float* out) {
  for (int64_t first = 0; first < count; first += Width, out += Width * depth) {
    const T* panel = matrix + first * stride;
    const int64_t valid = count - first < Width ? count - first : Width;
    if (valid < Width) {
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t i = 0; i < Width; ++i) {
          out[k * Width + i] = i < valid ? to_float(panel[i * stride + k * depth_stride]) : 0.0f;
        }
      }
    } else if (stride == 1) {
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t i = 0; i < Width; ++i) out[k * Width + i] = to_float(panel[k * depth_stride + i]);
      }
    } else {
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t i = 0; i < Width; ++i) out[k * Width + i] = to_float(panel[i * stride + k * depth_stride]);
      }
    }
  }
}

// tile [kTileRows, kColumns] += a · b panel, all in registers over k. Element (i, k) of a lies at rows[i] + k · step.
template <int64_t Step>
inline void multiply_tile(const float* const* rows, const float* b, int64_t depth, float* tile) {
  Vector left[kTileRows];
  Vector right[kTileRows];
  const float* a[kTileRows];
#pragma GCC unroll 12
  for (int64_t i = 0; i < kTileRows; ++i) {
    a[i] = rows[i];
    left[i] = *reinterpret_cast<const Vector*>(tile + i * kColumns);
    right[i] = *reinterpret_cast<const Vector*>(tile + i * kColumns + kLanes);
  }
  for (int64_t k = 0; k < depth; ++k) {
    const Vector b0 = *reinterpret_cast<const Vector*>(b + k * kTileColumns);
    const Vector b1 = *reinterpret_cast<const Vector*>(b + k * kTileColumns + kLanes);
#pragma GCC unroll 12
    for (int64_t i = 0; i < kTileRows; ++i) {
      const float value = a[i][k * Step];
      left[i] += value * b0;
      right[i] += value * b1;
    }
  }
#pragma GCC unroll 12
  for (int64_t i = 0; i < kTileRows; ++i) {
    *reinterpret_cast<Vector*>(tile + i * kColumns) = left[i];
    *reinterpret_cast<Vector*>(tile + i * kColumns + kLanes) = right[i];
  }
}

// out rows = tile (+ bias) (+ out).
template <class T>
void store(const Gemm& g, const float* tile, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  const T* bias = static_cast<const T*>(g.bias);
  for (int64_t i = 0; i < rows; ++i) {
    const float* from = tile + i * kColumns;
    if (g.float_out) {
      float* to = static_cast<float*>(g.c) + (row + i) * g.c_stride + column;
      for (int64_t j = 0; j < columns; ++j) to[j] = from[j] + (g.accumulate ? to[j] : 0.0f);
      continue;
    }
    T* to = static_cast<T*>(g.c) + (row + i) * g.c_stride + column;
    if (bias != nullptr && g.accumulate) {
      for (int64_t j = 0; j < columns; ++j) to[j] = from_float<T>(to_float(to[j]) + from[j] + to_float(bias[column + j]));
    } else if (bias != nullptr) {
      for (int64_t j = 0; j < columns; ++j) to[j] = from_float<T>(from[j] + to_float(bias[column + j]));
    } else if (g.accumulate) {
      for (int64_t j = 0; j < columns; ++j) to[j] = from_float<T>(to_float(to[j]) + from[j]);
    } else {
      for (int64_t j = 0; j < columns; ++j) to[j] = from_float<T>(from[j]);
    }
  }
}

// Rows [row0, row1) and columns [column0, column1) of C.
template <class T>
void multiply_block(const Gemm& g, int64_t row0, int64_t row1, int64_t column0, int64_t column1) {
  Scratch scratch(kRows * kDepth + kColumns * kDepth + kRows * kColumns);
  float* a_panels = scratch.data();
  float* b_panels = a_panels + kRows * kDepth;
  float* tile = b_panels + kColumns * kDepth;
  const T* a = static_cast<const T*>(g.a);
  const T* b = static_cast<const T*>(g.b);
  // Rows of float32 that are contiguous in k are read where they lie.
  const bool direct = sizeof(T) == sizeof(float) && g.a_depth_stride == 1;
  for (int64_t column = column0; column < column1; column += kColumns) {
    const int64_t columns = column1 - column < kColumns ? column1 - column : kColumns;
    // With one block of k the packed B serves all rows.
    const bool pack_once = g.k <= kDepth;
    if (pack_once) pack<kTileColumns>(b + column * g.b_stride, g.b_stride, g.b_depth_stride, columns, g.k, b_panels);
    for (int64_t row = row0; row < row1; row += kRows) {
      const int64_t rows = row1 - row < kRows ? row1 - row : kRows;
      std::memset(tile, 0, static_cast<size_t>(kRows * kColumns) * sizeof(float));
      for (int64_t k = 0; k < g.k; k += kDepth) {
        const int64_t depth = g.k - k < kDepth ? g.k - k : kDepth;
        if (!pack_once) {
          pack<kTileColumns>(b + column * g.b_stride + k * g.b_depth_stride, g.b_stride, g.b_depth_stride, columns,
                             depth, b_panels);
        }
        const T* block = a + row * g.a_stride + k * g.a_depth_stride;
        if (!direct) pack<kTileRows>(block, g.a_stride, g.a_depth_stride, rows, depth, a_panels);
        for (int64_t i = 0; i < rows; i += kTileRows) {
          const float* tile_rows[kTileRows];
          for (int64_t r = 0; r < kTileRows; ++r) {
            // Rows beyond the last repeat it; nothing is stored from them.
            const int64_t valid = i + r < rows ? i + r : rows - 1;
            tile_rows[r] = direct ? reinterpret_cast<const float*>(block + valid * g.a_stride)
                                  : a_panels + i * depth + r;
          }
          for (int64_t j = 0; j < columns; j += kTileColumns) {
            float* corner = tile + i * kColumns + j;
            if (direct) {
              multiply_tile<1>(tile_rows, b_panels + j * depth, depth, corner);
            } else {
              multiply_tile<kTileRows>(tile_rows, b_panels + j * depth, depth, corner);
            }
          }
        }
      }
      store<T>(g, tile, row, rows, column, columns);
    }
  }
}

template <class T>
void gemm(const Gemm& g) {
  constexpr int64_t kProductsPerThread = 1 << 18;
  if (g.m >= g.n) {
    const int64_t units = (g.m + kTileRows - 1) / kTileRows;
    parallel_ranges(units, 1 + kProductsPerThread / (kTileRows * g.n * g.k), [&](int64_t begin, int64_t end, int) {
      multiply_block<T>(g, begin * kTileRows, end * kTileRows < g.m ? end * kTileRows : g.m, 0, g.n);
    });
  } else {
    const int64_t units = (g.n + kTileColumns - 1) / kTileColumns;
    parallel_ranges(units, 1 + kProductsPerThread / (kTileColumns * g.m * g.k), [&](int64_t begin, int64_t end, int) {
      multiply_block<T>(g, 0, g.m, begin * kTileColumns, end * kTileColumns < g.n ? end * kTileColumns : g.n);
    });
  }
}

}  // namespace

void register_gemm(Table& float32, Table& bfloat16) {
  float32.gemm = gemm<float>;
#if defined(__AVX512BF16__)
  bfloat16.gemm = gemm_by_panels;
#else
  bfloat16.gemm = gemm<Bfloat16>;
#endif
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
