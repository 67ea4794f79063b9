// Operators over rows beside their ATen twins.
#include <ATen/ops/argsort.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>

#include "bench/operator_case.h"
#include "device/operators.h"
#include "kernels/reference.h"

namespace zero_rl::bench {

namespace {

constexpr float kEps = 1e-6F;
const auto kFloatOptions = at::TensorOptions().dtype(at::kFloat);

// Sizes vocab, count, width.
OperatorCase embedding(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t count = sizes.at("count");
  const at::Tensor table = random_tensor({sizes.at("vocab"), sizes.at("width")}, dtype, seed);
  const at::Tensor tokens = integer_tensor(count, table.size(0), seed + 1);
  const at::Tensor out = at::empty({count, table.size(1)}, table.options());
  OperatorCase result;
  result.run = [=] { operators::embedding(table, tokens, out); };
  result.twin = [=] { out.copy_(table.index_select(0, tokens)); };
  result.track("out", out);
  return result;
}

// Sizes vocab, count, width, narrow (0).
OperatorCase embedding_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t count = sizes.at("count");
  const int64_t width = sizes.at("width");
  const bool narrow = sizes.get("narrow", 0) == 1;
  const at::Tensor dx = random_tensor({count, width}, dtype, seed);
  const at::Tensor dtable = random_tensor({sizes.at("vocab"), width}, narrow ? dtype : at::kFloat, seed + 1);
  const at::Tensor tokens = integer_tensor(count, dtable.size(0), seed + 2);
  const at::Tensor order = at::argsort(tokens, /*stable=*/true, /*dim=*/0);
  OperatorCase result;
  result.run = [=] { operators::embedding_backward(dx, tokens, order, dtable); };
  result.twin = [=] {
    dtable.copy_(dtable.to(at::kFloat).index_add_(0, tokens, dx.to(at::kFloat)));
  };
  result.track_in_place("dtable", dtable);
  return result;
}

// Rows whose stride exceeds their width.
at::Tensor padded_rows(int64_t rows, int64_t width, int64_t padding, at::ScalarType dtype, uint64_t seed, double scale) {
  return random_tensor({rows, width + padding}, dtype, seed, scale).narrow(1, 0, width);
}

// Sizes rows, width, padding (0).
OperatorCase rms_norm(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t width = sizes.at("width");
  const at::Tensor x = padded_rows(rows, width, sizes.get("padding", 0), dtype, seed, 3);
  const at::Tensor weight = random_tensor({width}, dtype, seed + 1);
  const at::Tensor y = padded_rows(rows, width, sizes.get("padding", 0), dtype, seed, 3);
  const at::Tensor rstd = at::empty({rows}, kFloatOptions);
  OperatorCase result;
  result.run = [=] { operators::rms_norm(x, weight, kEps, y, rstd); };
  result.twin = [=] {
    const at::Tensor values = x.to(at::kFloat);
    rstd.copy_(values.square().mean(at::IntArrayRef{1}).add(kEps).rsqrt());
    y.copy_(values * rstd.unsqueeze(1) * weight.to(at::kFloat));
  };
  result.track("y", y);
  result.track("rstd", rstd);
  return result;
}

// Sizes rows, width, padding (0), accumulate (0).
OperatorCase rms_norm_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t width = sizes.at("width");
  const int64_t padding = sizes.get("padding", 0);
  const bool accumulate = sizes.get("accumulate", 0) == 1;
  const at::Tensor x = padded_rows(rows, width, padding, dtype, seed, 3);
  const at::Tensor dy = padded_rows(rows, width, padding, dtype, seed + 1, 1);
  const at::Tensor dx = padded_rows(rows, width, padding, dtype, seed + 2, 1);
  const at::Tensor weight = random_tensor({width}, dtype, seed + 3);
  const at::Tensor dweight = random_tensor({width}, at::kFloat, seed + 4);
  const at::Tensor rstd = at::rsqrt(x.to(at::kFloat).square().mean(at::IntArrayRef{1}).add(kEps));
  OperatorCase result;
  result.run = [=] { operators::rms_norm_backward(dy, x, weight, rstd, dx, accumulate, dweight); };
  result.twin = [=] {
    kernels::reference_table(dtype).rms_norm_backward({.dy = dy.data_ptr(),
                                    .dy_stride = dy.stride(0),
                                    .x = x.data_ptr(),
                                    .x_stride = x.stride(0),
                                    .weight = weight.data_ptr(),
                                    .rstd = rstd.data_ptr<float>(),
                                    .dx = dx.data_ptr(),
                                    .dx_stride = dx.stride(0),
                                    .accumulate = accumulate,
                                    .dweight = dweight.data_ptr<float>(),
                                    .outer = rows,
                                    .inner = 1,
                                    .dim = width});
  };
  result.track_in_place("dx", dx);
  result.track_in_place("dweight", dweight);
  return result;
}

// Sizes rows, width.
OperatorCase swiglu(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t width = sizes.at("width");
  const at::Tensor gate_up = random_tensor({sizes.at("rows"), 2 * width}, dtype, seed, 6);
  const at::Tensor act = at::empty({sizes.at("rows"), width}, gate_up.options());
  OperatorCase result;
  result.run = [=] { operators::swiglu(gate_up, act); };
  result.twin = [=] {
    const at::Tensor wide = gate_up.to(at::kFloat);
    act.copy_(at::silu(wide.narrow(1, 0, width)) * wide.narrow(1, width, width));
  };
  result.track("act", act);
  return result;
}

// Sizes rows, width.
OperatorCase swiglu_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t width = sizes.at("width");
  const at::Tensor gate_up = random_tensor({rows, 2 * width}, dtype, seed, 6);
  const at::Tensor dact = random_tensor({rows, width}, dtype, seed + 1);
  OperatorCase result;
  result.run = [=] { operators::swiglu_backward(gate_up, dact); };
  result.twin = [=] {
    kernels::reference_table(dtype).swiglu_backward({.gate_up = gate_up.data_ptr(),
                                  .dact = dact.data_ptr(),
                                  .dgate_up = gate_up.data_ptr(),
                                  .act = dact.data_ptr(),
                                  .tokens = rows,
                                  .width = width});
  };
  result.track_in_place("gate_up", gate_up);
  result.track_in_place("dact", dact);
  return result;
}

// Sizes rows, width, padding (0).
OperatorCase column_sums(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t width = sizes.at("width");
  const at::Tensor x = padded_rows(sizes.at("rows"), width, sizes.get("padding", 0), dtype, seed, 1);
  const at::Tensor sums = random_tensor({width}, at::kFloat, seed + 1);
  OperatorCase result;
  result.run = [=] { operators::column_sums(x, sums); };
  result.twin = [=] { sums.add_(x.to(at::kFloat).sum(0)); };
  result.track_in_place("sums", sums);
  return result;
}

}  // namespace

OperatorMakers row_operator_makers() {
  return {{"embedding", embedding},
          {"embedding_backward", embedding_backward},
          {"rms_norm", rms_norm},
          {"rms_norm_backward", rms_norm_backward},
          {"swiglu", swiglu},
          {"swiglu_backward", swiglu_backward},
          {"column_sums", column_sums}};
}

}  // namespace zero_rl::bench
