// Runs of elements that are read and written at once: up to 16 bytes.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

#include "runtime/host_device.h"

namespace zero_rl::device {

constexpr int kPackBytes = 16;

// Elements of the widest pack.
template <class T>
constexpr int kPack = kPackBytes / static_cast<int>(sizeof(T));

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T values[N];

  ZERO_RL_HOST_DEVICE T& operator[](int i) { return values[i]; }
  ZERO_RL_HOST_DEVICE const T& operator[](int i) const { return values[i]; }
};

template <int N, class T>
ZERO_RL_HOST_DEVICE inline Pack<T, N> load(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}

template <class T, int N>
ZERO_RL_HOST_DEVICE inline void store(T* to, const Pack<T, N>& pack) {
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

template <class T>
ZERO_RL_HOST_DEVICE inline float widen(T value) {
  return static_cast<float>(value);
}

// To the nearest, halfway cases to even.
template <class T>
ZERO_RL_HOST_DEVICE inline T narrow(float value) {
  return static_cast<T>(value);
}

}  // namespace zero_rl::device
