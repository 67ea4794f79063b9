#include "learn/entropy_gradient.h"

#include <bit>
#include <cmath>

#include "runtime/parallel.h"

namespace zero_rl {

namespace {

constexpr int64_t kElementsPerThread = 4096;

// Natural logarithm of a normal positive number to about 1e-7: exponent, and a polynomial over [√½, √2).
inline float fast_log(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  const int32_t exponent = (bits - 0x3F3504F3) >> 23;
  const float r = std::bit_cast<float>(bits - (exponent << 23)) - 1.0F;
  const float e = static_cast<float>(exponent);
  float p = 7.0376836292e-2F;
  p = p * r - 1.1514610310e-1F;
  p = p * r + 1.1676998740e-1F;
  p = p * r - 1.2420140846e-1F;
  p = p * r + 1.4249322787e-1F;
  p = p * r - 1.6668057665e-1F;
  p = p * r + 2.0000714765e-1F;
  p = p * r - 2.4999993993e-1F;
  p = p * r + 3.3333331174e-1F;
  return r + (p * r * r * r - 2.12194440e-4F * e - 0.5F * r * r) + 0.693359375F * e;
}

template <class T>
void fill(const EntropyGradient& a, const at::Tensor& dlogits) {
  const int64_t rows = dlogits.size(0);
  const int64_t vocab = dlogits.size(1);
  parallel_ranges(rows, 1 + kElementsPerThread / vocab, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* exponentials = a.exponentials + row * vocab;
      T* out = dlogits.data_ptr<T>() + row * dlogits.stride(0);
      const float coefficient = a.coefficients[row] * a.inverse_temperature;
      const float entropy_coefficient = a.entropy_coefficients[row] * a.inverse_temperature;
      const float inverse_sum = 1.0F / a.sums[row];
      const float offset = a.entropies[row] - std::log(a.sums[row]);  // log p + H = log e + offset
      const auto gradient = [=](float e) {
        return -e * inverse_sum * (coefficient + entropy_coefficient * (fast_log(e) + offset));
      };
      const float at_target = coefficient + gradient(exponentials[a.targets[row]]);
#pragma omp simd
      for (int64_t j = 0; j < vocab; ++j) out[j] = static_cast<T>(gradient(exponentials[j]));
      out[a.targets[row]] = static_cast<T>(at_target);
    }
  });
}

}  // namespace

void entropy_gradient(const EntropyGradient& arguments, const at::Tensor& dlogits) {
  if (dlogits.scalar_type() == at::kFloat) {
    fill<float>(arguments, dlogits);
  } else {
    fill<at::BFloat16>(arguments, dlogits);
  }
}

}  // namespace zero_rl
