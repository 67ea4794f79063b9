// Splits [0, n) into one contiguous range per thread. The split depends on the thread count only, so a
// run with the same number of threads repeats exactly. The body must not throw.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace zero_rl {

// grain: the least items worth a thread. body(begin, end, thread).
template <class Body>
inline void parallel_ranges(int64_t n, int64_t grain, const Body& body) {
  const int64_t wanted = std::max<int64_t>(1, n / std::max<int64_t>(1, grain));
  const int threads = static_cast<int>(std::min<int64_t>(omp_get_max_threads(), wanted));
  if (threads <= 1) {
    body(int64_t{0}, n, 0);
    return;
  }
#pragma omp parallel num_threads(threads)
  {
    const int64_t count = omp_get_num_threads();
    const int64_t index = omp_get_thread_num();
    body(n * index / count, n * (index + 1) / count, static_cast<int>(index));
  }
}

}  // namespace zero_rl
