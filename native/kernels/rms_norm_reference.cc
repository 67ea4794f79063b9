#include <ATen/ops/rms_norm.h>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

template <at::ScalarType Dtype>
void rms_norm(const RmsNorm& r) {
  const at::Tensor x = strided(r.x, {r.outer, r.inner, r.dim}, {r.x_stride, r.dim, 1}, Dtype);
  const at::Tensor y = strided(r.y, {r.outer, r.inner, r.dim}, {r.y_stride, r.dim, 1}, Dtype);
  y.copy_(at::rms_norm(x, {r.dim}, dense(r.weight, {r.dim}, Dtype), r.eps));
  if (r.rstd != nullptr) {
    dense(r.rstd, {r.outer, r.inner}, at::kFloat)
        .copy_(x.to(at::kFloat).square().mean(at::IntArrayRef{2}).add_(r.eps).rsqrt_());
  }
}

// n = x · rstd and g = dy · weight: dx = rstd · (g − n · mean(g · n)), dweight = Σ dy · n.
template <at::ScalarType Dtype>
void rms_norm_backward(const RmsNormBackward& r) {
  const at::Tensor dy = strided(r.dy, {r.outer, r.inner, r.dim}, {r.dy_stride, r.dim, 1}, Dtype).to(at::kFloat);
  const at::Tensor x = strided(r.x, {r.outer, r.inner, r.dim}, {r.x_stride, r.dim, 1}, Dtype).to(at::kFloat);
  const at::Tensor dx = strided(r.dx, {r.outer, r.inner, r.dim}, {r.dx_stride, r.dim, 1}, Dtype);
  const at::Tensor rstd = dense(r.rstd, {r.outer, r.inner, 1}, at::kFloat);
  const at::Tensor normalised = x * rstd;
  const at::Tensor gradient = dy * dense(r.weight, {r.dim}, Dtype);
  dense(r.dweight, {r.dim}, at::kFloat).add_((dy * normalised).sum(at::IntArrayRef{0, 1}));
  const at::Tensor mean = (gradient * normalised).mean(at::IntArrayRef{2}, /*keepdim=*/true);
  const at::Tensor change = rstd * (gradient - normalised * mean);
  dx.copy_(r.accumulate ? change + dx : change);
}

}  // namespace

void register_rms_norm(Table& float32, Table& bfloat16) {
  float32.rms_norm = rms_norm<at::kFloat>;
  float32.rms_norm_backward = rms_norm_backward<at::kFloat>;
  bfloat16.rms_norm = rms_norm<at::kBFloat16>;
  bfloat16.rms_norm_backward = rms_norm_backward<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
