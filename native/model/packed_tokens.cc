#include "model/packed_tokens.h"

#include <algorithm>

#include "operators/operators.h"

namespace zero_rl {

namespace {

kernels::Segment append_tokens(PackedTokens& packed, kernels::Segment segment, const int32_t* data) {
  segment.begin = packed.count();
  const int64_t first = segment.context_length + segment.prefix_length;
  packed.tokens.insert(packed.tokens.end(), data, data + segment.length);
  for (int64_t i = 0; i < segment.length; ++i) packed.positions.push_back(static_cast<int32_t>(first + i));
  packed.segments.push_back(segment);
  return segment;
}

}  // namespace

kernels::Segment PackedTokens::append(const int32_t* data, int64_t length, int64_t context) {
  kernels::Segment segment{};
  segment.length = length;
  segment.context_length = context;
  return append_tokens(*this, segment, data);
}

kernels::Segment PackedTokens::append_after(const kernels::Segment& beginning, const int32_t* data, int64_t length) {
  kernels::Segment segment{};
  segment.length = length;
  segment.prefix_begin = beginning.begin;
  segment.prefix_length = beginning.length;
  return append_tokens(*this, segment, data);
}

PackedBatch::PackedBatch(const Operators& operators, const PackedTokens& packed, const CacheUse* use)
    : packed(packed),
      use(use),
      count(packed.count()),
      tokens(operators.upload(packed.tokens)),
      positions(operators.upload(packed.positions)) {
  for (const kernels::Segment& segment : packed.segments) {
    positions_end = std::max(positions_end, segment.context_length + segment.prefix_length + segment.length);
  }
  operators.bind(*this);
}

}  // namespace zero_rl
