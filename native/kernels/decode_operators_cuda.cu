#include "device/decode_operators.h"
#include "kernels/cuda_launch.cuh"

namespace zero_rl::operators {

TORCH_LIBRARY_IMPL(zero_rl, CUDA, library) { DecodeOperators<CudaLaunch>::implement(library); }

}  // namespace zero_rl::operators
