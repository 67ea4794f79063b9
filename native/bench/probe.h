// Loops that do nothing but read memory or multiply in registers, compiled once per instruction set. They
// give the roof that kernels are held against.
#pragma once

#include <cstdint>

namespace zero_rl::bench {

struct Probe {
  // Reads `count` floats, a multiple of 128. The sum is returned so that nothing is optimised away.
  float (*read)(const float* data, int64_t count);
  // Multiply panels that lie in the first-level cache `repeats` times; return the FLOPs done.
  double (*multiply_float32)(int64_t repeats);
  // Null where the processor has no bfloat16 products: widened bfloat16 is then multiplied as float32.
  double (*multiply_bfloat16)(int64_t repeats);
  // The same of bfloat16 by the processor's tiles; null where it has none.
  double (*multiply_tiles)(int64_t repeats);
};

}  // namespace zero_rl::bench

#define ZERO_RL_DECLARE_PROBE(isa) \
  namespace zero_rl::bench::isa {  \
  Probe probe();                   \
  }

#ifdef ZERO_RL_ISA
ZERO_RL_DECLARE_PROBE(ZERO_RL_ISA)
#endif
