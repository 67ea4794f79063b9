// Elementwise arithmetic on whole vectors: the same results as the scalar forms in element.h but for rounding.
#pragma once

#include "kernels/tile.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace zero_rl::kernels::ZERO_RL_ISA {

typedef int32_t IntVector __attribute__((vector_size(kLanes * sizeof(int32_t)), aligned(4), may_alias));
typedef uint16_t HalfVector __attribute__((vector_size(kLanes * sizeof(uint16_t)), aligned(2), may_alias));

static inline Vector splat(float value) { return Vector{} + value; }

// As fast_exp.
static inline Vector fast_exp(Vector x) {
  const Vector low = splat(-87.0f);
  const Vector high = splat(88.0f);
  x = x < low ? low : x;
  x = x > high ? high : x;
  const Vector shifted = x * 1.44269504f + 12582912.0f;
  const Vector n = shifted - 12582912.0f;
  Vector r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vector p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const IntVector power = (reinterpret_cast<IntVector&>(const_cast<Vector&>(shifted)) - 0x4B400000 + 127) << 23;
  return p * reinterpret_cast<const Vector&>(power);
}

// 1/x for x >= 1, to an ulp or two.
static inline Vector reciprocal(Vector x) {
#if defined(__AVX512F__)
  const Vector near = (Vector)_mm512_rcp14_ps((__m512)x);
  return near * (2.0f - x * near);
#else
  return 1.0f / x;
#endif
}

static inline Vector sigmoid(Vector x) { return reciprocal(1.0f + fast_exp(-x)); }

// silu(gate) · up
static inline Vector silu_times(Vector gate, Vector up) { return gate * sigmoid(gate) * up; }

static inline Vector load_wide(const float* from) { return load(from); }
#if defined(__AVX512F__)
static inline Vector widened(__m256i halves) { return (Vector)((IntVector)_mm512_cvtepu16_epi32(halves) << 16); }
#endif
static inline Vector load_wide(const Bfloat16* from) {
#if defined(__AVX512F__)
  return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#else
#if defined(__AVX2__)
  const IntVector words = (IntVector)_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#else
  const IntVector words = __builtin_convertvector(*reinterpret_cast<const HalfVector*>(from), IntVector);
#endif
  return (Vector)(words << 16);
#endif
}

// Words whose high halves are the values as bfloat16: rounded to nearest even, NaN stays NaN.
static inline IntVector rounded_words(Vector value) {
  const IntVector bits = (IntVector)value;
  const IntVector rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  return (value == value) ? rounded : (bits | 0x400000);
}

static inline void store_narrow(float* to, Vector value) { store(to, value); }
static inline void store_narrow(Bfloat16* to, Vector value) {
#if defined(__AVX512BF16__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh((__m512)value));
#else
  const IntVector words = rounded_words(value) >> 16;
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16((__m512i)words));
#else
  *reinterpret_cast<HalfVector*>(to) = __builtin_convertvector(words, HalfVector);
#endif
#endif
}

// The value as T holds it.
template <class T>
static inline Vector rounded_to(Vector value) {
  if (sizeof(T) == sizeof(float)) return value;
#if defined(__AVX512BF16__)
  return widened((__m256i)_mm512_cvtneps_pbh((__m512)value));
#endif
  return (Vector)(rounded_words(value) & static_cast<int32_t>(0xFFFF0000));
}

// `count` elements from or to memory, at most kLanes; the other lanes are 0.
template <class T>
static inline Vector load_part(const T* from, int64_t count) {
  if (count == kLanes) return load_wide(from);
  Vector value{};
  for (int64_t lane = 0; lane < count; ++lane) value[lane] = to_float(from[lane]);
  return value;
}
template <class T>
static inline void store_part(T* to, Vector value, int64_t count) {
  if (count == kLanes) {
    store_narrow(to, value);
    return;
  }
  for (int64_t lane = 0; lane < count; ++lane) to[lane] = from_float<T>(value[lane]);
}

// run(i, kLanes) for every whole vector below `count`, then once for what is left.
template <class Run>
static inline void for_vectors(int64_t count, const Run& run) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) run(i, kLanes);
  if (i < count) run(i, count - i);
}

// The first `valid` lanes of a vector, `otherwise` in the rest.
static inline Vector first_lanes(Vector value, int64_t valid, float otherwise) {
  IntVector lanes;
  for (int32_t lane = 0; lane < kLanes; ++lane) lanes[lane] = lane;
  return lanes < static_cast<int32_t>(valid) ? value : splat(otherwise);
}

// Halves are combined until one lane is left.
template <class Combine>
static inline float reduce_lanes(Vector value, const Combine& combine) {
  float lanes[kLanes];
  store(lanes, value);
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t lane = 0; lane < half; ++lane) lanes[lane] = combine(lanes[lane], lanes[lane + half]);
  }
  return lanes[0];
}

static inline float sum_lanes(Vector value) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps((__m512)value);
#else
  return reduce_lanes(value, [](float a, float b) { return a + b; });
#endif
}

static inline float maximum_lane(Vector value) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps((__m512)value);
#else
  return reduce_lanes(value, [](float a, float b) { return a > b ? a : b; });
#endif
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
