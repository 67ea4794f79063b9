#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void swiglu(const SwiGlu& s) {
  const at::Tensor gate_up = dense(s.gate_up, {s.tokens, 2 * s.width}, Dtype);
  at::Tensor act = dense(s.act, {s.tokens, s.width}, Dtype);
  at::silu_out(act, gate_up.narrow(1, 0, s.width));
  act.mul_(gate_up.narrow(1, s.width, s.width));
}

template <at::ScalarType Dtype>
void swiglu_backward(const SwiGluBackward& s) {
  const at::Tensor gate_up = dense(s.gate_up, {s.tokens, 2 * s.width}, Dtype);
  const at::Tensor dgate_up = dense(s.dgate_up, {s.tokens, 2 * s.width}, Dtype);
  const at::Tensor dact = dense(s.dact, {s.tokens, s.width}, Dtype);
  const at::Tensor gate = gate_up.narrow(1, 0, s.width);
  const at::Tensor up = gate_up.narrow(1, s.width, s.width);
  dgate_up.narrow(1, 0, s.width).copy_(at::silu_backward(dact * up, gate));
  dgate_up.narrow(1, s.width, s.width).copy_(at::silu(gate).mul_(dact));
}

}  // namespace

void register_swiglu(Table& float32, Table& bfloat16) {
  float32.swiglu = swiglu<at::kFloat>;
  float32.swiglu_backward = swiglu_backward<at::kFloat>;
  bfloat16.swiglu = swiglu<at::kBFloat16>;
  bfloat16.swiglu_backward = swiglu_backward<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
