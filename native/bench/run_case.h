// Runs a kernel case: against its twin for the difference, in turn with it for the time.
#pragma once

#include <string>
#include <vector>

#include "bench/kernel_case.h"
#include "bench/operator_case.h"
#include "runtime/abort_flag.h"

namespace zero_rl::bench {

struct Difference {
  std::string output;
  // Largest |kernel − twin| / (|twin| + root mean square of the twin); NaN where one of them is not a number
  // and the other is.
  double largest;
};

struct CaseTimes {
  std::vector<double> kernel;  // seconds of one call, one value per sample
  std::vector<double> twin;
};

std::vector<Difference> compare_with_twin(const KernelCase& kernel_case, at::ScalarType dtype);
// Where an operator runs: on the CPU with one thread for each block, there with the threads that the device has
// (kernels/fiber_group.h), or on a CUDA device.
enum class Runner { kSerial, kEmulation, kCuda };
std::vector<Difference> compare_with_twin(const OperatorCase& operator_case, Runner runner);

// `samples` pairs in turn, each side as many calls as take `seconds`; operands are as warm as their size allows. A
// side whose first call takes over a second and over 20 · `seconds` is not called again and has that one time.
CaseTimes time_case(const KernelCase& kernel_case, at::ScalarType dtype, int samples, double seconds,
                    const AbortFlag& abort);

}  // namespace zero_rl::bench
