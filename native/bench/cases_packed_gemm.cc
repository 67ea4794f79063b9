// Products with packed weights, as the decoder's layers use them.
#include <ATen/ops/empty.h>

#include <map>
#include <memory>

#include "bench/kernel_case.h"

namespace zero_rl::bench {

namespace {

at::Tensor packed(const kernels::Table& table, const at::Tensor& matrix, bool paired) {
  const int64_t n = matrix.size(0);
  const int64_t k = matrix.size(1);
  const at::Tensor panels = at::empty({table.panel_elements(n, k)}, matrix.options());
  table.pack_panels({.matrix = matrix.data_ptr(),
                     .stride = k,
                     .depth_stride = 1,
                     .panels = panels.data_ptr(),
                     .n = n,
                     .k = k,
                     .paired = paired});
  return panels;
}

}  // namespace

// Sizes m, n, k; bias, accumulate, float_out and swiglu (gate and up in one matrix, activated on the way out) 0 or 1.
KernelCase packed_gemm_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t m = sizes.at("m");
  const int64_t n = sizes.at("n");
  const int64_t k = sizes.at("k");
  const bool swiglu = sizes.get("swiglu", 0) == 1;
  const bool accumulate = sizes.get("accumulate", 0) == 1;
  const bool float_out = sizes.get("float_out", 0) == 1;
  const at::Tensor a = random_tensor({m, k}, dtype, seed);
  const at::Tensor b = random_tensor({n, k}, dtype, seed + 1);
  const at::Tensor bias = sizes.get("bias", 0) == 1 ? random_tensor({n}, dtype, seed + 2) : at::Tensor();
  const at::Tensor c = random_tensor({m, n}, float_out ? at::kFloat : dtype, seed + 3);
  const at::Tensor activated = swiglu ? at::empty({m, n / 2}, a.options()) : at::Tensor();
  // Each set of kernels has a layout of its own.
  const auto panels = std::make_shared<std::map<const void*, at::Tensor>>();
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    at::Tensor& own = (*panels)[reinterpret_cast<const void*>(table.packed_gemm)];
    if (!own.defined()) own = packed(table, b, swiglu);
    table.packed_gemm({.a = a.data_ptr(),
                       .a_stride = k,
                       .panels = own.data_ptr(),
                       .bias = bias.defined() ? bias.data_ptr() : nullptr,
                       .c = c.data_ptr(),
                       .c_stride = n,
                       .m = m,
                       .n = n,
                       .k = k,
                       .accumulate = accumulate,
                       .float_out = float_out && dtype != at::kFloat,
                       .activated = swiglu ? activated.data_ptr() : nullptr,
                       .activated_stride = n / 2,
                       .paired = swiglu});
  };
  if (accumulate) {
    result.track_in_place("c", c);
  } else {
    result.track("c", c);
  }
  if (swiglu) result.track("activated", activated);
  const auto nbytes = [](const at::Tensor& tensor) { return tensor.defined() ? static_cast<double>(tensor.nbytes()) : 0; };
  result.bytes = nbytes(a) + nbytes(b) + nbytes(bias) + nbytes(activated) + nbytes(c) * (accumulate ? 2 : 1);
  result.flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  return result;
}

}  // namespace zero_rl::bench
