// Compute dtypes inside kernel files. Each kernel file is compiled once per instruction set with
// ZERO_RL_ISA naming the namespace, so that no inline function of one set is linked into another.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "runtime/thread_scratch.h"

#ifndef ZERO_RL_ISA
#error "kernel files are compiled by CMake once per instruction set, with ZERO_RL_ISA defined"
#endif

namespace zero_rl::kernels::ZERO_RL_ISA {

struct Bfloat16 {
  uint16_t bits;
};

static inline float to_float(float value) { return value; }

static inline float to_float(Bfloat16 value) {
  const uint32_t bits = uint32_t{value.bits} << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

template <class T>
static inline T from_float(float value);

template <>
inline float from_float<float>(float value) {
  return value;
}

// Round to nearest even; NaN stays NaN.
template <>
inline Bfloat16 from_float<Bfloat16>(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  const uint32_t result = (bits & 0x7FFFFFFF) > 0x7F800000 ? bits | 0x400000 : rounded;
  return {static_cast<uint16_t>(result >> 16)};
}

// exp with a relative error below 2e-7 on [−87, 88]; below −87 the result is about 1e-38.
static inline float fast_exp(float x) {
  x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  const float shifted = x * 1.44269504f + 12582912.0f;  // rounds to an integer in the low mantissa bits
  const float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits - 0x4B400000 + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

// Floats owned by one task.
class Scratch {
 public:
  explicit Scratch(int64_t count) : data_(static_cast<float*>(borrow_scratch(static_cast<size_t>(count) * 4 + 64))) {}
  ~Scratch() { return_scratch(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* data() { return data_; }

 private:
  float* data_;
};

}  // namespace zero_rl::kernels::ZERO_RL_ISA
