// Products by at::mm; the twin's panels are a plain copy of the matrix.
#include <ATen/ops/mm.h>
#include <ATen/ops/silu.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

int64_t panel_elements(int64_t n, int64_t k) { return n * k; }

template <at::ScalarType Dtype>
void pack_panels(const PackPanels& p) {
  dense(p.panels, {p.n, p.k}, Dtype).copy_(strided(p.matrix, {p.n, p.k}, {p.stride, p.depth_stride}, Dtype));
}

template <at::ScalarType Dtype>
void packed_gemm(const PackedGemm& g) {
  const at::ScalarType out_dtype = g.float_out ? at::kFloat : Dtype;
  // SwiGLU reads the sums as they are rounded once.
  const at::ScalarType sum_dtype = g.activated != nullptr ? at::kFloat : out_dtype;
  at::Tensor product = at::mm(strided(g.a, {g.m, g.k}, {g.a_stride, 1}, Dtype).to(sum_dtype),
                              dense(g.panels, {g.n, g.k}, Dtype).to(sum_dtype).t());
  if (g.bias != nullptr) product.add_(dense(g.bias, {g.n}, Dtype));
  if (g.activated != nullptr) product = product.to(Dtype).to(at::kFloat);
  if (g.c != nullptr) {
    at::Tensor c = strided(g.c, {g.m, g.n}, {g.c_stride, 1}, out_dtype);
    if (g.accumulate) {
      c.add_(product);
    } else {
      c.copy_(product);
    }
  }
  if (g.activated == nullptr) return;
  strided(g.activated, {g.m, g.n / 2}, {g.activated_stride, 1}, Dtype)
      .copy_(at::silu(product.narrow(1, 0, g.n / 2)) * product.narrow(1, g.n / 2, g.n / 2));
}

}  // namespace

void register_pack_panels(Table& float32, Table& bfloat16) {
  float32.panel_elements = panel_elements;
  bfloat16.panel_elements = panel_elements;
  float32.pack_panels = pack_panels<at::kFloat>;
  bfloat16.pack_panels = pack_panels<at::kBFloat16>;
}

void register_packed_gemm(Table& float32, Table& bfloat16) {
  float32.packed_gemm = packed_gemm<at::kFloat>;
  bfloat16.packed_gemm = packed_gemm<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
