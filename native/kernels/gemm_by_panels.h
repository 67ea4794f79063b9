// A product of bfloat16 in any layout by way of packed panels, for processors that multiply pairs along k.
#pragma once

#if defined(__AVX512BF16__)

#include "kernels/transpose_words.h"

#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// 16 columns of A over 32 k: pairs of neighbours along k are words, which a transposition brings into rows.
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

// A of columns, [m, k], with rows contiguous.
static inline void copy_rows(const Gemm& g, Bfloat16* to) {
  constexpr int64_t kRows = 16;
  constexpr int64_t kDeep = 32;
  const auto* from = static_cast<const Bfloat16*>(g.a);
  parallel_ranges((g.m + kRows - 1) / kRows, 1 + (1 << 11) / g.k, [&](int64_t begin, int64_t end, int) {
    for (int64_t k0 = 0; k0 < g.k; k0 += kDeep) {
      const int64_t k1 = k0 + kDeep < g.k ? k0 + kDeep : g.k;
      for (int64_t i0 = begin * kRows; i0 < end * kRows && i0 < g.m; i0 += kRows) {
        const int64_t i1 = i0 + kRows < g.m ? i0 + kRows : g.m;
        if (i1 - i0 == kRows && k1 - k0 == kDeep) {
          copy_square(from + k0 * g.a_depth_stride + i0, g.a_depth_stride, to + i0 * g.k + k0, g.k);
          continue;
        }
        for (int64_t i = i0; i < i1; ++i) {
          for (int64_t k = k0; k < k1; ++k) to[i * g.k + k] = from[i + k * g.a_depth_stride];
        }
      }
    }
  });
}

static inline void gemm_by_panels(const Gemm& g) {
  Table float32{};
  Table bfloat16{};
  register_pack_panels(float32, bfloat16);
  register_packed_gemm(float32, bfloat16);
  const bool transposed = g.a_stride == 1 && g.a_depth_stride != 1;
  Scratch rows(transposed ? (g.m * g.k + 1) / 2 : 0);
  auto* copy = reinterpret_cast<Bfloat16*>(rows.data());
  if (transposed) copy_rows(g, copy);
  Scratch panels((bfloat16.panel_elements(g.n, g.k) + 1) / 2);
  bfloat16.pack_panels({.matrix = g.b,
                        .stride = g.b_stride,
                        .depth_stride = g.b_depth_stride,
                        .panels = panels.data(),
                        .n = g.n,
                        .k = g.k,
                        .paired = false});
  bfloat16.packed_gemm({.a = transposed ? copy : g.a,
                        .a_stride = transposed ? g.k : g.a_stride,
                        .panels = panels.data(),
                        .bias = g.bias,
                        .c = g.c,
                        .c_stride = g.c_stride,
                        .m = g.m,
                        .n = g.n,
                        .k = g.k,
                        .accumulate = g.accumulate,
                        .float_out = g.float_out,
                        .activated = nullptr,
                        .activated_stride = 0,
                        .paired = false});
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA

#endif
