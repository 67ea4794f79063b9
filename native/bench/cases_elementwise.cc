// Norms, rotation, activation and embedding: kernels that read and write their operands once.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "bench/kernel_case.h"
#include "model/rope_table.h"

namespace zero_rl::bench {

namespace {

constexpr float kEps = 1e-6F;

at::Tensor like(const at::Tensor& tensor) { return at::empty(tensor.sizes(), tensor.options()); }

}  // namespace

// Sizes outer, inner (1) and dim. The rows of x lie `padding` (0) elements apart.
KernelCase rms_norm_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t outer = sizes.at("outer");
  const int64_t inner = sizes.get("inner", 1);
  const int64_t dim = sizes.at("dim");
  const int64_t stride = inner * dim + sizes.get("padding", 0);
  const at::Tensor x = random_tensor({outer, stride}, dtype, seed, 3);
  const at::Tensor weight = random_tensor({dim}, dtype, seed + 1);
  const at::Tensor y = at::empty({outer, inner * dim}, x.options());
  const at::Tensor rstd = at::empty({outer, inner}, at::TensorOptions().dtype(at::kFloat));
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.rms_norm({.x = x.data_ptr(),
                    .x_stride = stride,
                    .weight = weight.data_ptr(),
                    .y = y.data_ptr(),
                    .y_stride = inner * dim,
                    .rstd = rstd.data_ptr<float>(),
                    .outer = outer,
                    .inner = inner,
                    .dim = dim,
                    .eps = kEps});
  };
  result.track("y", y);
  result.track("rstd", rstd);
  result.bytes = 2 * bytes_of({y}) + bytes_of({weight, rstd});
  result.flops = 4.0 * static_cast<double>(y.numel());
  return result;
}

KernelCase rms_norm_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t outer = sizes.at("outer");
  const int64_t inner = sizes.get("inner", 1);
  const int64_t dim = sizes.at("dim");
  const bool accumulate = sizes.get("accumulate", 1) == 1;
  const at::Tensor x = random_tensor({outer, inner * dim}, dtype, seed, 3);
  const at::Tensor dy = random_tensor({outer, inner * dim}, dtype, seed + 1);
  const at::Tensor weight = random_tensor({dim}, dtype, seed + 2);
  const at::Tensor dx = random_tensor({outer, inner * dim}, dtype, seed + 3);
  const at::Tensor dweight = random_tensor({dim}, at::kFloat, seed + 4);
  const at::Tensor rstd =
      x.to(at::kFloat).view({outer, inner, dim}).square().mean(at::IntArrayRef{2}).add_(kEps).rsqrt_();
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.rms_norm_backward({.dy = dy.data_ptr(),
                             .dy_stride = inner * dim,
                             .x = x.data_ptr(),
                             .x_stride = inner * dim,
                             .weight = weight.data_ptr(),
                             .rstd = rstd.data_ptr<float>(),
                             .dx = dx.data_ptr(),
                             .dx_stride = inner * dim,
                             .accumulate = accumulate,
                             .dweight = dweight.data_ptr<float>(),
                             .outer = outer,
                             .inner = inner,
                             .dim = dim});
  };
  result.track_in_place("dx", dx);
  result.track_in_place("dweight", dweight);
  result.bytes = bytes_of({x, dy, weight, dx, rstd}) + (accumulate ? bytes_of({dx}) : 0);
  result.flops = 11.0 * static_cast<double>(x.numel());
  return result;
}

// Sizes tokens, heads (all that are rotated), width (of a row, at least heads · head_dim), head_dim.
KernelCase rope_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t tokens = sizes.at("tokens");
  const int64_t heads = sizes.at("heads");
  const int64_t head_dim = sizes.at("head_dim");
  const int64_t width = sizes.get("width", heads * head_dim);
  const int64_t longest = sizes.get("positions", 256);
  const float direction = sizes.get("backward", 0) == 1 ? -1.0F : 1.0F;
  const at::Tensor x = random_tensor({tokens, width}, dtype, seed);
  const auto positions = random_integers(tokens, longest, seed + 1);
  RopeTable table(RopeConfig{}, head_dim, longest, at::kCPU);
  table.reserve(longest);
  KernelCase result;
  result.run = [=](const kernels::Table& kernels) {
    kernels.rope({.x = x.data_ptr(),
                  .stride = width,
                  .positions = positions.data(),
                  .cosines = table.cosines().data_ptr<float>(),
                  .sines = table.sines().data_ptr<float>(),
                  .tokens = tokens,
                  .heads = heads,
                  .head_dim = head_dim,
                  .direction = direction});
  };
  result.track_in_place("x", x);
  const double elements = static_cast<double>(tokens * heads * head_dim);
  const double cosines_and_sines = static_cast<double>(std::min(tokens, longest) * head_dim) * 4;
  result.bytes = 2 * elements * static_cast<double>(x.element_size()) + cosines_and_sines;
  result.flops = 3 * elements;
  return result;
}

// Sizes tokens and width.
KernelCase swiglu_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t tokens = sizes.at("tokens");
  const int64_t width = sizes.at("width");
  const at::Tensor gate_up = random_tensor({tokens, 2 * width}, dtype, seed, 6);
  const at::Tensor dact = random_tensor({tokens, width}, dtype, seed + 1);
  const at::Tensor dgate_up = like(gate_up);
  const at::Tensor act = like(dact);
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.swiglu_backward({.gate_up = gate_up.data_ptr(),
                           .dact = dact.data_ptr(),
                           .dgate_up = dgate_up.data_ptr(),
                           .act = act.data_ptr(),
                           .tokens = tokens,
                           .width = width});
  };
  result.track("dgate_up", dgate_up);
  result.track("act", act);
  result.bytes = bytes_of({gate_up, dact, dgate_up, act});
  result.flops = 12.0 * static_cast<double>(dact.numel());
  return result;
}

// Sizes rows and width.
KernelCase column_sums_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t width = sizes.at("width");
  const at::Tensor x = random_tensor({rows, width}, dtype, seed);
  const at::Tensor sums = random_tensor({width}, at::kFloat, seed + 1);
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.column_sums(
        {.x = x.data_ptr(), .stride = width, .sums = sums.data_ptr<float>(), .rows = rows, .width = width});
  };
  result.track_in_place("sums", sums);
  result.bytes = bytes_of({x, sums});
  result.flops = static_cast<double>(x.numel());
  return result;
}

// Sizes vocab, count and width.
KernelCase embedding_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t count = sizes.at("count");
  const int64_t width = sizes.at("width");
  const at::Tensor table = random_tensor({sizes.at("vocab"), width}, dtype, seed);
  const auto tokens = random_integers(count, table.size(0), seed + 1);
  const at::Tensor out = at::empty({count, width}, table.options());
  KernelCase result;
  result.run = [=](const kernels::Table& kernels) {
    kernels.embedding({.table = table.data_ptr(),
                       .tokens = tokens.data(),
                       .out = out.data_ptr(),
                       .count = count,
                       .width = width});
  };
  result.track("out", out);
  result.bytes = 2 * bytes_of({out}) + 4.0 * static_cast<double>(count);
  return result;
}

KernelCase embedding_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t count = sizes.at("count");
  const int64_t width = sizes.at("width");
  const at::Tensor dx = random_tensor({count, width}, dtype, seed);
  const bool narrow = sizes.get("narrow", 0) == 1;
  const at::Tensor dtable =
      at::zeros({sizes.at("vocab"), width}, at::TensorOptions().dtype(narrow ? dtype : at::kFloat));
  const auto tokens = random_integers(count, dtable.size(0), seed + 1);
  KernelCase result;
  result.run = [=](const kernels::Table& kernels) {
    kernels.embedding_backward({.dx = dx.data_ptr(),
                                .tokens = tokens.data(),
                                .dtable = dtable.data_ptr(),
                                .float_table = !narrow,
                                .count = count,
                                .width = width});
  };
  result.track_in_place("dtable", dtable);
  const double rows = static_cast<double>(std::min(count, dtable.size(0)) * width);
  result.bytes = bytes_of({dx}) + 2 * rows * static_cast<double>(dtable.element_size());
  result.flops = static_cast<double>(dx.numel());
  return result;
}

}  // namespace zero_rl::bench
