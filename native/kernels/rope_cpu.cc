#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

template <class T>
inline void rotate_head(T* low, T* high, const float* cosines, const float* sines, float direction, int64_t half) {
  for_vectors(half, [&](int64_t i, int64_t count) {
    const Vector x = load_part(low + i, count);
    const Vector y = load_part(high + i, count);
    const Vector cosine = load_part(cosines + i, count);
    const Vector sine = load_part(sines + i, count) * direction;
    store_part(low + i, x * cosine - y * sine, count);
    store_part(high + i, y * cosine + x * sine, count);
  });
}

template <class T>
void rope(const Rope& a) {
  const int64_t half = a.head_dim / 2;
  parallel_ranges(a.tokens, 1 + 8192 / (a.heads * a.head_dim), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const float* cosines = a.cosines + a.positions[t] * half;
      const float* sines = a.sines + a.positions[t] * half;
      for (int64_t head = 0; head < a.heads; ++head) {
        T* low = static_cast<T*>(a.x) + t * a.stride + head * a.head_dim;
        rotate_head(low, low + half, cosines, sines, a.direction, half);
      }
    }
  });
}

}  // namespace

void register_rope(Table& float32, Table& bfloat16) {
  float32.rope = rope<float>;
  bfloat16.rope = rope<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
