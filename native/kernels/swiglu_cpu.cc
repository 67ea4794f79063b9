#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kElementsPerThread = 8192;

template <class T>
inline void backward_row(const SwiGluBackward& a, int64_t token) {
  const T* gates = static_cast<const T*>(a.gate_up) + token * 2 * a.width;
  const T* ups = gates + a.width;
  const T* dacts = static_cast<const T*>(a.dact) + token * a.width;
  T* dgates = static_cast<T*>(a.dgate_up) + token * 2 * a.width;
  T* dups = dgates + a.width;
  T* acts = static_cast<T*>(a.act) + token * a.width;
  for_vectors(a.width, [&](int64_t i, int64_t count) {
    const Vector gate = load_part(gates + i, count);
    const Vector up = load_part(ups + i, count);
    const Vector d = load_part(dacts + i, count);
    const Vector slope = sigmoid(gate);
    const Vector silu = gate * slope;
    store_part(dups + i, d * silu, count);
    store_part(dgates + i, d * up * slope * (1.0f + gate - silu), count);
    store_part(acts + i, silu * up, count);
  });
}

template <class T>
void swiglu_backward(const SwiGluBackward& a) {
  parallel_ranges(a.tokens, 1 + kElementsPerThread / a.width, [&](int64_t begin, int64_t end, int) {
    for (int64_t token = begin; token < end; ++token) backward_row<T>(a, token);
  });
}

}  // namespace

void register_swiglu(Table& float32, Table& bfloat16) {
  float32.swiglu_backward = swiglu_backward<float>;
  bfloat16.swiglu_backward = swiglu_backward<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
