// Continuous batching: sequences of several requests join and leave a batch between decode steps. Their contexts are computed
// in chunks between steps, once for all samples of a prompt, and as far as they are not cached already.
//
// A completion is a function of the weights and of (seed, uid, sample, position): on the CPU bit for bit, whatever runs beside
// it, was cached, or lost its row for a while.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "generate/decode_batch.h"
#include "generate/prefill.h"
#include "generate/sequences.h"

namespace zero_rl {

// All on the engine's thread; weights may change only while it is idle.
class Scheduler {
 public:
  explicit Scheduler(Model& model) : model_(model) {}

  // `bytes`: what caches and rows may take, those that are held included; asked for only where some may be made.
  void submit(Submission submission, const std::function<int64_t()>& bytes);
  // Joins, a prefill pass where one is due, decode steps as many as are polled at once, and ends. False: nothing is left to do.
  bool tick();
  // Ends all requests with an error.
  void fail(const std::exception_ptr& error);
  bool idle() const { return requests_.empty(); }

  // Bytes of caches and rows that are kept between requests; release gives them back, where nothing is under way.
  int64_t held_bytes() const;
  void release();

 private:
  using Requests = std::list<LiveRequest>;

  // ---- Rows and pages (scheduler_rows.cc)
  void reserve_cache(const LiveRequest& live, const std::function<int64_t()>& bytes);
  // Makes the batch large enough for so many rows.
  void reserve_rows(int64_t rows);
  BatchShape shape_for(int64_t rows) const;
  int64_t row_limit(const LiveRequest& request) const;
  int64_t row_limit() const;
  int64_t live() const { return static_cast<int64_t>(rows_.size()); }
  DecodeState::Row row_of(const Sequence& sequence) const;
  // Puts a sequence's pages into the tree and gives them up.
  void vacate(Sequence& sequence);
  void preempt(size_t row);
  // Of those that rank behind `rank`, the last: −1 where there is none.
  int64_t last_row_behind(const Rank& rank) const;
  // Pages for the next `steps` of every row; where there are too few, contexts and rows of the lowest rank give theirs up.
  void reserve_pages(int64_t steps);
  bool make_room(const Rank& rank);
  bool preempt_low();

  // ---- Joining
  void claim_rows();
  void open();
  void open_context(LiveRequest& request);
  int64_t prefill(int64_t most_tokens);
  // Gives rows to sequences whose context is computed, and draws their first tokens; false where there was none.
  bool seat();
  void draw_first(const std::vector<std::pair<at::Tensor, int64_t>>& logits, int64_t first);
  // Nothing runs, and nothing could begin: all but the first context give their pages up; or its request ends for want of them.
  void relieve();
  void admit();

  // ---- Steps and ends
  void decode();
  // Takes over what was drawn since the last poll, by decode steps or as first tokens, and hands ended sequences out.
  void collect(bool stepped);
  // One drawn token; whether the sequence ends with it.
  bool append(Sequence& sequence, const DecodeState::Draw& draw);
  void collect_kept(const std::vector<DecodeState::Place>& draws);
  void finish(Sequence& sequence);
  void remove_rows(const std::vector<bool>& gone);
  void end_failed();
  void deliver();

  Model& model_;
  std::unique_ptr<PageCache> cache_;
  std::unique_ptr<DecodeBatch> batch_;
  uint64_t version_ = 0;   // of the weights that the cache is of
  int64_t bytes_ = 0;      // what caches and rows may take
  int64_t most_rows_ = 1;  // by memory
  uint64_t next_order_ = 0;
  Requests requests_;  // in the order of submission
  std::list<Context> contexts_;      // by rank
  std::vector<Sequence> preempted_;  // by rank
  std::vector<Sequence> rows_;       // in the order of the batch
  std::vector<bool> ended_;          // rows, at the last poll
};

}  // namespace zero_rl
