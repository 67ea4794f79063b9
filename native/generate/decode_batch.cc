#include "generate/decode_batch.h"

#include <algorithm>
#include <bit>

#include "runtime/profiler.h"

namespace zero_rl {

namespace {

using profiler::Section;

constexpr size_t kMostBatches = 1024;

int64_t round_up(int64_t value, int64_t tile) { return (value + tile - 1) / tile * tile; }

// The number of rows that a step of `rows` live ones runs with where steps are recorded: few numbers, since each is a graph.
int64_t row_bucket(int64_t rows, int64_t most) {
  const auto power = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rows)));
  return std::min(rows <= 8 ? power : round_up(rows, std::max<int64_t>(16, power / 8)), most);
}

// In splits of decode_attention, which are of 8 pages.
int64_t page_bucket(int64_t pages, int64_t most) {
  return std::min(std::max<int64_t>(8, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(pages)))), most);
}

}  // namespace

DecodeBatch::DecodeBatch(const Model& model, const Cache& cache, const BatchShape& shape)
    : model_(model),
      cache_(cache),
      shape_(shape),
      records_(model.operators.limits().steps_per_poll > 1),
      state_(model, shape),
      step_(model, shape.rows, shape.pages) {}

int64_t DecodeBatch::row_bytes(const Model& model, const BatchShape& shape) {
  return DecodeState::row_bytes(model, shape) + DecodeStep::row_bytes(model, shape.pages);
}

DecodeBatch::Batch& DecodeBatch::batch(int64_t rows, int64_t pages) {
  const auto [found, fresh] = batches_.try_emplace({rows, pages});
  if (fresh) {
    for (const auto& [begin, count] : model_.operators.row_ranges(rows)) {
      found->second.parts.push_back(
          {begin, {step_.slice(begin, count), state_.rows(begin, count, pages), state_.draws(begin, count)}});
    }
  }
  return found->second;
}

void DecodeBatch::step(int64_t rows, int64_t pages) {
  const profiler::Scope section(Section::kDecode);
  if (!cosines_.is_same(model_.rope.cosines()) || batches_.size() > kMostBatches) {
    batches_.clear();
    cosines_ = model_.rope.cosines();
  }
  state_.upload();
  if (!records_) {
    launch(batch(rows, shape_.pages), rows);
    return;
  }
  const int64_t bucket = row_bucket(rows, shape_.rows);
  Batch& all = batch(bucket, page_bucket(pages, shape_.pages));
  if (all.graph == nullptr && all.warm) all.graph = model_.operators.capture([&] { launch(all, bucket); });
  all.warm = true;
  if (all.graph == nullptr) {
    launch(all, bucket);
  } else {
    all.graph->replay();
  }
}

void DecodeBatch::launch(const Batch& batch, int64_t rows) {
  model_.operators.over_rows(rows, [&](int64_t begin, int64_t) {
    const auto found =
        std::find_if(batch.parts.begin(), batch.parts.end(), [&](const auto& part) { return part.first == begin; });
    const Part& part = found->second;
    step_.run(part.slice, part.rows, cache_);
    {
      const profiler::Scope section(Section::kDraw);
      model_.operators.draw(part.slice.logits, part.draws);
    }
  });
}

void DecodeBatch::draw(const at::Tensor& logits, int64_t first) {
  const profiler::Scope section(Section::kDraw);
  state_.upload();
  model_.operators.draw(logits, state_.draws(first, logits.size(0)));
}

}  // namespace zero_rl
