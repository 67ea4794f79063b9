#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kElementsPerThread = 4096;

// Natural logarithm of normal positive numbers to about 1e-7: exponent, and a polynomial over [√½, √2).
inline Vector fast_log(Vector x) {
  const IntVector bits = (IntVector)x;
  const IntVector exponent = (bits - 0x3F3504F3) >> 23;
  const Vector r = (Vector)(bits - (exponent << 23)) - 1.0f;
  const Vector e = __builtin_convertvector(exponent, Vector);
  Vector p = splat(7.0376836292e-2f);
  p = p * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  return r + (p * r * r * r - 2.12194440e-4f * e - 0.5f * r * r) + 0.693359375f * e;
}

template <class T>
void entropy_gradient(const EntropyGradient& a) {
  parallel_ranges(a.rows, 1 + kElementsPerThread / a.vocab, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* exponentials = a.exponentials + row * a.vocab;
      T* dlogits = static_cast<T*>(a.dlogits) + row * a.dlogits_stride;
      const float coefficient = a.coefficients[row] * a.inverse_temperature;
      const float entropy_coefficient = a.entropy_coefficients[row] * a.inverse_temperature;
      const float inverse_sum = 1.0f / a.sums[row];
      const float offset = a.entropies[row] - std::log(a.sums[row]);  // log p + H = log e + offset
      const auto gradient = [=](Vector e) {
        return -e * inverse_sum * (coefficient + entropy_coefficient * (fast_log(e) + offset));
      };
      const int64_t target = a.targets[row];
      const float at_target = coefficient + gradient(splat(exponentials[target]))[0];
      // Reads a vector before its place is written, and never behind what was written.
      for_vectors(a.vocab, [&](int64_t j, int64_t count) {
        store_part(dlogits + j, gradient(load_part(exponentials + j, count)), count);
      });
      dlogits[target] = from_float<T>(at_target);
    }
  });
}

}  // namespace

void register_entropy_gradient(Table& float32, Table& bfloat16) {
  float32.entropy_gradient = entropy_gradient<float>;
  bfloat16.entropy_gradient = entropy_gradient<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
