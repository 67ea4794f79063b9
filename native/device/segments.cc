#include "device/segments.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <utility>

#include "kernels/attention.cuh"

namespace zero_rl::operators {

namespace {

constexpr int64_t kColumns = 5;

// A part while it is put together.
struct PartLists {
  std::vector<int32_t> queries;
  std::vector<int32_t> query_offsets{0};
  std::vector<int32_t> keys;
  std::vector<int32_t> key_offsets{0};
  int64_t key_columns = 1;

  int64_t key_count() const { return static_cast<int64_t>(keys.size()) / key_columns; }
  void end() {
    query_offsets.push_back(static_cast<int32_t>(queries.size()));
    key_offsets.push_back(static_cast<int32_t>(key_count()));
  }
};

void append_range(std::vector<int32_t>& to, int32_t begin, int32_t length) {
  for (int32_t i = 0; i < length; ++i) to.push_back(begin + i);
}

int64_t longest(const std::vector<int32_t>& offsets) {
  int64_t most = 0;
  for (size_t i = 1; i < offsets.size(); ++i) most = std::max<int64_t>(most, offsets[i] - offsets[i - 1]);
  return most;
}

// Lists that go to the device in one copy.
class Upload {
 public:
  void add(at::Tensor& to, const std::vector<int32_t>& values) {
    places_.push_back({&to, static_cast<int64_t>(all_.size()), static_cast<int64_t>(values.size())});
    all_.insert(all_.end(), values.begin(), values.end());
  }
  void run(at::Device device) {
    const auto options = at::TensorOptions().dtype(at::kInt);
    const at::Tensor whole = at::empty({static_cast<int64_t>(all_.size())}, options.device(device));
    whole.copy_(at::from_blob(all_.data(), whole.sizes(), options));
    for (const Place& place : places_) *place.to = whole.narrow(0, place.begin, place.length);
  }

 private:
  struct Place {
    at::Tensor* to;
    int64_t begin;
    int64_t length;
  };
  std::vector<Place> places_;
  std::vector<int32_t> all_;
};

void add_part(const PartLists& lists, std::optional<Segments::Part>& to, Upload& upload) {
  if (lists.queries.empty()) return;
  to.emplace();
  to->most_queries = longest(lists.query_offsets);
  to->most_keys = longest(lists.key_offsets);
  upload.add(to->queries, lists.queries);
  upload.add(to->query_offsets, lists.query_offsets);
  upload.add(to->keys, lists.keys);
  upload.add(to->key_offsets, lists.key_offsets);
}

}  // namespace

Segments::Segments(const std::vector<int32_t>& values, at::Device device, bool with_flash) {
  const auto count = static_cast<int64_t>(values.size()) / kColumns;
  Upload upload;
  upload.add(table, values);
  if (with_flash) {
    flash.emplace();
    std::vector<int32_t> offsets{0};
    PartLists prefixes;
    PartLists contexts;
    contexts.key_columns = 2;
    for (int64_t s = 0; s < count; ++s) {
      const int32_t* row = values.data() + s * kColumns;
      const device::PackedSegment segment{row[0], row[1], row[2], row[3], row[4]};
      if (segment.length == 0) continue;
      offsets.push_back(segment.begin + segment.length);
      if (segment.prefix_length > 0) {
        // Segments of one family follow each other, and so do their tokens.
        const bool begins = prefixes.queries.empty() || prefixes.keys.back() != segment.prefix_begin + segment.prefix_length - 1 ||
                            prefixes.key_count() - *(prefixes.key_offsets.end() - 2) != segment.prefix_length;
        if (begins) {
          append_range(prefixes.keys, segment.prefix_begin, segment.prefix_length);
        } else {
          prefixes.query_offsets.pop_back();
          prefixes.key_offsets.pop_back();
        }
        append_range(prefixes.queries, segment.begin, segment.length);
        prefixes.end();
      }
      if (segment.context_length > 0) {
        for (int32_t position = 0; position < segment.context_length; ++position) {
          contexts.keys.insert(contexts.keys.end(), {static_cast<int32_t>(s), position});
        }
        append_range(contexts.queries, segment.begin, segment.length);
        contexts.end();
      }
    }
    flash->max_length = longest(offsets);
    upload.add(flash->offsets, offsets);
    add_part(prefixes, flash->prefixes, upload);
    add_part(contexts, flash->contexts, upload);
  }
  upload.run(device);
  table = table.view({count, kColumns});
  if (with_flash && flash->contexts) flash->contexts->keys = flash->contexts->keys.view({-1, 2});
}

}  // namespace zero_rl::operators
