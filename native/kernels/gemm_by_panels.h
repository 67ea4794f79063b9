// A product of bfloat16 in any layout by way of packed panels, for processors that multiply pairs along k.
#pragma once

#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// [m, k] with rows contiguous.
static inline void copy_rows(const Gemm& g, Bfloat16* to) {
  constexpr int64_t kBlock = 32;
  const auto* from = static_cast<const Bfloat16*>(g.a);
  parallel_ranges((g.m + kBlock - 1) / kBlock, 1 + (1 << 10) / g.k, [&](int64_t begin, int64_t end, int) {
    for (int64_t i0 = begin * kBlock; i0 < end * kBlock && i0 < g.m; i0 += kBlock) {
      const int64_t i1 = i0 + kBlock < g.m ? i0 + kBlock : g.m;
      for (int64_t k0 = 0; k0 < g.k; k0 += kBlock) {
        const int64_t k1 = k0 + kBlock < g.k ? k0 + kBlock : g.k;
        for (int64_t i = i0; i < i1; ++i) {
          for (int64_t k = k0; k < k1; ++k) to[i * g.k + k] = from[i * g.a_stride + k * g.a_depth_stride];
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
  const bool transposed = g.a_depth_stride != 1;
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
