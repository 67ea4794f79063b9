#include <ATen/ops/cumsum.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "kernels/reference.h"

namespace zero_rl::kernels {

namespace {

using reference::dense;

// Most likely first, equal ones by id: probabilities that a truncation drops become zero.
at::Tensor truncate(at::Tensor sorted, const SamplerReference& s) {
  const at::Tensor top = sorted.narrow(1, 0, 1);
  if (s.top_k > 0 && s.top_k < s.vocab) {
    // Ties at the k-th place stay.
    sorted = at::where(sorted >= sorted.narrow(1, s.top_k - 1, 1), sorted, 0.0);
  }
  if (s.top_p < 1) {
    const at::Tensor before = at::cumsum(sorted, 1) - sorted;
    const at::Tensor kept = before < s.top_p * sorted.sum(at::IntArrayRef{1}, /*keepdim=*/true);
    sorted = at::where(kept, sorted, 0.0);
  }
  return at::where(sorted >= s.min_p * top, sorted, 0.0);
}

}  // namespace

void sample_reference(const SamplerReference& s) {
  const at::Tensor logits = dense(s.logits, {s.rows, s.vocab}, at::kFloat);
  const at::Tensor log_probs = at::log_softmax(logits.to(at::kDouble) * static_cast<double>(s.inverse_temperature), 1);
  at::Tensor probabilities = log_probs.exp();
  at::Tensor order;
  if (s.top_k > 0 || s.top_p < 1 || s.min_p > 0) {
    std::tie(probabilities, order) = at::sort(probabilities, /*stable=*/true, 1, /*descending=*/true);
    probabilities = truncate(probabilities, s);
  }
  const at::Tensor cumulative = at::cumsum(probabilities, 1);
  const at::Tensor targets =
      dense(s.uniforms, {s.rows, 1}, at::kDouble) * cumulative.narrow(1, s.vocab - 1, 1);
  at::Tensor chosen =
      at::searchsorted(cumulative, targets, /*out_int32=*/false, /*right=*/true).clamp_max_(s.vocab - 1);
  if (order.defined()) chosen = order.gather(1, chosen);
  if (s.log_masses != nullptr) {
    const at::Tensor masses = order.defined() ? cumulative.narrow(1, s.vocab - 1, 1).log() : at::zeros_like(targets);
    dense(s.log_masses, {s.rows, 1}, at::kFloat).copy_(masses);
  }
  if (s.kept != nullptr) {
    at::Tensor kept = dense(s.kept, {s.rows, s.vocab}, at::kBool).fill_(!order.defined());
    if (order.defined()) kept.scatter_(1, order, probabilities > 0);
  }
  dense(s.tokens, {s.rows, 1}, at::kInt).copy_(chosen);
  dense(s.log_probs, {s.rows, 1}, at::kFloat).copy_(log_probs.gather(1, chosen));
}

}  // namespace zero_rl::kernels
