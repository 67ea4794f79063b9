// Functions that run in CUDA kernels and on the host alike.
#pragma once

#ifdef __CUDACC__
#define ZERO_RL_HOST_DEVICE __host__ __device__
#else
#define ZERO_RL_HOST_DEVICE
#endif

// A condition on operands that only debug builds check, inside kernels too.
#if defined(ZERO_RL_DEBUG) || !defined(NDEBUG)
#ifdef __CUDA_ARCH__
#include <cassert>
#define ZERO_RL_DEBUG_CHECK(condition) assert(condition)
#else
#include <cstdio>
#include <cstdlib>
#define ZERO_RL_DEBUG_CHECK(condition)                                                       \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);     \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
#endif
#else
#define ZERO_RL_DEBUG_CHECK(condition) static_cast<void>(0)
#endif
