// Memory, products and rows.
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cstring>

#include "operators/cpu/cpu_operators.h"
#include "runtime/memory_budget.h"
#include "runtime/parallel.h"
#include "runtime/profiler.h"

namespace zero_rl {

namespace {

// Against weights that stay in the cache every thread decodes sequences of its own, at least so many. Else the threads share
// out the columns of every product.
constexpr int64_t kShardRows = 8;
constexpr int64_t kCopyGrain = 1 << 16;  // bytes
constexpr int64_t kAddGrain = 1 << 14;   // elements

const void* data_or_null(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr() : nullptr; }
float* floats_or_null(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

// out [M, N] = x [M, K] Wᵀ (+ bias), W packed.
kernels::PackedGemm product(const at::Tensor& x, const void* panels, const at::Tensor& bias, const at::Tensor& out) {
  return {.a = x.data_ptr(),
          .a_stride = x.stride(0),
          .panels = panels,
          .bias = data_or_null(bias),
          .c = out.data_ptr(),
          .c_stride = out.stride(0),
          .m = x.size(0),
          .n = out.size(1),
          .k = x.size(1),
          .accumulate = false,
          .float_out = out.scalar_type() == at::kFloat && x.scalar_type() != at::kFloat,
          .activated = nullptr,
          .activated_stride = 0,
          .paired = false};
}

}  // namespace

Limits CpuOperators::limits() const {
  return {.batch = 256,
          .steps_per_poll = 1,
          .pass_tokens = 8192,
          .prefill_tokens = 2048,
          .step_tokens = 4096,
          .few_step_tokens = 1024,
          .chunk_rows = 2048,
          .pass_bytes = int64_t{1} << 30};
}

int64_t CpuOperators::available_bytes() { return machine_memory().available; }

void CpuOperators::release_unused() {
  panels_->release_large_layers();
  workspace_.trim(0);
}

std::vector<std::pair<int64_t, int64_t>> CpuOperators::row_ranges(int64_t count) const {
  const int64_t most = panels_->cached() ? std::max<int64_t>(1, count / kShardRows) : 1;
  const int64_t shards = std::min<int64_t>(ThreadPool::instance().threads(), most);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t shard = 0; shard < shards; ++shard) {
    const int64_t begin = count * shard / shards;
    ranges.emplace_back(begin, count * (shard + 1) / shards - begin);
  }
  return ranges;
}

void CpuOperators::over_rows(int64_t count, const std::function<void(int64_t begin, int64_t count)>& body) {
  const auto ranges = row_ranges(count);
  std::optional<profiler::Scope> wait;  // of the thread that submits
  parallel_threads(static_cast<int>(ranges.size()), [&](int shard) {
    body(ranges[shard].first, ranges[shard].second);
    if (shard == 0) wait.emplace(profiler::Section::kWait);
  });
}

void CpuOperators::embedding(const at::Tensor& table, const at::Tensor& tokens, const at::Tensor& out) {
  kernels().embedding({.table = table.data_ptr(),
                       .tokens = tokens.data_ptr<int32_t>(),
                       .out = out.data_ptr(),
                       .count = tokens.size(0),
                       .width = out.size(1)});
}

void CpuOperators::embedding_backward(const at::Tensor& dx, const at::Tensor& tokens, const at::Tensor& dtable) {
  kernels().embedding_backward({.dx = dx.data_ptr(),
                                .tokens = tokens.data_ptr<int32_t>(),
                                .dtable = dtable.data_ptr(),
                                .float_table = dtable.scalar_type() == at::kFloat,
                                .count = tokens.size(0),
                                .width = dx.size(1)});
}

void CpuOperators::rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
                            const at::Tensor& rstd) {
  kernels().rms_norm({.x = x.data_ptr(),
                      .x_stride = x.stride(0),
                      .weight = weight.data_ptr(),
                      .y = y.data_ptr(),
                      .y_stride = y.stride(0),
                      .rstd = floats_or_null(rstd),
                      .outer = x.size(0),
                      .inner = 1,
                      .dim = x.size(1),
                      .eps = static_cast<float>(eps)});
}

void CpuOperators::rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                     const at::Tensor& rstd, const at::Tensor& dx, bool accumulate,
                                     const at::Tensor& dweight) {
  kernels().rms_norm_backward({.dy = dy.data_ptr(),
                               .dy_stride = dy.stride(0),
                               .x = x.data_ptr(),
                               .x_stride = x.stride(0),
                               .weight = weight.data_ptr(),
                               .rstd = rstd.data_ptr<float>(),
                               .dx = dx.data_ptr(),
                               .dx_stride = dx.stride(0),
                               .accumulate = accumulate,
                               .dweight = dweight.data_ptr<float>(),
                               .outer = x.size(0),
                               .inner = 1,
                               .dim = x.size(1)});
}

void CpuOperators::add(const at::Tensor& x, const at::Tensor& delta) {
  const auto apply = [&](auto* to, const auto* from) {
    parallel_ranges(x.numel(), kAddGrain, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) to[i] = to[i] + from[i];
    });
  };
  if (x.scalar_type() == at::kFloat) {
    apply(x.data_ptr<float>(), delta.data_ptr<float>());
  } else {
    apply(x.data_ptr<at::BFloat16>(), delta.data_ptr<at::BFloat16>());
  }
}

void CpuOperators::copy_columns(const at::Tensor& from, const at::Tensor& to) {
  const auto bytes = static_cast<size_t>(to.size(1)) * to.element_size();
  const auto stride = static_cast<size_t>(from.stride(0)) * from.element_size();
  const auto* source = static_cast<const char*>(from.data_ptr());
  auto* target = static_cast<char*>(to.data_ptr());
  parallel_ranges(to.size(0), 1 + kCopyGrain / static_cast<int64_t>(bytes), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) std::memcpy(target + t * bytes, source + t * stride, bytes);
  });
}

void CpuOperators::linear(const at::Tensor& x, const Linear& linear, const at::Tensor& out) {
  kernels().packed_gemm(product(x, panels_->layer(linear, false), linear.bias, out));
}

void CpuOperators::linear_add(const at::Tensor& x, const Linear& linear, const at::Tensor& residual) {
  kernels::PackedGemm gemm = product(x, panels_->layer(linear, false), linear.bias, residual);
  gemm.accumulate = true;
  kernels().packed_gemm(gemm);
}

void CpuOperators::linear_swiglu(const at::Tensor& x, const Linear& linear, const at::Tensor& gate_up,
                                 const at::Tensor& act) {
  kernels().packed_gemm({.a = x.data_ptr(),
                         .a_stride = x.stride(0),
                         .panels = panels_->layer(linear, true),
                         .bias = data_or_null(linear.bias),
                         .c = gate_up.defined() ? gate_up.data_ptr() : nullptr,
                         .c_stride = 2 * act.size(1),
                         .m = x.size(0),
                         .n = 2 * act.size(1),
                         .k = x.size(1),
                         .accumulate = false,
                         .float_out = false,
                         .activated = act.data_ptr(),
                         .activated_stride = act.size(1),
                         .paired = true});
}

void CpuOperators::logits(const at::Tensor& x, const Linear&, const at::Tensor& logits) {
  kernels().packed_gemm(product(x, panels_->head(), at::Tensor(), logits));
}

void CpuOperators::linear_again(const at::Tensor& x, const Linear& linear, const at::Tensor& out) {
  kernels().gemm({.a = x.data_ptr(),
                  .a_stride = x.stride(0),
                  .a_depth_stride = 1,
                  .b = linear.weight.data_ptr(),
                  .b_stride = linear.weight.size(1),
                  .b_depth_stride = 1,
                  .bias = data_or_null(linear.bias),
                  .c = out.data_ptr(),
                  .c_stride = out.size(1),
                  .m = x.size(0),
                  .n = linear.weight.size(0),
                  .k = x.size(1),
                  .accumulate = false,
                  .float_out = false});
}

void CpuOperators::linear_backward_input(const at::Tensor& dy, const Linear& linear, const at::Tensor& dx) {
  kernels().gemm({.a = dy.data_ptr(),
                  .a_stride = dy.stride(0),
                  .a_depth_stride = 1,
                  .b = linear.weight.data_ptr(),
                  .b_stride = 1,
                  .b_depth_stride = linear.weight.size(1),
                  .bias = nullptr,
                  .c = dx.data_ptr(),
                  .c_stride = dx.size(1),
                  .m = dy.size(0),
                  .n = linear.weight.size(1),
                  .k = dy.size(1),
                  .accumulate = false,
                  .float_out = false});
}

void CpuOperators::linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const Linear& gradient) {
  const at::Tensor& dweight = gradient.weight;
  kernels().gemm({.a = dy.data_ptr(),
                  .a_stride = 1,
                  .a_depth_stride = dy.stride(0),
                  .b = x.data_ptr(),
                  .b_stride = 1,
                  .b_depth_stride = x.stride(0),
                  .bias = nullptr,
                  .c = dweight.data_ptr(),
                  .c_stride = dweight.size(1),
                  .m = dy.size(1),
                  .n = x.size(1),
                  .k = dy.size(0),
                  .accumulate = true,
                  .float_out = dweight.scalar_type() != x.scalar_type()});
  if (!gradient.bias.defined()) return;
  kernels().column_sums({.x = dy.data_ptr(),
                         .stride = dy.stride(0),
                         .sums = gradient.bias.data_ptr<float>(),
                         .rows = dy.size(0),
                         .width = dy.size(1)});
}

void CpuOperators::swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dact) {
  kernels().swiglu_backward({.gate_up = gate_up.data_ptr(),
                             .dact = dact.data_ptr(),
                             .dgate_up = gate_up.data_ptr(),
                             .act = dact.data_ptr(),
                             .tokens = dact.size(0),
                             .width = dact.size(1)});
}

}  // namespace zero_rl
