// Memory, products and rows.
#include <ATen/ops/addmm.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>

#include <limits>

#include "device/operators.h"
#include "operators/device/device_operators.h"
#include "operators/device/optional.h"

namespace zero_rl {

namespace {

struct RuntimeScope : Operators::Scope {
  explicit RuntimeScope(std::unique_ptr<Runtime::Scope> scope) : scope(std::move(scope)) {}
  std::unique_ptr<Runtime::Scope> scope;
};

}  // namespace

std::unique_ptr<Operators::Scope> DeviceOperators::enter() { return std::make_unique<RuntimeScope>(runtime_->enter()); }

Limits DeviceOperators::limits() const {
  const int64_t tokens = runtime_->most_pass_tokens();
  return {.batch = runtime_->default_batch(),
          .steps_per_poll = 8,
          .pass_tokens = tokens,
          .prefill_tokens = tokens,
          .step_tokens = tokens,
          .few_step_tokens = tokens / 2,
          .chunk_rows = 4096,
          .pass_bytes = std::numeric_limits<int64_t>::max()};
}

void DeviceOperators::embedding(const at::Tensor& table, const at::Tensor& tokens, const at::Tensor& out) {
  operators::embedding(table, tokens, out);
}

void DeviceOperators::embedding_backward(const at::Tensor& dx, const at::Tensor& tokens, const at::Tensor& dtable) {
  const at::Tensor order = at::argsort(tokens, /*stable=*/true, /*dim=*/0, /*descending=*/false);
  operators::embedding_backward(dx, tokens, order, dtable);
}

void DeviceOperators::rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
                               const at::Tensor& rstd) {
  operators::rms_norm(x, weight, eps, y, optional(rstd));
}

void DeviceOperators::rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                        const at::Tensor& rstd, const at::Tensor& dx, bool accumulate,
                                        const at::Tensor& dweight) {
  operators::rms_norm_backward(dy, x, weight, rstd, dx, accumulate, dweight);
}

void DeviceOperators::add(const at::Tensor& x, const at::Tensor& delta) { at::Tensor(x).add_(delta); }

void DeviceOperators::copy_columns(const at::Tensor& from, const at::Tensor& to) {
  at::Tensor(to).copy_(from.narrow(1, 0, to.size(1)));
}

void DeviceOperators::linear(const at::Tensor& x, const Linear& linear, const at::Tensor& out) {
  at::Tensor result = out;
  if (linear.bias.defined()) {
    at::addmm_out(result, linear.bias, x, linear.weight.t());
  } else {
    at::mm_out(result, x, linear.weight.t());
  }
}

void DeviceOperators::linear_add(const at::Tensor& x, const Linear& linear, const at::Tensor& residual) {
  at::Tensor sum = residual;
  if (linear.bias.defined()) sum.add_(linear.bias);
  sum.addmm_(x, linear.weight.t());
}

void DeviceOperators::linear_swiglu(const at::Tensor& x, const Linear& linear, const at::Tensor& gate_up,
                                    const at::Tensor& act) {
  const at::Tensor both = gate_up.defined() ? gate_up : take({x.size(0), 2 * act.size(1)}, act.scalar_type());
  this->linear(x, linear, both);
  operators::swiglu(both, act);
}

void DeviceOperators::logits(const at::Tensor& x, const Linear& head, const at::Tensor& logits) {
  at::Tensor result = logits;
  if (x.scalar_type() == at::kFloat) {
    at::mm_out(result, x, head.weight.t());
  } else if (x.is_cuda()) {
    at::mm_out(result, x, head.weight.t(), at::kFloat);
  } else {
    at::mm_out(result, x.to(at::kFloat), head.weight.t().to(at::kFloat));
  }
}

void DeviceOperators::linear_again(const at::Tensor& x, const Linear& linear, const at::Tensor& out) {
  this->linear(x, linear, out);
}

void DeviceOperators::linear_backward_input(const at::Tensor& dy, const Linear& linear, const at::Tensor& dx) {
  at::Tensor result = dx;
  at::mm_out(result, dy, linear.weight);
}

void DeviceOperators::linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const Linear& gradient) {
  at::Tensor sum = gradient.weight;
  if (sum.scalar_type() == x.scalar_type()) {
    sum.addmm_(dy.t(), x);
  } else if (x.is_cuda()) {
    at::addmm_out(sum, sum, dy.t(), x, at::kFloat);
  } else {
    sum.addmm_(dy.t().to(at::kFloat), x.to(at::kFloat));
  }
  if (gradient.bias.defined()) operators::column_sums(dy, gradient.bias);
}

void DeviceOperators::swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dact) {
  operators::swiglu_backward(gate_up, dact);
}

void DeviceOperators::take_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) {
  at::Tensor result = to;
  at::index_select_out(result, from, 0, rows);
}

void DeviceOperators::put_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) {
  at::Tensor(to).index_copy_(0, rows, from);
}

}  // namespace zero_rl
