// One query row against many keys: shared by the packed and the decoding attention, so that both add in
// the same order.
#pragma once

#include "kernels/element.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// scores[j] = Σ_d query[d] · keys[d · stride + j] for j < count.
template <class T>
static inline void key_scores(const float* query, const T* keys, int64_t stride, int64_t dim, int64_t count,
                              float* scores) {
  for (int64_t j = 0; j < count; ++j) scores[j] = 0;
  int64_t d = 0;
  for (; d + 4 <= dim; d += 4) {
    const T* k0 = keys + d * stride;
    const T* k1 = k0 + stride;
    const T* k2 = k1 + stride;
    const T* k3 = k2 + stride;
    const float q0 = query[d], q1 = query[d + 1], q2 = query[d + 2], q3 = query[d + 3];
#pragma omp simd
    for (int64_t j = 0; j < count; ++j) {
      float score = scores[j];
      score += q0 * to_float(k0[j]);
      score += q1 * to_float(k1[j]);
      score += q2 * to_float(k2[j]);
      score += q3 * to_float(k3[j]);
      scores[j] = score;
    }
  }
  for (; d < dim; ++d) {
    const T* key = keys + d * stride;
#pragma omp simd
    for (int64_t j = 0; j < count; ++j) scores[j] += query[d] * to_float(key[j]);
  }
}

// scores become exponentials relative to their maximum; returns the sum and sets the maximum.
static inline float exponentiate(float* scores, int64_t count, float& maximum) {
  float top = -INFINITY;
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < count; ++j) top = scores[j] > top ? scores[j] : top;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < count; ++j) {
    scores[j] = fast_exp(scores[j] - top);
    sum += scores[j];
  }
  maximum = top;
  return sum;
}

// out[d] += Σ_j weights[j] · rows[j · dim + d].
template <class T>
static inline void add_weighted_rows(const float* weights, const T* rows, int64_t dim, int64_t count, float* out) {
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const T* r0 = rows + j * dim;
    const T* r1 = r0 + dim;
    const T* r2 = r1 + dim;
    const T* r3 = r2 + dim;
    const float w0 = weights[j], w1 = weights[j + 1], w2 = weights[j + 2], w3 = weights[j + 3];
#pragma omp simd
    for (int64_t d = 0; d < dim; ++d) {
      float value = out[d];
      value += w0 * to_float(r0[d]);
      value += w1 * to_float(r1[d]);
      value += w2 * to_float(r2[d]);
      value += w3 * to_float(r3[d]);
      out[d] = value;
    }
  }
  for (; j < count; ++j) {
    const T* row = rows + j * dim;
#pragma omp simd
    for (int64_t d = 0; d < dim; ++d) out[d] += weights[j] * to_float(row[d]);
  }
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
