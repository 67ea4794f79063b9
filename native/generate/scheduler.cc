#include "generate/scheduler.h"

#include <ATen/ops/index_select.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "model/kept_sets.h"
#include "runtime/error.h"
#include "runtime/profiler.h"

namespace zero_rl {

namespace {

constexpr int64_t kDrawBytes = int64_t{64} << 20;  // of logits that first tokens are drawn from at once

}  // namespace

void Scheduler::submit(Submission submission, const std::function<int64_t()>& bytes) {
  LiveRequest live{.submission = std::move(submission)};
  const GenerateRequest& request = live.request();
  const int64_t longest = std::min(request.longest_prompt() + request.max_tokens, model_.description.max_positions);
  live.left = live.unopened();
  live.pages = pages_of(longest);
  live.truncated = request.sampler.truncated(model_.description.vocab_size);
  live.records_kept = request.sampler.records_kept(model_.description.vocab_size);
  reserve_cache(live, bytes);
  if (version_ != model_.parameters.version()) {
    cache_->tree().clear();
    version_ = model_.parameters.version();
  }
  model_.operators.prepare_decoding();
  model_.rope.reserve(longest);
  requests_.push_back(std::move(live));
}

bool Scheduler::tick() {
  const profiler::Scope section(profiler::Section::kSample);
  for (LiveRequest& live : requests_) {
    if (live.submission.abort->is_set()) live.error = std::make_exception_ptr(aborted_error());
  }
  end_failed();
  admit();
  if (!rows_.empty()) decode();
  end_failed();
  deliver();
  return !requests_.empty();
}

// ---- Joining

// Free rows go one by one to the request that has the fewest, those of low priority last. Where sequences of normal priority
// find no row, such of low priority give theirs up.
void Scheduler::claim_rows() {
  int64_t free = row_limit() - live();
  const auto waiting = [&](const LiveRequest& request) {
    return std::min(request.opened + request.unopened(), row_limit(request) - request.rows);
  };
  int64_t wanted = 0;
  for (LiveRequest& request : requests_) {
    request.claim = 0;
    if (!request.low()) wanted += std::max<int64_t>(0, waiting(request));
  }
  while (free < wanted && preempt_low()) ++free;
  for (const bool low : {false, true}) {
    while (free > 0) {
      LiveRequest* least = nullptr;
      for (LiveRequest& request : requests_) {
        if (request.low() != low || request.claim >= waiting(request)) continue;
        if (least == nullptr || request.rows + request.claim < least->rows + least->claim) least = &request;
      }
      if (least == nullptr) break;
      ++least->claim;
      --free;
    }
  }
}

void Scheduler::open() {
  for (LiveRequest& request : requests_) {
    while (request.opened < request.claim && request.unopened() > 0) open_context(request);
  }
}

void Scheduler::open_context(LiveRequest& request) {
  Context context{.owner = &request};
  if (request.preempted > 0) {
    const auto first = std::find_if(preempted_.begin(), preempted_.end(),
                                    [&](const Sequence& sequence) { return sequence.owner == &request; });
    context.rank = first->rank;
    context.tokens = first->tokens();
    context.preempted = std::move(*first);
    preempted_.erase(first);
    --request.preempted;
  } else {
    const int64_t prompt = request.next_prompt++;
    const auto tokens = request.prompt(prompt);
    context.rank = {.low = request.low(), .order = next_order_++, .sample = 0};
    context.tokens.assign(tokens.begin(), tokens.end());
    context.prompt = prompt;
    context.end_sample = request.request().samples;
  }
  request.opened += context.members();
  const auto place = std::upper_bound(contexts_.begin(), contexts_.end(), context,
                                      [](const Context& a, const Context& b) { return a.rank < b.rank; });
  contexts_.insert(place, std::move(context));
}

// One pass over the contexts that have rows to go to; returns its tokens, or −1 where a request was aborted meanwhile.
int64_t Scheduler::prefill(int64_t most_tokens) {
  Prefill pass(model_, *cache_, most_tokens, live());  // every row may need a page soon
  for (Context& context : contexts_) {
    if (context.ready() || context.owner->claim == 0) continue;
    Prefill::Added added = pass.add(context);
    while (added == Prefill::Added::kNoPages && !context.rank.low && preempt_low()) added = pass.add(context);
    if (added != Prefill::Added::kSome) break;
  }
  try {
    pass.run();
  } catch (const Error& error) {
    if (error.code() != aborted_error().code()) throw;
    return -1;
  }
  return pass.tokens();
}

// The last row of low priority, if there is one.
bool Scheduler::preempt_low() {
  const int64_t row = last_row_behind({.low = false, .order = ~uint64_t{0}, .sample = 0});
  if (row < 0) return false;
  preempt(static_cast<size_t>(row));
  return true;
}

bool Scheduler::seat() {
  const int64_t first = live();
  std::vector<std::pair<at::Tensor, int64_t>> logits;
  for (auto context = contexts_.begin(); context != contexts_.end();) {
    LiveRequest& request = *context->owner;
    while (context->ready() && request.claim > 0 && context->members() > 0) {
      Sequence sequence;
      const bool last = context->members() == 1;
      // A page that is not full is copied for all samples but the last, which write on behind the prompt.
      const bool part = context->length() % kPageTokens != 0;
      if (part && !last && cache_->available() == 0) break;
      if (context->preempted) {
        sequence = std::move(*context->preempted);
        context->preempted.reset();
      } else {
        const GenerateRequest& asked = request.request();
        sequence.owner = &request;
        sequence.rank = {.low = context->rank.low, .order = context->rank.order, .sample = context->next_sample};
        sequence.completion.prompt = context->prompt;
        sequence.completion.sample = asked.first_sample + context->next_sample++;
        sequence.limit =
            static_cast<int32_t>(std::min(asked.max_tokens, model_.description.max_positions - context->length()));
      }
      sequence.pages = last ? std::exchange(context->pages, {}) : context->pages;
      if (!last) {
        for (const int32_t page : sequence.pages) cache_->hold(page);
        if (part) sequence.pages.back() = cache_->take_copy(sequence.pages.back());
      }
      logits.emplace_back(context->logits, context->logits_row);
      rows_.push_back(std::move(sequence));
      ++request.rows;
      --request.opened;
      --request.claim;
      if (last) context->end_sample = context->next_sample;
    }
    context = context->members() == 0 ? contexts_.erase(context) : std::next(context);
  }
  if (logits.empty()) return false;
  cache_->copy_pages();
  if (batch_ == nullptr || !batch_->shape().covers(shape_for(live()))) {
    std::vector<Sequence> joined(std::make_move_iterator(rows_.begin() + first), std::make_move_iterator(rows_.end()));
    rows_.resize(first);
    reserve_rows(first + static_cast<int64_t>(joined.size()));
    rows_.insert(rows_.end(), std::make_move_iterator(joined.begin()), std::make_move_iterator(joined.end()));
  }
  for (int64_t row = first; row < live(); ++row) batch_->state().set(row, row_of(rows_[row]));
  draw_first(logits, first);
  return true;
}

// `logits`: of each row, a tensor and the row in it.
void Scheduler::draw_first(const std::vector<std::pair<at::Tensor, int64_t>>& logits, int64_t first) {
  const auto most = std::max<int64_t>(1, kDrawBytes / (4 * model_.description.vocab_size));
  const auto count = static_cast<int64_t>(logits.size());
  for (int64_t begin = 0; begin < count;) {
    const at::Tensor& from = logits[begin].first;
    std::vector<int64_t> rows;
    int64_t end = begin;
    for (; end < count && end - begin < most && logits[end].first.is_same(from); ++end) rows.push_back(logits[end].second);
    batch_->draw(at::index_select(from, 0, model_.operators.upload(rows)), first + begin);
    begin = end;
  }
  collect(/*stepped=*/false);
}

void Scheduler::admit() {
  int64_t left = model_.operators.limits().prefill_tokens;
  while (std::any_of(requests_.begin(), requests_.end(), [](const LiveRequest& request) { return request.waits(); })) {
    claim_rows();
    open();
    if (contexts_.empty()) return;
    const int64_t computed = prefill(left);
    if (computed < 0) return;  // the next tick ends the request
    const bool seated = seat();
    end_failed();
    if (computed == 0 && !seated) {
      if (!rows_.empty() || contexts_.empty()) return;
      relieve();
      end_failed();
    }
    left -= computed;
    if (left <= 0) {
      if (!rows_.empty()) return;
      left = model_.operators.limits().prefill_tokens;
    }
  }
}

// ---- Steps and ends

// As many steps as any row can use before the next poll.
void Scheduler::decode() {
  int64_t steps = 0;
  for (const Sequence& sequence : rows_) steps = std::max(steps, sequence.limit - sequence.drawn());
  steps = std::min(steps, model_.operators.limits().steps_per_poll);
  reserve_pages(steps);
  end_failed();
  if (rows_.empty()) return;
  int64_t pages = 0;
  for (const Sequence& sequence : rows_) pages = std::max(pages, static_cast<int64_t>(sequence.pages.size()));
  for (int64_t i = 0; i < steps; ++i) batch_->step(live(), pages);
  const int64_t limit = row_limit();
  for (LiveRequest& request : requests_) {
    if (request.rows == 0) continue;
    request.stats.steps += steps;
    if (request.waits()) request.stats.slot_steps += steps * std::min(row_limit(request), limit - live() + request.rows);
  }
  collect(/*stepped=*/true);
}

void Scheduler::collect(bool stepped) {
  DecodeState& state = batch_->state();
  state.poll();
  ended_.assign(rows_.size(), false);
  std::vector<DecodeState::Place> kept;
  bool any_ended = false;
  for (int64_t row = 0; row < live(); ++row) {
    Sequence& sequence = rows_[row];
    LiveRequest& owner = *sequence.owner;
    const int64_t before = sequence.drawn();
    bool ended = state.position(row) < 0;
    for (int64_t count = before; count < state.count(row) && !sequence.completion.stopped; ++count) {
      if (owner.records_kept) kept.push_back({row, count});
      ended = append(sequence, state.draw(row, count)) || ended;
    }
    const int64_t added = sequence.drawn() - before;
    owner.stats.new_tokens += added;
    if (stepped && owner.waits()) owner.stats.live_slot_steps += added;
    ended_[row] = ended;
    any_ended = any_ended || ended;
  }
  if (!kept.empty()) collect_kept(kept);
  if (!any_ended) return;
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (ended_[row]) finish(rows_[row]);
  }
  remove_rows(ended_);
}

bool Scheduler::append(Sequence& sequence, const DecodeState::Draw& draw) {
  const GenerateRequest& request = sequence.owner->request();
  Completion& completion = sequence.completion;
  if (!std::isfinite(draw.log_prob)) sequence.owner->error = std::make_exception_ptr(not_finite_error("sampled from"));
  completion.tokens.push_back(draw.token);
  completion.log_probs.push_back(draw.log_prob);
  completion.entropies.push_back(draw.entropy);
  if (sequence.owner->truncated) completion.log_masses.push_back(draw.log_mass);
  // What an end token adds to the text is not looked at.
  completion.stopped = std::find(request.stop_tokens.begin(), request.stop_tokens.end(), draw.token) != request.stop_tokens.end() ||
                       (!request.stop_strings.empty() && request.stop_strings.append(sequence.tail, draw.token));
  return completion.stopped;
}

void Scheduler::collect_kept(const std::vector<DecodeState::Place>& draws) {
  const at::Tensor words = batch_->state().kept(draws);
  std::vector<int32_t> ids;
  for (size_t i = 0; i < draws.size(); ++i) {
    const int32_t* row = words.data_ptr<int32_t>() + static_cast<int64_t>(i) * words.size(1);
    ids.clear();
    for (int64_t w = 0; w < words.size(1); ++w) {
      for (auto bits = static_cast<uint32_t>(row[w]); bits != 0; bits &= bits - 1) {
        ids.push_back(static_cast<int32_t>(32 * w + std::countr_zero(bits)));
      }
    }
    append_kept(rows_[draws[i].row].completion.kept, ids, model_.description.vocab_size);
  }
}

void Scheduler::finish(Sequence& sequence) {
  LiveRequest& owner = *sequence.owner;
  vacate(sequence);
  owner.finished.push_back(std::move(sequence.completion));
  --owner.rows;
  --owner.left;
}

// The order of the others stays: neighbours that share a prompt read its keys together.
void Scheduler::remove_rows(const std::vector<bool>& gone) {
  DecodeState& state = batch_->state();
  size_t to = 0;
  for (size_t from = 0; from < gone.size(); ++from) {
    if (gone[from]) continue;
    if (to != from) {
      rows_[to] = std::move(rows_[from]);
      state.move(static_cast<int64_t>(from), static_cast<int64_t>(to));
    }
    ++to;
  }
  for (size_t row = to; row < gone.size(); ++row) state.clear(static_cast<int64_t>(row));
  rows_.resize(to);
}

void Scheduler::end_failed() {
  for (auto request = requests_.begin(); request != requests_.end();) {
    if (request->error == nullptr) {
      ++request;
      continue;
    }
    const auto owned = [&](const auto& one) { return one.owner == &*request; };
    std::vector<bool> gone(rows_.size());
    for (size_t row = 0; row < rows_.size(); ++row) {
      gone[row] = owned(rows_[row]);
      if (gone[row]) vacate(rows_[row]);
    }
    if (request->rows > 0) remove_rows(gone);
    for (Context& context : contexts_) {
      if (owned(context)) context.reset(*cache_);
    }
    contexts_.remove_if(owned);
    std::erase_if(preempted_, owned);
    LiveRequest ended = std::move(*request);
    request = requests_.erase(request);
    ended.submission.end(ended.stats, ended.error);
  }
}

void Scheduler::deliver() {
  for (auto request = requests_.begin(); request != requests_.end();) {
    if (!request->finished.empty()) request->submission.deliver(std::exchange(request->finished, {}));
    if (request->left > 0) {
      ++request;
      continue;
    }
    LiveRequest ended = std::move(*request);
    request = requests_.erase(request);
    ended.submission.end(ended.stats, nullptr);
  }
}

void Scheduler::fail(const std::exception_ptr& error) {
  rows_.clear();
  contexts_.clear();
  preempted_.clear();
  Requests ended = std::exchange(requests_, {});
  release();
  for (LiveRequest& request : ended) request.submission.end(request.stats, error);
}

}  // namespace zero_rl
