// What this machine can do at best, measured in this process with the threads of the engine: the roof that
// benchmarks are held against.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/abort_flag.h"

namespace zero_rl::bench {

struct Bandwidth {
  int64_t bytes;  // working set of all threads together
  double read;    // bytes/s, each thread its own slice
  double copy;    // bytes/s of memcpy, bytes read and written
};

struct Peak {
  double own;   // FLOP/s of register-blocked products on panels in the first-level cache
  double aten;  // FLOP/s of the best square at::mm tried; higher than `own` only with matrix units
  double tiles = 0;  // FLOP/s of the matrix units alone, on squares in the first-level cache; 0 where there are none
};

struct Machine {
  std::vector<Bandwidth> bandwidth;  // by growing working set; the last lies beyond the last-level cache
  Peak float32;
  Peak bfloat16;
  double fork_join;  // seconds of a parallel region with nothing in it
};

// The best of `samples` measurements of each quantity, 10 ms or so each. Allocates up to 1 GiB meanwhile.
Machine measure_machine(int samples, const AbortFlag& abort);

}  // namespace zero_rl::bench
