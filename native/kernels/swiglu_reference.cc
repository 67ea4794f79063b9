#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void swiglu_backward(const SwiGluBackward& s) {
  const at::Tensor gate_up = dense(s.gate_up, {s.tokens, 2 * s.width}, Dtype);
  const at::Tensor dgate_up = dense(s.dgate_up, {s.tokens, 2 * s.width}, Dtype);
  const at::Tensor dact = dense(s.dact, {s.tokens, s.width}, Dtype);
  const at::Tensor gate = gate_up.narrow(1, 0, s.width);
  const at::Tensor up = gate_up.narrow(1, s.width, s.width);
  const at::Tensor silu = at::silu(gate);
  const at::Tensor act = silu * up;
  const at::Tensor dup = silu * dact;
  dgate_up.narrow(1, 0, s.width).copy_(at::silu_backward(dact * up, gate));
  dgate_up.narrow(1, s.width, s.width).copy_(dup);
  dense(s.act, {s.tokens, s.width}, Dtype).copy_(act);
}

}  // namespace

void register_swiglu(Table& float32, Table& bfloat16) {
  float32.swiglu_backward = swiglu_backward<at::kFloat>;
  bfloat16.swiglu_backward = swiglu_backward<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
