#include "device/measure_device.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>

#include "device/runtime.h"

namespace zero_rl {

namespace {

constexpr int kRuns = 5;
constexpr int kCalls = 20;

// The best seconds of one call; a value of `result` brought to the host waits for all of them.
double seconds_of(const at::Tensor& result, const std::function<void()>& call) {
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run <= kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    result.view({-1}).narrow(0, 0, 1).cpu();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kCalls;
    if (run > 0) best = std::min(best, seconds);  // the first warms up
  }
  return best;
}

}  // namespace

DeviceCeilings measure_device(const std::string& device) {
  const std::unique_ptr<Runtime> runtime = make_runtime(device);
  const auto scope = runtime->enter();
  const bool small = runtime->device().is_cpu();
  const at::TensorOptions options = at::TensorOptions().dtype(at::kBFloat16).device(runtime->device());

  const at::Tensor from = at::empty({int64_t{1} << (small ? 24 : 30)}, options).zero_();
  const at::Tensor to = at::empty_like(from);
  const double copy = 2.0 * static_cast<double>(from.nbytes()) / seconds_of(to, [&] { to.copy_(from); });

  const int64_t n = small ? 512 : 8192;
  const at::Tensor a = at::randn({n, n}, options);
  const at::Tensor b = at::randn({n, n}, options);
  at::Tensor c = at::empty_like(a);
  const double flops = 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
  return {copy, flops / seconds_of(c, [&] { at::mm_out(c, a, b.t()); })};
}

}  // namespace zero_rl
