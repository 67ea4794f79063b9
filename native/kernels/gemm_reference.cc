// Matrix products by at::mm. The CPU has no product of bfloat16 into float32, so that one widens its operands.
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void gemm(const Gemm& g) {
  at::Tensor a = strided(g.a, {g.m, g.k}, {g.a_stride, g.a_depth_stride}, Dtype);
  at::Tensor b = strided(g.b, {g.k, g.n}, {g.b_depth_stride, g.b_stride}, Dtype);
  at::Tensor c = strided(g.c, {g.m, g.n}, {g.c_stride, 1}, g.float_out ? at::kFloat : Dtype);
  if (g.float_out) {
    a = a.to(at::kFloat);
    b = b.to(at::kFloat);
  }
  if (g.accumulate) {
    c.addmm_(a, b);
    if (g.bias != nullptr) c.add_(dense(g.bias, {g.n}, Dtype));
  } else if (g.bias != nullptr) {
    at::addmm_out(c, dense(g.bias, {g.n}, Dtype), a, b);
  } else {
    at::mm_out(c, a, b);
  }
}

}  // namespace

void register_gemm(Table& float32, Table& bfloat16) {
  float32.gemm = gemm<at::kFloat>;
  bfloat16.gemm = gemm<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
