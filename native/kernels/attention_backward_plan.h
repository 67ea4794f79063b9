// Who computes which part of the gradients of packed attention, and in which order.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/attention_block.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

// Keys [first, first + count) of a segment, the ordinal-th of those that its queries see.
struct KeyChunk {
  int64_t segment;
  int64_t first;
  int64_t count;
  int64_t ordinal;
};

// Chunks [begin, end) of a family for one key/value head.
struct ChunkTask {
  Family family;
  int64_t kv_head;
  int64_t begin;
  int64_t end;
};

// Cuts families into chunks of at most `keys` keys and segments into blocks of `queries` queries, of which a token has as
// many as its key/value head. The gradients of a block's queries are sums over chunks in the order of the keys: where
// tasks share a family, each waits for the one before at every block.
class BackwardPlan {
 public:
  BackwardPlan(const Attention& a, int64_t keys, int64_t queries) : a_(a) {
    constexpr int64_t kTasksPerThread = 4;
    const int64_t group = a.heads / a.kv_heads;
    const int threads = ThreadPool::instance().threads();
    double all = 0;
    for (int64_t i = 0; i < a.segment_count; ++i) {
      const Segment& segment = a.segments[i];
      first_block_.push_back(blocks_);
      blocks_ += (segment.length * group + queries - 1) / queries;
      tokens_ = std::max(tokens_, segment.begin + segment.length);
      all += pairs_of(segment);
    }
    const double most = all * static_cast<double>(a.kv_heads) / (kTasksPerThread * threads);
    std::vector<ChunkTask> whole;
    for (int64_t first = 0; first < a.segment_count;) {
      const Family family = family_at(a, first);
      const auto begin = static_cast<int64_t>(chunks_.size());
      const double pairs = add_chunks(family, keys);
      const auto end = static_cast<int64_t>(chunks_.size());
      const bool split = threads > 1 && pairs > most;
      for (int64_t chunk = begin; split && chunk < end; ++chunk) {
        for (int64_t head = 0; head < a.kv_heads; ++head) tasks_.push_back({family, head, chunk, chunk + 1});
      }
      for (int64_t head = 0; !split && head < a.kv_heads; ++head) whole.push_back({family, head, begin, end});
      first = family.end;
    }
    tasks_.insert(tasks_.end(), whole.begin(), whole.end());
    done_ = std::make_unique<std::atomic<int64_t>[]>(static_cast<size_t>(blocks_ * a.kv_heads));
  }

  const std::vector<ChunkTask>& tasks() const { return tasks_; }
  const KeyChunk& chunk(int64_t i) const { return chunks_[i]; }
  // Of the packed rows.
  int64_t tokens() const { return tokens_; }

  // Returns when the gradients of a block's queries hold the sums over all chunks before the ordinal-th.
  void wait(int64_t kv_head, int64_t segment, int64_t block, int64_t ordinal) const {
    constexpr int kSpins = 1000;
    const std::atomic<int64_t>& done = counter(kv_head, segment, block);
    for (int spins = 0; done.load(std::memory_order_acquire) < ordinal; ++spins) {
      if (failed_.load(std::memory_order_relaxed)) throw std::bad_alloc();
      if (spins > kSpins) std::this_thread::yield();
    }
  }
  void finish(int64_t kv_head, int64_t segment, int64_t block, int64_t ordinal) const {
    counter(kv_head, segment, block).store(ordinal + 1, std::memory_order_release);
  }

  // run(task) for all; where one throws, those that wait for it throw too.
  template <class Run>
  void run(const Run& run) const {
    parallel_tasks(static_cast<int64_t>(tasks_.size()), [&](int64_t task) {
      try {
        run(tasks_[task]);
      } catch (...) {
        failed_ = true;
        throw;
      }
    });
  }

 private:
  static double pairs_of(const Segment& segment) {
    const auto length = static_cast<double>(segment.length);
    return length * (static_cast<double>(segment.prefix_length) + length / 2);
  }

  double add_chunks(const Family& family, int64_t keys) {
    double pairs = 0;
    int64_t of_prefix = 0;
    for (int64_t i = family.first; i < family.end; ++i) {
      const Segment& segment = a_.segments[i];
      int64_t ordinal = of_prefix;
      for (int64_t key = 0; key < segment.length; key += keys) {
        chunks_.push_back({i, key, std::min(keys, segment.length - key), ordinal++});
      }
      if (i == family.first) of_prefix = ordinal;
      pairs += pairs_of(segment);
    }
    return pairs;
  }

  std::atomic<int64_t>& counter(int64_t kv_head, int64_t segment, int64_t block) const {
    return done_[kv_head * blocks_ + first_block_[segment] + block];
  }

  const Attention& a_;
  int64_t blocks_ = 0;
  int64_t tokens_ = 0;
  std::vector<int64_t> first_block_;  // of each segment
  std::vector<KeyChunk> chunks_;
  std::vector<ChunkTask> tasks_;
  std::unique_ptr<std::atomic<int64_t>[]> done_;  // chunks whose part is in the gradients of a block's queries
  mutable std::atomic<bool> failed_{false};
};

}  // namespace zero_rl::kernels::ZERO_RL_ISA
