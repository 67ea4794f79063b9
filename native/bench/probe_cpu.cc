#include "bench/probe.h"
#include "kernels/panel_product.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#ifndef ZERO_RL_ISA
#error "probe_cpu.cc is compiled by CMake once per instruction set, with ZERO_RL_ISA defined"
#endif

namespace zero_rl::bench::ZERO_RL_ISA {

namespace {

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
constexpr int64_t kDepth = 128;

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

// Results go here, where no compiler can drop them.
volatile float sink;

float horizontal_sum(const Vector& vector) {
  float sum = 0;
  for (int64_t i = 0; i < kLanes; ++i) sum += vector[i];
  return sum;
}

float read(const float* data, int64_t count) {
  constexpr int64_t kSums = 8;
  Vector sums[kSums] = {};
  for (int64_t i = 0; i < count; i += kSums * kLanes) {
#pragma GCC unroll 8
    for (int64_t s = 0; s < kSums; ++s) sums[s] += *reinterpret_cast<const Vector*>(data + i + s * kLanes);
  }
  float sum = 0;
  for (int64_t s = 0; s < kSums; ++s) sum += horizontal_sum(sums[s]);
  return sum;
}

double multiply_float32(int64_t repeats) {
  alignas(64) float a[kDepth * kTileRows];
  alignas(64) float b[kDepth * kTileColumns];
  for (int64_t i = 0; i < kDepth * kTileRows; ++i) a[i] = 0.5f - static_cast<float>(i % 7) * 0.171f;
  for (int64_t i = 0; i < kDepth * kTileColumns; ++i) b[i] = 0.5f - static_cast<float>(i % 11) * 0.093f;
  Vector left[kTileRows] = {};
  Vector right[kTileRows] = {};
  for (int64_t repeat = 0; repeat < repeats; ++repeat) {
    for (int64_t k = 0; k < kDepth; ++k) {
      const Vector b0 = *reinterpret_cast<const Vector*>(b + k * kTileColumns);
      const Vector b1 = *reinterpret_cast<const Vector*>(b + k * kTileColumns + kLanes);
#pragma GCC unroll 12
      for (int64_t i = 0; i < kTileRows; ++i) {
        const float value = a[k * kTileRows + i];
        left[i] += value * b0;
        right[i] += value * b1;
      }
    }
  }
  float sum = 0;
  for (int64_t i = 0; i < kTileRows; ++i) sum += horizontal_sum(left[i]) + horizontal_sum(right[i]);
  sink = sum;
  return 2.0 * kTileRows * kTileColumns * kDepth * static_cast<double>(repeats);
}

#ifdef __AVX512F__
// Pairs of bfloat16 along k: each instruction does 32 products into 16 sums.
__attribute__((target("avx512bf16"))) double multiply_bfloat16(int64_t repeats) {
  alignas(64) uint32_t a[kDepth * kTileRows];
  alignas(64) uint32_t b[kDepth * kTileColumns];
  // ±1 and ±0.5 in both halves
  for (int64_t i = 0; i < kDepth * kTileRows; ++i) a[i] = i % 3 == 0 ? 0x3F80BF80 : 0x3F00BF00;
  for (int64_t i = 0; i < kDepth * kTileColumns; ++i) b[i] = i % 5 == 0 ? 0x3F803F80 : 0x3F003F80;
  __m512 left[kTileRows];
  __m512 right[kTileRows];
  for (int64_t i = 0; i < kTileRows; ++i) left[i] = right[i] = _mm512_setzero_ps();
  for (int64_t repeat = 0; repeat < repeats; ++repeat) {
    for (int64_t k = 0; k < kDepth; ++k) {
      const __m512bh b0 = (__m512bh)_mm512_load_si512(b + k * kTileColumns);
      const __m512bh b1 = (__m512bh)_mm512_load_si512(b + k * kTileColumns + kLanes);
#pragma GCC unroll 12
      for (int64_t i = 0; i < kTileRows; ++i) {
        const __m512bh value = (__m512bh)_mm512_set1_epi32(static_cast<int32_t>(a[k * kTileRows + i]));
        left[i] = _mm512_dpbf16_ps(left[i], value, b0);
        right[i] = _mm512_dpbf16_ps(right[i], value, b1);
      }
    }
  }
  float sum = 0;
  for (int64_t i = 0; i < kTileRows; ++i) sum += _mm512_reduce_add_ps(left[i]) + _mm512_reduce_add_ps(right[i]);
  sink = sum;
  return 4.0 * kTileRows * kTileColumns * kDepth * static_cast<double>(repeats);
}
#endif

#if defined(__AMX_BF16__)
// Two tiles of rows times two of columns at every step of 32 along k: the reads of one step are done while another multiplies.
double multiply_tiles(int64_t repeats) {
  constexpr int64_t kSteps = 8;
  alignas(64) static thread_local uint16_t a[kSteps * 1024];
  alignas(64) static thread_local uint16_t b[kSteps * 1024];
  alignas(64) float sums[256];
  const kernels::ZERO_RL_ISA::TileUnits units;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t repeat = 0; repeat < repeats; ++repeat) {
    for (int64_t step = 0; step < kSteps; ++step) {
      _tile_loadd(6, b + step * 1024, 128);
      _tile_loadd(7, b + step * 1024 + 32, 128);
      _tile_loadd(4, a + step * 32, kSteps * 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, a + step * 32 + kSteps * 512, kSteps * 64);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  float sum = 0;
  const auto add = [&] {
    for (const float value : sums) sum += value;
  };
  _tile_stored(0, sums, 64);
  add();
  _tile_stored(1, sums, 64);
  add();
  _tile_stored(2, sums, 64);
  add();
  _tile_stored(3, sums, 64);
  add();
  sink = sum;
  return 2.0 * 32 * 32 * 32 * kSteps * static_cast<double>(repeats);
}
#endif

}  // namespace

Probe probe() {
  Probe result{read, multiply_float32, nullptr, nullptr};
#if defined(__AMX_BF16__)
  result.multiply_tiles = multiply_tiles;
#endif
#ifdef __AVX512F__
  if (__builtin_cpu_supports("avx512bf16")) result.multiply_bfloat16 = multiply_bfloat16;
#endif
  return result;
}

}  // namespace zero_rl::bench::ZERO_RL_ISA
