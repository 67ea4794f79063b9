#include <ATen/ops/index_select.h>

#include <algorithm>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void rope(const Rope& r) {
  const int64_t half = r.head_dim / 2;
  const int64_t count = 1 + *std::max_element(r.positions, r.positions + r.tokens);
  const at::Tensor positions = dense(r.positions, {r.tokens}, at::kInt);
  const at::Tensor cosines = dense(r.cosines, {count, half}, at::kFloat).index_select(0, positions).unsqueeze(1);
  const at::Tensor sines = dense(r.sines, {count, half}, at::kFloat).index_select(0, positions).unsqueeze(1) * r.direction;
  const at::Tensor x = strided(r.x, {r.tokens, r.heads, r.head_dim}, {r.stride, r.head_dim, 1}, Dtype);
  const at::Tensor low = x.narrow(2, 0, half);
  const at::Tensor high = x.narrow(2, half, half);
  const at::Tensor rotated_low = low * cosines - high * sines;
  const at::Tensor rotated_high = high * cosines + low * sines;
  low.copy_(rotated_low);
  high.copy_(rotated_high);
}

}  // namespace

void register_rope(Table& float32, Table& bfloat16) {
  float32.rope = rope<at::kFloat>;
  bfloat16.rope = rope<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
