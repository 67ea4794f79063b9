#include "kernels/element.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kElementsPerThread = 8192;

template <class T>
inline void swiglu_row(const T* gate, const T* up, T* act, int64_t width) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float g = to_float(gate[i]);
    act[i] = from_float<T>(g / (1.0f + fast_exp(-g)) * to_float(up[i]));
  }
}

template <class T>
inline void swiglu_backward_row(const T* gate, const T* up, const T* dact, T* dgate, T* dup, int64_t width) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float g = to_float(gate[i]);
    const float sigmoid = 1.0f / (1.0f + fast_exp(-g));
    const float silu = g * sigmoid;
    const float d = to_float(dact[i]);
    dup[i] = from_float<T>(d * silu);
    dgate[i] = from_float<T>(d * to_float(up[i]) * sigmoid * (1.0f + g - silu));
  }
}

template <class T>
void swiglu(const SwiGlu& a) {
  parallel_ranges(a.tokens, 1 + kElementsPerThread / a.width, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const T* gate = static_cast<const T*>(a.gate_up) + t * 2 * a.width;
      swiglu_row(gate, gate + a.width, static_cast<T*>(a.act) + t * a.width, a.width);
    }
  });
}

template <class T>
void swiglu_backward(const SwiGluBackward& a) {
  parallel_ranges(a.tokens, 1 + kElementsPerThread / a.width, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const T* gate = static_cast<const T*>(a.gate_up) + t * 2 * a.width;
      T* dgate = static_cast<T*>(a.dgate_up) + t * 2 * a.width;
      swiglu_backward_row(gate, gate + a.width, static_cast<const T*>(a.dact) + t * a.width, dgate, dgate + a.width,
                          a.width);
    }
  });
}

}  // namespace

void register_swiglu(Table& float32, Table& bfloat16) {
  float32.swiglu = swiglu<float>;
  float32.swiglu_backward = swiglu_backward<float>;
  bfloat16.swiglu = swiglu<Bfloat16>;
  bfloat16.swiglu_backward = swiglu_backward<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
