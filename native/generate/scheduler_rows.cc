// The scheduler's memory: rows, pages, and who gives them up.
#include <algorithm>

#include "generate/scheduler.h"
#include "runtime/error.h"

namespace zero_rl {

namespace {

// On a device a cache serves so many full batches of a request's longest sequences, and takes this part of what there is at
// least. On the CPU memory is taken when it is first written, so that the cache may be as large as it could ever be.
constexpr int64_t kBatches = 2;
constexpr int64_t kDevicePart = 2;
constexpr int64_t kMostPages = int64_t{1} << 18;
constexpr int64_t kRowsPart = 2;  // rows take at most this part of the memory

Error too_small(const PageCache& cache) {
  return out_of_memory_error("A sequence needs more than the " + std::to_string(cache.pages() * kPageTokens) +
                             " tokens that the memory for keys and values holds; raise memoryMiB, or lower maxTokens or the "
                             "length of the prompt");
}

}  // namespace

int64_t Scheduler::row_limit(const LiveRequest& live) const {
  const int64_t asked = live.request().max_batch;
  return std::min(asked > 0 ? asked : model_.operators.limits().batch, most_rows_);
}

int64_t Scheduler::row_limit() const {
  int64_t most = 0;
  for (const LiveRequest& request : requests_) most = std::max(most, row_limit(request));
  return most;
}

void Scheduler::reserve_cache(const LiveRequest& live, const std::function<int64_t()>& bytes) {
  if (!requests_.empty()) return;
  const bool on_device = !model_.operators.device().is_cpu();
  if (cache_ == nullptr || on_device) bytes_ = bytes();
  const int64_t page_bytes = model_.operators.page_bytes(model_.description, model_.dtype());
  const int64_t pages = live.pages;
  const int64_t row_bytes = DecodeBatch::row_bytes(
      model_, {.rows = 1,
               .pages = pages,
               .stop_tokens = static_cast<int64_t>(live.request().stop_tokens.size()),
               .kept = live.records_kept});
  most_rows_ = std::max<int64_t>(1, bytes_ / kRowsPart / row_bytes);
  const int64_t rows = row_limit(live);
  const int64_t most_pages = std::clamp<int64_t>((bytes_ - rows * row_bytes) / page_bytes, 1, kMostPages);
  const int64_t wanted =
      on_device ? std::min(most_pages, std::max(kBatches * rows * pages, most_pages / kDevicePart)) : most_pages;
  if (cache_ != nullptr && (!on_device || cache_->pages() >= wanted)) return;
  release();
  cache_ = std::make_unique<PageCache>(model_, wanted);
}

int64_t Scheduler::held_bytes() const {
  if (cache_ == nullptr) return 0;
  const int64_t page_bytes = model_.operators.page_bytes(model_.description, model_.dtype());
  const int64_t pages = model_.operators.device().is_cpu() ? cache_->touched_bytes() : cache_->pages() * page_bytes;
  return pages + (batch_ == nullptr ? 0 : batch_->shape().rows * DecodeBatch::row_bytes(model_, batch_->shape()));
}

void Scheduler::release() {
  if (!idle()) return;
  batch_.reset();
  cache_.reset();
  model_.operators.release_unused();
}

BatchShape Scheduler::shape_for(int64_t rows) const {
  BatchShape shape{.rows = rows};
  for (const LiveRequest& live : requests_) {
    const GenerateRequest& request = live.request();
    shape.pages = std::max(shape.pages, live.pages);
    shape.stop_tokens = std::max<int64_t>(shape.stop_tokens, static_cast<int64_t>(request.stop_tokens.size()));
    shape.kept = shape.kept || live.records_kept;
  }
  return shape;
}

DecodeState::Row Scheduler::row_of(const Sequence& sequence) const {
  const GenerateRequest& request = sequence.owner->request();
  return {.token = sequence.completion.tokens.empty() ? 0 : sequence.completion.tokens.back(),
          .position = static_cast<int32_t>(sequence.prompt_length() + sequence.drawn() - 1),
          .count = static_cast<int32_t>(sequence.drawn()),
          .sample = static_cast<int32_t>(sequence.completion.sample),
          .limit = sequence.limit,
          .uid = request.uids[sequence.completion.prompt],
          .sampler = &request.sampler,
          .stop_tokens = request.stop_tokens,
          .pages = sequence.pages};
}

void Scheduler::reserve_rows(int64_t rows) {
  BatchShape shape = shape_for(rows);
  if (batch_ != nullptr && batch_->shape().covers(shape)) return;
  if (batch_ != nullptr) {
    const BatchShape& old = batch_->shape();
    if (rows > old.rows) shape.rows = std::max(rows, std::min(2 * old.rows, row_limit()));
    shape.rows = std::max(shape.rows, old.rows);
    if (shape.pages > old.pages) shape.pages = std::max(shape.pages, std::min(2 * old.pages, pages_of(model_.description.max_positions)));
    shape.pages = std::max(shape.pages, old.pages);
    shape.stop_tokens = std::max(shape.stop_tokens, old.stop_tokens);
    shape.kept = shape.kept || old.kept;
  }
  batch_.reset();
  batch_ = std::make_unique<DecodeBatch>(model_, cache_->memory(), shape);
  for (size_t i = 0; i < rows_.size(); ++i) batch_->state().set(static_cast<int64_t>(i), row_of(rows_[i]));
}

// The last token that was drawn has not been read, so its key and value are not there.
void Scheduler::vacate(Sequence& sequence) {
  const std::vector<int32_t> tokens = sequence.tokens();
  cache_->tree().insert(std::span(tokens).first(tokens.size() - 1), sequence.pages);
  cache_->release(sequence.pages);
}

void Scheduler::preempt(size_t row) {
  Sequence sequence = std::move(rows_[row]);
  rows_[row].owner = nullptr;
  vacate(sequence);
  --sequence.owner->rows;
  ++sequence.owner->preempted;
  const auto place = std::upper_bound(preempted_.begin(), preempted_.end(), sequence,
                                      [](const Sequence& a, const Sequence& b) { return a.rank < b.rank; });
  preempted_.insert(place, std::move(sequence));
  std::vector<bool> gone(rows_.size());
  gone[row] = true;
  remove_rows(gone);
}

int64_t Scheduler::last_row_behind(const Rank& rank) const {
  int64_t last = -1;
  for (int64_t i = 0; i < live(); ++i) {
    if (rank < rows_[i].rank && (last < 0 || rows_[last].rank < rows_[i].rank)) last = i;
  }
  return last;
}

bool Scheduler::make_room(const Rank& rank) {
  for (auto context = contexts_.rbegin(); context != contexts_.rend() && rank < context->rank; ++context) {
    if (context->pages.empty()) continue;
    context->reset(*cache_);
    return true;
  }
  const int64_t row = last_row_behind(rank);
  if (row < 0) return false;
  preempt(static_cast<size_t>(row));
  return true;
}

void Scheduler::reserve_pages(int64_t steps) {
  DecodeState& state = batch_->state();
  // By rank: who gives way has not been looked at, or is looked at again.
  for (size_t i = 0; i < rows_.size();) {
    const int64_t last = state.position(static_cast<int64_t>(i)) +
                         std::min<int64_t>(steps, rows_[i].limit - rows_[i].drawn()) - 1;
    const Rank rank = rows_[i].rank;
    bool kept = true;
    while (kept && static_cast<int64_t>(rows_[i].pages.size()) < pages_of(last + 1)) {
      const int32_t page = cache_->take();
      if (page >= 0) {
        state.set_page(static_cast<int64_t>(i), static_cast<int64_t>(rows_[i].pages.size()), page);
        rows_[i].pages.push_back(page);
        continue;
      }
      const size_t before = rows_.size();
      const int64_t victim = last_row_behind(rank);
      if (make_room(rank)) {
        if (rows_.size() < before && victim < static_cast<int64_t>(i)) --i;
        continue;
      }
      kept = false;
      const bool alone = rows_.size() == 1 && std::all_of(contexts_.begin(), contexts_.end(), [](const Context& context) {
                           return context.pages.empty();
                         });
      if (alone) rows_[i].owner->error = std::make_exception_ptr(too_small(*cache_));
      preempt(i);
    }
    if (kept) ++i;
  }
}

void Scheduler::relieve() {
  const auto head = std::find_if(contexts_.begin(), contexts_.end(), [](const Context& context) { return context.owner->claim > 0; });
  for (auto context = contexts_.rbegin(); context != contexts_.rend(); ++context) {
    if (context->pages.empty() || &*context == &*head) continue;
    context->reset(*cache_);
    return;
  }
  head->owner->error = std::make_exception_ptr(too_small(*cache_));
}

}  // namespace zero_rl
