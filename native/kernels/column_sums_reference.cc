#include <ATen/ops/sum.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void column_sums(const ColumnSums& c) {
  const at::Tensor x = strided(c.x, {c.rows, c.width}, {c.stride, 1}, Dtype);
  dense(c.sums, {c.width}, at::kFloat).add_(x.sum(at::IntArrayRef{0}, /*keepdim=*/false, at::kFloat));
}

}  // namespace

void register_column_sums(Table& float32, Table& bfloat16) {
  float32.column_sums = column_sums<at::kFloat>;
  bfloat16.column_sums = column_sums<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
