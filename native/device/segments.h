// How the tokens of a packed pass attend, where it runs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace zero_rl::operators {

struct Segments {
  // Of each segment, in the order of their tokens, which are all there are: begin, length, the begin and length of its prefix,
  // and how many tokens before both lie in the cache (kernels/kernels.h says what a Segment is). `flash`: with what flash
  // attention needs, as on CUDA devices.
  Segments(const std::vector<int32_t>& values, at::Device device, bool flash);
  Segments(const std::vector<int32_t>& values, at::Device device) : Segments(values, device, device.is_cuda()) {}

  at::Tensor table;  // [S, 5] int32

  // Sequences of queries and of keys that flash attention takes; int32.
  struct Part {
    at::Tensor queries;        // [Q] tokens
    at::Tensor query_offsets;  // [N + 1]
    at::Tensor keys;           // [K] tokens, or [K, 2] row of the tables and position
    at::Tensor key_offsets;    // [N + 1]
    int64_t most_queries = 0;  // of one of the N
    int64_t most_keys = 0;
  };
  struct Flash {
    at::Tensor offsets;  // [N + 1] of the segments that are not empty
    int64_t max_length = 0;
    std::optional<Part> prefixes;  // families of segments, each with its prefix
    std::optional<Part> contexts;  // segments, each with its own
  };
  std::optional<Flash> flash;
};

}  // namespace zero_rl::operators
