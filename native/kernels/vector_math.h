// Elementwise arithmetic on whole vectors: the same results as the scalar forms in element.h but for rounding.
#pragma once

#include "kernels/tile.h"

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

// silu(gate) · up
static inline Vector silu_times(Vector gate, Vector up) { return gate / (1.0f + fast_exp(-gate)) * up; }

static inline Vector load_wide(const float* from) { return load(from); }
static inline Vector load_wide(const Bfloat16* from) {
  const HalfVector half = *reinterpret_cast<const HalfVector*>(from);
  const IntVector bits = __builtin_convertvector(half, IntVector) << 16;
  return reinterpret_cast<const Vector&>(bits);
}

static inline void store_narrow(float* to, Vector value) { store(to, value); }
// Round to nearest even; NaN stays NaN.
static inline void store_narrow(Bfloat16* to, Vector value) {
  const IntVector bits = reinterpret_cast<const IntVector&>(value);
  const IntVector rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  const IntVector result = ((value == value) ? rounded : (bits | 0x400000)) >> 16;
  *reinterpret_cast<HalfVector*>(to) = __builtin_convertvector(result, HalfVector);
}

// The value as T holds it.
template <class T>
static inline Vector rounded_to(Vector value) {
  if (sizeof(T) == sizeof(float)) return value;
  const IntVector bits = reinterpret_cast<const IntVector&>(value);
  const IntVector rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  const IntVector result = ((value == value) ? rounded : (bits | 0x400000)) & static_cast<int32_t>(0xFFFF0000);
  return reinterpret_cast<const Vector&>(result);
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
