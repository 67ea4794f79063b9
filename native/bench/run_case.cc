#include "bench/run_case.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "bench/on_cuda.h"
#include "kernels/fiber_group.h"
#include "kernels/recorded_set.h"
#include "kernels/reference.h"

namespace zero_rl::bench {

namespace {

const kernels::Table& table_of(const kernels::InstructionSet& set, at::ScalarType dtype) {
  return dtype == at::kFloat ? set.float32 : set.bfloat16;
}

struct Emulation {
  Emulation() { device::set_emulation(true); }
  ~Emulation() { device::set_emulation(false); }
};

double largest_difference(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor a = found.to(at::kDouble).contiguous().view({-1});
  const at::Tensor b = expected.to(at::kDouble).contiguous().view({-1});
  const double* left = a.data_ptr<double>();
  const double* right = b.data_ptr<double>();
  double squares = 0;
  for (int64_t i = 0; i < b.numel(); ++i) squares += right[i] * right[i];
  const double scale = std::sqrt(squares / static_cast<double>(std::max<int64_t>(1, b.numel())));
  double largest = 0;
  for (int64_t i = 0; i < b.numel(); ++i) {
    if (left[i] == right[i]) continue;
    const double difference = std::abs(left[i] - right[i]) / (std::abs(right[i]) + scale);
    if (std::isnan(difference)) return std::numeric_limits<double>::quiet_NaN();
    largest = std::max(largest, difference);
  }
  return largest;
}

std::vector<Difference> compare_sides(const std::vector<std::pair<std::string, at::Tensor>>& outputs,
                                      const std::vector<std::pair<at::Tensor, at::Tensor>>& restored,
                                      const std::function<void()>& kernel, const std::function<void()>& twin) {
  const auto run = [&](const std::function<void()>& side) {
    // What a side leaves unwritten must not pass as its result.
    for (const auto& [name, output] : outputs) {
      output.is_floating_point() ? output.fill_(std::numeric_limits<double>::quiet_NaN()) : output.fill_(-1);
    }
    for (const auto& [tensor, before] : restored) tensor.copy_(before);
    side();
    std::vector<at::Tensor> results;
    for (const auto& [name, output] : outputs) results.push_back(output.clone());
    return results;
  };
  const std::vector<at::Tensor> found = run(kernel);
  const std::vector<at::Tensor> expected = run(twin);
  std::vector<Difference> differences;
  for (size_t i = 0; i < found.size(); ++i) {
    differences.push_back({outputs[i].first, largest_difference(found[i], expected[i])});
  }
  return differences;
}

double seconds_of(const std::function<void()>& work, int64_t calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < calls; ++i) work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What a case is held against.
std::function<void()> other_side(const KernelCase& kernel_case, at::ScalarType dtype) {
  return [&kernel_case, dtype] {
    if (kernel_case.other) {
      kernel_case.other(table_of(kernels::active_set(), dtype));
    } else {
      kernel_case.run(kernels::reference_table(dtype));
    }
  };
}

// One side of a pair: warmed up, with the number of calls that take `seconds`.
class Side {
 public:
  Side(const std::function<void()>& work, double seconds) : work_(work) {
    const double first = seconds_of(work, 1);
    // A side that is slower than this by far is not worth the wait: its first call has to do.
    too_slow_ = first > 20 * seconds && first > 1;
    if (too_slow_) {
      times.push_back(first);
    } else {
      calls_ = std::max<int64_t>(1, static_cast<int64_t>(seconds / std::max(seconds_of(work, 1), 1e-7)));
    }
  }

  void sample() {
    if (!too_slow_) times.push_back(seconds_of(work_, calls_) / static_cast<double>(calls_));
  }

  std::vector<double> times;

 private:
  const std::function<void()>& work_;
  bool too_slow_ = false;
  int64_t calls_ = 1;
};

}  // namespace

std::vector<Difference> compare_with_twin(const KernelCase& kernel_case, at::ScalarType dtype) {
  return compare_sides(
      kernel_case.outputs, kernel_case.restored,
      [&] { kernel_case.run(table_of(kernels::active_set(), dtype)); }, other_side(kernel_case, dtype));
}

std::vector<Difference> compare_with_twin(const OperatorCase& operator_case, Runner runner) {
  const std::function<void()> emulated = [&] {
    const Emulation emulation;
    operator_case.run();
  };
  const std::function<void()> moved = [&] { on_cuda(operator_names(), operator_case.run); };
  const auto& run = runner == Runner::kCuda ? moved : runner == Runner::kEmulation ? emulated : operator_case.run;
  return compare_sides(operator_case.outputs, operator_case.restored, run, operator_case.twin);
}

CaseTimes time_case(const KernelCase& kernel_case, at::ScalarType dtype, int samples, double seconds,
                    const AbortFlag& abort) {
  if (samples == 0) return {};
  const std::function<void()> kernel = [&] { kernel_case.run(table_of(kernels::active_set(), dtype)); };
  const std::function<void()> twin = kernel_case.twin ? kernel_case.twin : other_side(kernel_case, dtype);
  Side ours(kernel, seconds);
  Side theirs(twin, seconds);
  for (int sample = 0; sample < samples; ++sample) {
    abort.check();
    ours.sample();
    theirs.sample();
  }
  return {std::move(ours.times), std::move(theirs.times)};
}

}  // namespace zero_rl::bench
