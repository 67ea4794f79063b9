// Causal attention of packed segments, one task per key/value head and family of segments with one prefix. Scores of a
// block of queries are a product with transposed keys; whole score rows are kept, which suits contexts up to some tens of
// thousands of tokens and costs no online softmax.
#include <vector>

#include "kernels/attention_block.h"
#include "kernels/attention_row.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kQueries = 2 * kTileRows;

struct Block {
  float* keys = nullptr;    // panels
  float* values = nullptr;  // rows
  int64_t length = 0;
};

template <class T>
class ForwardTask {
 public:
  ForwardTask(const Attention& a, int64_t kv_head, const Family& family)
      : a_(a),
        kv_head_(kv_head),
        family_(family),
        columns_(a, kv_head),
        padded_(padded_columns(a.head_dim)),
        score_row_(padded_keys(a.segments[family.first].length) +
                   padded_keys(longest_segment(a, family.first + 1, family.end)) + kKeyTile),
        scratch_(block_floats(a.segments[family.first].length) +
                 block_floats(longest_segment(a, family.first + 1, family.end)) +
                 kQueries * (score_row_ + 2 * padded_)) {
    float* next = scratch_.data();
    next = place(prefix_, a.segments[family.first].length, next);
    next = place(own_, longest_segment(a, family.first + 1, family.end), next);
    scores_ = next;
    queries_ = scores_ + kQueries * score_row_;
    sums_ = queries_ + kQueries * padded_;
  }

  void run() {
    walk_family(
        a_, family_, prefix_, own_, [&](Block& block, const Segment& segment) { fill(block, segment); },
        [&](const Segment& segment, const Block& own, const Block& prefix) { run_segment(segment, own, prefix); },
        [](const Block&, const Segment&) {});
  }

 private:
  int64_t block_floats(int64_t length) const {
    return padded_keys(length) * a_.head_dim + length * padded_columns(a_.head_dim);
  }

  float* place(Block& block, int64_t length, float* at) const {
    block.keys = at;
    block.values = at + padded_keys(length) * a_.head_dim;
    return block.values + length * padded_;
  }

  void fill(Block& block, const Segment& segment) const {
    block.length = segment.length;
    columns_.panels(a_.qkv, columns_.key, segment.begin, segment.length, block.keys);
    columns_.rows(a_.qkv, columns_.width, columns_.value, segment.begin, segment.length, 1, block.values);
  }

  void run_segment(const Segment& segment, const Block& own, const Block& prefix) {
    const int64_t group = a_.heads / a_.kv_heads;
    for (int64_t g = 0; g < group; ++g) {
      for (int64_t t = 0; t < segment.length; t += kQueries) {
        const int64_t rows = segment.length - t < kQueries ? segment.length - t : kQueries;
        run_queries(segment, own, prefix, kv_head_ * group + g, t, rows);
      }
    }
  }

  void run_queries(const Segment& segment, const Block& own, const Block& prefix, int64_t head, int64_t t,
                   int64_t rows) {
    const int64_t dim = a_.head_dim;
    const int64_t seen = t + rows;  // of the segment's own keys
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
    columns_.rows(a_.qkv, columns_.width, head * dim, segment.begin + t, rows, scale, queries_);
    const LeftSide queries{queries_, padded_, 1};
    small_product<true>(rows, padded_keys(prefix.length), dim, queries, key_panels<float>(prefix.keys, dim), scores_,
                        score_row_, false);
    small_product<true>(rows, padded_keys(seen), dim, queries, key_panels<float>(own.keys, dim), scores_ + prefix.length,
                        score_row_, false);
    float totals[kQueries];
    float maxima[kQueries];
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t count = prefix.length + t + i + 1;
      float* row = scores_ + i * score_row_;
      totals[i] = exponentiate(row, count, maxima[i]);
      for (int64_t j = count; j < prefix.length + seen; ++j) row[j] = 0;
    }
    const LeftSide weights{scores_, score_row_, 1};
    small_product<true>(rows, padded_, prefix.length, weights, row_major<float>(prefix.values, padded_), sums_, padded_,
                        false);
    small_product<true>(rows, padded_, seen, LeftSide{scores_ + prefix.length, score_row_, 1},
                        row_major<float>(own.values, padded_), sums_, padded_, true);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t place = (segment.begin + t + i) * a_.heads + head;
      T* out = static_cast<T*>(a_.out) + place * dim;
      const float inverse = 1.0f / totals[i];
      write_row(sums_ + i * padded_, inverse, dim, out);
      if (a_.lse != nullptr) a_.lse[place] = maxima[i] + std::log(totals[i]);
    }
  }

  const Attention& a_;
  int64_t kv_head_;
  Family family_;
  HeadColumns<T> columns_;
  int64_t padded_;
  int64_t score_row_;
  Scratch scratch_;
  Block prefix_;
  Block own_;
  float* scores_;
  float* queries_;
  float* sums_;
};

template <class T>
void attention(const Attention& a) {
  std::vector<Family> families;
  for (int64_t first = 0; first < a.segment_count; first = families.back().end) {
    families.push_back(family_at(a, first));
  }
  parallel_tasks(static_cast<int64_t>(families.size()) * a.kv_heads, [&](int64_t task) {
    ForwardTask<T>(a, task % a.kv_heads, families[task / a.kv_heads]).run();
  });
}

}  // namespace

void register_attention(Table& float32, Table& bfloat16) {
  float32.attention = attention<float>;
  bfloat16.attention = attention<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
