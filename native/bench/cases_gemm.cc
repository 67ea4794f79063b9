// Matrix products in the layouts of the decoder: `linear` (x Wᵀ), `input` (dy W) and `weight` (dyᵀ x).
#include <ATen/ops/empty.h>

#include "bench/kernel_case.h"

namespace zero_rl::bench {

// Sizes m, n, k; layout 0 linear, 1 input gradient, 2 weight gradient; bias, accumulate and float_out 0 or 1.
KernelCase gemm_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t m = sizes.at("m");
  const int64_t n = sizes.at("n");
  const int64_t k = sizes.at("k");
  const int64_t layout = sizes.get("layout", 0);
  const bool accumulate = sizes.get("accumulate", layout == 2 ? 1 : 0) == 1;
  const bool float_out = sizes.get("float_out", layout == 2 ? 1 : 0) == 1;
  const bool depth_first_a = layout == 2;
  const bool depth_first_b = layout != 0;
  const at::Tensor a = random_tensor({m, k}, dtype, seed);
  const at::Tensor b = random_tensor({n, k}, dtype, seed + 1);
  const at::Tensor bias = sizes.get("bias", 0) == 1 ? random_tensor({n}, dtype, seed + 2) : at::Tensor();
  const at::Tensor c = random_tensor({m, n}, float_out ? at::kFloat : dtype, seed + 3);
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.gemm({.a = a.data_ptr(),
                .a_stride = depth_first_a ? 1 : k,
                .a_depth_stride = depth_first_a ? m : 1,
                .b = b.data_ptr(),
                .b_stride = depth_first_b ? 1 : k,
                .b_depth_stride = depth_first_b ? n : 1,
                .bias = bias.defined() ? bias.data_ptr() : nullptr,
                .c = c.data_ptr(),
                .c_stride = n,
                .m = m,
                .n = n,
                .k = k,
                .accumulate = accumulate,
                .float_out = float_out && dtype != at::kFloat});
  };
  if (accumulate) {
    result.track_in_place("c", c);
  } else {
    result.track("c", c);
  }
  const auto nbytes = [](const at::Tensor& tensor) { return tensor.defined() ? static_cast<double>(tensor.nbytes()) : 0; };
  result.bytes = nbytes(a) + nbytes(b) + nbytes(bias) + nbytes(c) * (accumulate ? 2 : 1);
  result.flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  return result;
}

}  // namespace zero_rl::bench
