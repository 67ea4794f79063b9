#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kElementsPerThread = 16384;
// Sums of weight gradients, added up in their order whatever the number of threads.
constexpr int64_t kParts = 16;

template <class T>
inline float norm_row(const T* x, const T* weight, T* y, int64_t dim, float eps) {
  Vector squares{};
  for_vectors(dim, [&](int64_t d, int64_t count) {
    const Vector value = load_part(x + d, count);
    squares += value * value;
  });
  const float rstd = 1.0f / std::sqrt(sum_lanes(squares) / static_cast<float>(dim) + eps);
  for_vectors(dim, [&](int64_t d, int64_t count) {
    store_part(y + d, load_part(x + d, count) * rstd * load_part(weight + d, count), count);
  });
  return rstd;
}

template <class T, bool Accumulate>
inline void norm_backward_row(const T* dy, const T* x, const T* weight, float rstd, T* dx, float* dweight,
                              int64_t dim) {
  Vector dot{};
  for_vectors(dim, [&](int64_t d, int64_t count) {
    dot += load_part(dy + d, count) * load_part(weight + d, count) * (load_part(x + d, count) * rstd);
  });
  const float mean = sum_lanes(dot) / static_cast<float>(dim);
  for_vectors(dim, [&](int64_t d, int64_t count) {
    const Vector normalised = load_part(x + d, count) * rstd;
    const Vector gradient = load_part(dy + d, count);
    const Vector change = rstd * (gradient * load_part(weight + d, count) - normalised * mean);
    store_part(dweight + d, load_part(dweight + d, count) + gradient * normalised, count);
    store_part(dx + d, Accumulate ? load_part(dx + d, count) + change : change, count);
  });
}

template <class T>
void rms_norm(const RmsNorm& a) {
  const T* weight = static_cast<const T*>(a.weight);
  const int64_t grain = 1 + kElementsPerThread / (a.inner * a.dim);
  parallel_ranges(a.outer, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t o = begin; o < end; ++o) {
      for (int64_t i = 0; i < a.inner; ++i) {
        const T* x = static_cast<const T*>(a.x) + o * a.x_stride + i * a.dim;
        T* y = static_cast<T*>(a.y) + o * a.y_stride + i * a.dim;
        const float rstd = norm_row(x, weight, y, a.dim, a.eps);
        if (a.rstd != nullptr) a.rstd[o * a.inner + i] = rstd;
      }
    }
  });
}

template <class T>
void rms_norm_backward(const RmsNormBackward& a) {
  const T* weight = static_cast<const T*>(a.weight);
  Scratch partials(kParts * a.dim);
  std::memset(partials.data(), 0, static_cast<size_t>(kParts * a.dim) * sizeof(float));
  const int64_t grain = 1 + kParts * kElementsPerThread / (a.outer * a.inner * a.dim);
  const auto run_part = [&](int64_t part) {
    float* dweight = partials.data() + part * a.dim;
    for (int64_t o = a.outer * part / kParts; o < a.outer * (part + 1) / kParts; ++o) {
      for (int64_t i = 0; i < a.inner; ++i) {
        const T* dy = static_cast<const T*>(a.dy) + o * a.dy_stride + i * a.dim;
        const T* x = static_cast<const T*>(a.x) + o * a.x_stride + i * a.dim;
        T* dx = static_cast<T*>(a.dx) + o * a.dx_stride + i * a.dim;
        const float rstd = a.rstd[o * a.inner + i];
        if (a.accumulate) {
          norm_backward_row<T, true>(dy, x, weight, rstd, dx, dweight, a.dim);
        } else {
          norm_backward_row<T, false>(dy, x, weight, rstd, dx, dweight, a.dim);
        }
      }
    }
  };
  parallel_ranges(kParts, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t part = begin; part < end; ++part) run_part(part);
  });
  for (int64_t part = 0; part < kParts; ++part) {
    for (int64_t d = 0; d < a.dim; ++d) a.dweight[d] += partials.data()[part * a.dim + d];
  }
}

}  // namespace

void register_rms_norm(Table& float32, Table& bfloat16) {
  float32.rms_norm = rms_norm<float>;
  float32.rms_norm_backward = rms_norm_backward<float>;
  bfloat16.rms_norm = rms_norm<Bfloat16>;
  bfloat16.rms_norm_backward = rms_norm_backward<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
