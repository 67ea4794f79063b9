// The operators for CPU tensors: the very bodies of the CUDA kernels, for the engine's tests and as the twin of the device.
#include "device/attention_operators.h"
#include "device/cpu_launch.h"
#include "device/decode_operators.h"
#include "device/parameter_operators.h"
#include "device/row_operators.h"
#include "device/token_operators.h"

namespace zero_rl::operators {

TORCH_LIBRARY_IMPL(zero_rl, CPU, library) {
  RowOperators<CpuLaunch>::implement(library);
  AttentionOperators<CpuLaunch>::implement(library);
  DecodeOperators<CpuLaunch>::implement(library);
  TokenOperators<CpuLaunch>::implement(library);
  ParameterOperators<CpuLaunch>::implement(library);
}

}  // namespace zero_rl::operators
