// Float32 masters beside bfloat16 weights without a second copy of the upper half: the weight is the rounded master and a
// remainder of 16 bits says what it lacks, so that the two join to the very master. And the noise of rounding without masters.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/host_device.h"

namespace zero_rl::kernels {

ZERO_RL_HOST_DEVICE static inline uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

ZERO_RL_HOST_DEVICE static inline float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// The nearest bfloat16; halfway cases away from zero, NaN stays NaN.
ZERO_RL_HOST_DEVICE static inline uint16_t upper_half(float master) {
  const uint32_t bits = bits_of(master);
  return static_cast<uint16_t>((master == master ? bits + 0x8000U : bits | 0x400000U) >> 16);
}

// For masters that are numbers.
ZERO_RL_HOST_DEVICE static inline int16_t remainder(float master) {
  return static_cast<int16_t>(bits_of(master) - (uint32_t{upper_half(master)} << 16));
}

ZERO_RL_HOST_DEVICE static inline float joined(uint16_t upper, int16_t remainder) {
  return float_of((uint32_t{upper} << 16) + static_cast<uint32_t>(static_cast<int32_t>(remainder)));
}

// 32 well mixed bits of a key and an index (Wellons' hash prospector, lowbias32).
ZERO_RL_HOST_DEVICE static inline uint32_t rounding_noise(uint32_t key, uint32_t index) {
  uint32_t x = index * 0x9E3779B9U ^ key;
  x = (x ^ (x >> 16)) * 0x7FEB352DU;
  x = (x ^ (x >> 15)) * 0x846CA68BU;
  return x ^ (x >> 16);
}

// The bfloat16 above or below, each with a probability such that the mean is the value; `noise` has 16 bits.
ZERO_RL_HOST_DEVICE static inline uint16_t stochastic_half(float value, uint32_t noise) {
  return static_cast<uint16_t>((bits_of(value) + noise) >> 16);
}

}  // namespace zero_rl::kernels
