// Squares of 16 × 16 words in registers: how rows of float32 or of bfloat16 pairs become columns and back.
#pragma once

#if defined(__AVX512F__)

#include <immintrin.h>

#include "kernels/element.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// Columns of words become rows: out[c][r] = in[r][c].
static inline void transpose_words(__m512i* r) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int half = 0; half < 16; half += 8) {
    for (int i = 0; i < 4; ++i) {
      t[half + i] = _mm512_shuffle_i32x4(r[half + i], r[half + 4 + i], 0x88);
      t[half + 4 + i] = _mm512_shuffle_i32x4(r[half + i], r[half + 4 + i], 0xdd);
    }
  }
  for (int i = 0; i < 8; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
  }
}

// 16 columns over 32 k become rows: pairs of neighbours along k are words, which a transposition brings together.
static inline void copy_square(const Bfloat16* from, int64_t depth_stride, Bfloat16* to, int64_t row) {
  __m512i words[16];
  for (int64_t pair = 0; pair < 16; ++pair) {
    const Bfloat16* first = from + 2 * pair * depth_stride;
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(first)));
    const __m512i high =
        _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(first + depth_stride)));
    words[pair] = _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
  }
  transpose_words(words);
  for (int64_t i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * row, words[i]);
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA

#endif
