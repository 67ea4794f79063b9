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
  std::vector<int32_t> places;
  std::vector<int32_t> rows;
  for (kernels::Segment segment : packed.segments) {
    for (const int64_t value : {segment.begin, segment.length, segment.prefix_begin, segment.prefix_length,
                                segment.context_length}) {
      places.push_back(static_cast<int32_t>(value));
    }
    max_length = std::max(max_length, segment.length);
    positions_end = std::max(positions_end, segment.context_length + segment.prefix_length + segment.length);
    if (use != nullptr) {
      const int32_t* table = use->tables.data() + static_cast<int64_t>(runs.size()) * use->pages;
      rows.insert(rows.end(), segment.length, static_cast<int32_t>(runs.size()));
      for (int64_t t = segment.begin; t < segment.begin + segment.length; ++t) {
        pages.push_back(table[packed.positions[t] / kPageTokens]);
        slots.push_back(static_cast<int32_t>(packed.positions[t] % kPageTokens));
      }
      segment.context_table = table;
    }
    runs.push_back(segment);
  }
  const auto segment_count = static_cast<int64_t>(runs.size());
  segments = operators.upload(places).view({segment_count, 5});
  if (use == nullptr) return;
  tables = operators.upload(use->tables).view({segment_count, use->pages});
  table_rows = operators.upload(rows);
}

}  // namespace zero_rl
