// Causal attention of packed segments and their cached contexts. A task is a key/value head and a run of a family's tokens.
// Keys are taken block by block of kKeyBlock positions, each against a range of queries with all their heads, so that
// what is read again lies in the second cache; scores of some queries are a product with transposed keys.
#include <algorithm>
#include <vector>

#include "kernels/attention_block.h"
#include "kernels/attention_row.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kQueries = 2 * kTileRows;
// Floats of a range's queries, and of their sums.
constexpr int64_t kRangeFloats = 1 << 16;

// Tokens of a family: those of the segments [first, end) from `first_token` of the first to before `last_token` of the last.
struct TokenRun {
  int64_t first;
  int64_t end;
  int64_t first_token;
  int64_t last_token;
};

// Pairs of a query and a key that `count` tokens see, the first of which has this position.
int64_t pairs_of(int64_t position, int64_t count) { return count * position + count * (count + 1) / 2; }

// Cuts the families so that the threads get equal work; a token's sums do not depend on where.
std::vector<TokenRun> token_runs(const Attention& a) {
  constexpr int64_t kRunsPerThread = 4;
  constexpr int64_t kLeastTokens = 64;
  const auto position_of = [](const Segment& segment) { return segment.context_length + segment.prefix_length; };
  int64_t pairs = 0;
  for (int64_t i = 0; i < a.segment_count; ++i) pairs += pairs_of(position_of(a.segments[i]), a.segments[i].length);
  const int64_t most = pairs * a.kv_heads / (kRunsPerThread * ThreadPool::instance().threads());
  std::vector<TokenRun> runs;
  for (int64_t first = 0, end = 0; first < a.segment_count; first = end) {
    end = family_at(a, first).end;
    int64_t taken = most;  // of the run that is last
    for (int64_t i = first; i < end; ++i) {
      const int64_t length = a.segments[i].length;
      for (int64_t t = 0; t < length;) {
        const int64_t count = std::min(kLeastTokens, length - t);
        if (taken >= most) {
          runs.push_back({i, i, t, t});
          taken = 0;
        }
        taken += pairs_of(position_of(a.segments[i]) + t, count);
        t += count;
        runs.back().end = i + 1;
        runs.back().last_token = t;
      }
    }
  }
  return runs;
}

template <class T>
class ForwardTask {
 public:
  ForwardTask(const Attention& a, int64_t kv_head, const TokenRun& run)
      : a_(a),
        kv_head_(kv_head),
        run_(run),
        columns_(a, kv_head),
        dim_(a.head_dim),
        group_(a.heads / a.kv_heads),
        padded_(padded_columns(a.head_dim)) {
    int64_t longest = 0;
    int64_t context = 0;
    for (int64_t i = run.first; i < run.end; ++i) {
      const Segment& segment = a.segments[i];
      longest = std::max(longest, (i + 1 < run.end ? segment.length : run.last_token) - (i == run.first ? run.first_token : 0));
      context = std::max(context, own_start(segment) + segment.length);
    }
    range_ = std::clamp<int64_t>(kRangeFloats / (group_ * padded_), 1, longest);
    block_ = std::min(kKeyBlock, padded_keys(context));
    score_row_ = block_ + kKeyTile;
  }

  void run() {
    Scratch scratch(block_ * (dim_ + padded_) + 2 * range_ * group_ * padded_ + kQueries * (score_row_ + padded_));
    keys_ = scratch.data();
    values_ = keys_ + block_ * dim_;
    queries_ = values_ + block_ * padded_;
    sums_ = queries_ + range_ * group_ * padded_;
    scores_ = sums_ + range_ * group_ * padded_;
    block_sums_ = scores_ + kQueries * score_row_;
    states_.resize(range_ * group_);
    for (int64_t i = run_.first; i < run_.end; ++i) {
      const Segment& segment = a_.segments[i];
      // What lies in the buffers of the context and the prefix is that of this segment too.
      filled_ = std::min(filled_, own_start(segment));
      const int64_t end = i + 1 < run_.end ? segment.length : run_.last_token;
      for (int64_t t = i == run_.first ? run_.first_token : 0; t < end; t += range_) {
        run_range(segment, t, std::min(range_, end - t));
      }
    }
  }

 private:
  // The position of the segment's first token.
  static int64_t own_start(const Segment& segment) { return segment.context_length + segment.prefix_length; }
  // Positions below are read where they lie in pages.
  static int64_t paged_end(const Segment& segment) { return segment.context_length / kPageTokens * kPageTokens; }

  // Tokens [token, token + count) of the segment. Query i is head i % group of token i / group.
  void run_range(const Segment& segment, int64_t token, int64_t count) {
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim_));
    for (int64_t g = 0; g < group_; ++g) {
      columns_.rows(a_.qkv, columns_.width, (kv_head_ * group_ + g) * dim_, segment.begin + token, count, scale,
                    queries_ + g * padded_, group_ * padded_);
    }
    const int64_t first = own_start(segment) + token;
    for (int64_t start = 0; start < first + count; start += kKeyBlock) {
      const int64_t end = std::min(start + kKeyBlock, first + count);
      fill(segment, start, end);
      for (int64_t i = 0; i < count * group_; i += kQueries) {
        const int64_t rows = std::min(kQueries, count * group_ - i);
        const int64_t seen = std::min(end, first + (i + rows - 1) / group_ + 1);
        if (seen > start) run_queries(segment, start, seen, first, i, rows);
      }
    }
    for (int64_t i = 0; i < count * group_; ++i) {
      const int64_t place = (segment.begin + token + i / group_) * a_.heads + kv_head_ * group_ + i % group_;
      write_row(sums_ + i * padded_, 1.0f / states_[i].total, dim_, static_cast<T*>(a_.out) + place * dim_);
      if (a_.lse != nullptr) a_.lse[place] = states_[i].maximum + std::log(states_[i].total);
    }
  }

  // Queries [i, i + rows) of a range whose first token has position `first`, and the keys of positions [start, seen).
  void run_queries(const Segment& segment, int64_t start, int64_t seen, int64_t first, int64_t i, int64_t rows) {
    const LeftSide queries{queries_ + i * padded_, padded_, 1};
    const int64_t paged = std::clamp<int64_t>(paged_end(segment) - start, 0, seen - start);
    const int64_t buffered = seen - start - paged;
    if (paged > 0) {
      const PagedColumns<T> keys{keys_in_pages(), segment.context_table + start / kPageTokens, a_.cache.page_stride(), paged,
                                 keys_in_pages()};
      small_product<true>(rows, paged, dim_, queries, keys, scores_, score_row_, false);
    }
    if (buffered > 0) {
      small_product<true>(rows, padded_keys(buffered), dim_, queries, key_panels<float>(keys_ + paged * dim_, dim_),
                          scores_ + paged, score_row_, false);
    }
    RowSums block[kQueries];
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t count = std::clamp<int64_t>(first + (i + row) / group_ + 1 - start, 0, seen - start);
      float* scores = scores_ + row * score_row_;
      if (count > 0) block[row] = block_exponentials(scores, count);
      for (int64_t j = count; j < seen - start; ++j) scores[j] = 0;
    }
    float* sums = start == 0 ? sums_ + i * padded_ : block_sums_;
    if (paged > 0) {
      const PagedRows<T> values{values_in_pages(), segment.context_table + start / kPageTokens, a_.cache.page_stride(), dim_,
                                paged, values_in_pages()};
      small_product<true>(rows, padded_, paged, LeftSide{scores_, score_row_, 1}, values, sums, padded_, false);
    }
    if (buffered > 0) {
      small_product<true>(rows, padded_, buffered, LeftSide{scores_ + paged, score_row_, 1},
                          row_major<float>(values_ + paged * padded_, padded_), sums, padded_, paged > 0);
    }
    for (int64_t row = 0; row < rows; ++row) {
      if (start == 0) {
        states_[i + row] = block[row];
      } else if (first + (i + row) / group_ >= start) {
        merge_block(states_[i + row], sums_ + (i + row) * padded_, block[row], block_sums_ + row * padded_, padded_);
      }
    }
  }

  const T* keys_in_pages() const { return static_cast<const T*>(a_.cache.pool) + a_.cache.keys_at(a_.layer, kv_head_); }
  const T* values_in_pages() const { return static_cast<const T*>(a_.cache.pool) + a_.cache.values_at(a_.layer, kv_head_); }

  // Brings keys and values of positions [start, end) into the buffers, but for those that whole pages hold.
  void fill(const Segment& segment, int64_t start, int64_t end) {
    if (start != block_start_ || filled_ < start) {
      block_start_ = start;
      filled_ = start;
    }
    const int64_t prefix = segment.context_length;
    const int64_t own = own_start(segment);
    filled_ = std::max(filled_, std::min(paged_end(segment), end));
    if (filled_ < prefix && filled_ < end) fill_context(segment);
    fill_rows(segment.prefix_begin, prefix, std::min(own, end));
    fill_rows(segment.begin, own, end);
  }

  // Packed rows of positions [begin, end) that are not there yet; `token` is the first of them.
  void fill_rows(int64_t token, int64_t begin, int64_t end) {
    const int64_t from = std::max(filled_, begin);
    if (from >= end) return;
    const int64_t row = token + from - begin;
    columns_.panels(a_.qkv, columns_.key, row, from - block_start_, end - from, keys_);
    columns_.rows(a_.qkv, columns_.width, columns_.value, row, end - from, 1, values_ + (from - block_start_) * padded_,
                  padded_);
    filled_ = end;
  }

  // The tokens of the context's last page, where it is not whole.
  void fill_context(const Segment& segment) {
    const int64_t at = filled_ - block_start_;
    const int64_t count = segment.context_length - filled_;
    const int64_t page = segment.context_table[filled_ / kPageTokens] * a_.cache.page_stride();
    for (int64_t d = 0; d < dim_; ++d) {
      float* to = keys_ + at * dim_ + d * kKeyTile;
      const T* from = keys_in_pages() + page + d * kKeyTile;
      for (int64_t i = 0; i < kKeyTile; ++i) to[i] = i < count ? to_float(from[i]) : 0;
    }
    columns_.rows(values_in_pages() + page, dim_, 0, 0, count, 1, values_ + at * padded_, padded_);
    filled_ = segment.context_length;
  }

  const Attention& a_;
  int64_t kv_head_;
  TokenRun run_;
  HeadColumns<T> columns_;
  int64_t dim_;
  int64_t group_;
  int64_t padded_;
  int64_t range_;
  int64_t block_;
  int64_t score_row_;
  float* keys_ = nullptr;     // panels of the positions from block_start_ on
  float* values_ = nullptr;   // rows
  float* queries_ = nullptr;
  float* sums_ = nullptr;
  float* scores_ = nullptr;
  float* block_sums_ = nullptr;
  std::vector<RowSums> states_;
  int64_t block_start_ = -1;
  int64_t filled_ = 0;  // the position up to which keys and values are in the buffers or whole pages
};

template <class T>
void attention(const Attention& a) {
  const std::vector<TokenRun> runs = token_runs(a);
  parallel_tasks(static_cast<int64_t>(runs.size()) * a.kv_heads,
                 [&](int64_t task) { ForwardTask<T>(a, task % a.kv_heads, runs[task / a.kv_heads]).run(); });
}

}  // namespace

void register_attention(Table& float32, Table& bfloat16) {
  float32.attention = attention<float>;
  bfloat16.attention = attention<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
