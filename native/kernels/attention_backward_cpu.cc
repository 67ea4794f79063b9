// Gradients of packed causal attention: the probabilities are made again from the log-sum-exps, block of queries by block.
// One task owns all that a key/value head and its family of segments write, so that sums keep one order.
#include <vector>

#include "kernels/attention_backward_squares.h"
#include "kernels/attention_block.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kQueries = 4 * kTileRows;

struct Block {
  float* keys = nullptr;      // panels
  float* values = nullptr;    // panels
  float* key_rows = nullptr;
  float* dkeys = nullptr;     // rows
  float* dvalues = nullptr;   // rows
  int64_t length = 0;
};

template <class T>
class BackwardTask {
 public:
  BackwardTask(const AttentionBackward& b, int64_t kv_head, const Family& family)
      : b_(b),
        a_(b.forward),
        kv_head_(kv_head),
        family_(family),
        columns_(b.forward, kv_head),
        padded_(padded_columns(a_.head_dim)),
        score_row_(padded_keys(a_.segments[family.first].length) +
                   padded_keys(longest_segment(a_, family.first + 1, family.end)) + kKeyTile),
        scratch_(block_floats(a_.segments[family.first].length) +
                 block_floats(longest_segment(a_, family.first + 1, family.end)) +
                 kQueries * (2 * score_row_ + 3 * padded_)) {
    float* next = scratch_.data();
    next = place(prefix_, a_.segments[family.first].length, next);
    next = place(own_, longest_segment(a_, family.first + 1, family.end), next);
    probabilities_ = next;
    dscores_ = probabilities_ + kQueries * score_row_;
    queries_ = dscores_ + kQueries * score_row_;
    douts_ = queries_ + kQueries * padded_;
    dqueries_ = douts_ + kQueries * padded_;
  }

  void run() {
    walk_family(
        a_, family_, prefix_, own_, [&](Block& block, const Segment& segment) { fill(block, segment); },
        [&](const Segment& segment, const Block& own, const Block& prefix) { run_segment(segment, own, prefix); },
        [&](const Block& block, const Segment& segment) { write(block, segment); });
  }

 private:
  int64_t block_floats(int64_t length) const {
    return 2 * padded_keys(length) * a_.head_dim + 3 * length * padded_columns(a_.head_dim);
  }

  float* place(Block& block, int64_t length, float* at) const {
    block.keys = at;
    block.values = block.keys + padded_keys(length) * a_.head_dim;
    block.key_rows = block.values + padded_keys(length) * a_.head_dim;
    block.dkeys = block.key_rows + length * padded_;
    block.dvalues = block.dkeys + length * padded_;
    return block.dvalues + length * padded_;
  }

  void fill(Block& block, const Segment& segment) const {
    block.length = segment.length;
    columns_.panels(a_.qkv, columns_.key, segment.begin, 0, segment.length, block.keys);
    columns_.panels(a_.qkv, columns_.value, segment.begin, 0, segment.length, block.values);
    columns_.rows(a_.qkv, columns_.width, columns_.key, segment.begin, segment.length, 1, block.key_rows, padded_);
    std::memset(block.dkeys, 0, static_cast<size_t>(segment.length * padded_) * sizeof(float));
    std::memset(block.dvalues, 0, static_cast<size_t>(segment.length * padded_) * sizeof(float));
  }

  void write(const Block& block, const Segment& segment) const {
    for (int64_t t = 0; t < segment.length; ++t) {
      T* row = static_cast<T*>(b_.dqkv) + (segment.begin + t) * columns_.width;
      write_row(block.dkeys + t * padded_, 1, a_.head_dim, row + columns_.key);
      write_row(block.dvalues + t * padded_, 1, a_.head_dim, row + columns_.value);
    }
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

  // out[i, j] = rows[i] · column j of the panels of the prefix and of the first `seen` of the segment itself.
  void against_panels(const float* left, int64_t rows, const float* prefix_panels, int64_t prefix_length,
                      const float* own_panels, int64_t seen, float* out) const {
    const int64_t dim = a_.head_dim;
    const LeftSide side{left, padded_, 1};
    small_product<true>(rows, padded_keys(prefix_length), dim, side, key_panels(prefix_panels, dim), out, score_row_,
                        false);
    small_product<true>(rows, padded_keys(seen), dim, side, key_panels(own_panels, dim), out + prefix_length,
                        score_row_, false);
  }

  void run_queries(const Segment& segment, const Block& own, const Block& prefix, int64_t head, int64_t t,
                   int64_t rows) {
    const int64_t dim = a_.head_dim;
    const int64_t seen = t + rows;
    const int64_t token = segment.begin + t;
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
    columns_.rows(a_.qkv, columns_.width, head * dim, token, rows, scale, queries_, padded_);
    columns_.rows(b_.dout, a_.heads * dim, head * dim, token, rows, 1, douts_, padded_);
    against_panels(queries_, rows, prefix.keys, prefix.length, own.keys, seen, probabilities_);
    against_panels(douts_, rows, prefix.values, prefix.length, own.values, seen, dscores_);
    for (int64_t i = 0; i < rows; ++i) {
      score_gradients(i, (token + i) * a_.heads + head, prefix.length + t + i + 1, prefix.length + seen);
    }
    const LeftSide dscores{dscores_, score_row_, 1};
    small_product<true>(rows, padded_, prefix.length, dscores, row_major(prefix.key_rows, padded_), dqueries_, padded_,
                        false);
    small_product<true>(rows, padded_, seen, LeftSide{dscores_ + prefix.length, score_row_, 1},
                        row_major(own.key_rows, padded_), dqueries_, padded_, true);
    add_outer_products(prefix, 0, prefix.length, rows);
    add_outer_products(own, prefix.length, seen, rows);
    for (int64_t i = 0; i < rows; ++i) {
      T* row = static_cast<T*>(b_.dqkv) + (token + i) * columns_.width + head * dim;
      write_row(dqueries_ + i * padded_, scale, dim, row);
    }
  }

  // Scores become probabilities; dscores, which hold dout · value, become the gradients of the scores. Both are 0 for the
  // keys from `count` to `most`, which this query does not see.
  void score_gradients(int64_t row, int64_t place, int64_t count, int64_t most) {
    float* probabilities = probabilities_ + row * score_row_;
    float* dscores = dscores_ + row * score_row_;
    const T* out = static_cast<const T*>(a_.out) + place * a_.head_dim;
    Vector products{};
    for_vectors(a_.head_dim, [&](int64_t d, int64_t valid) {
      products += load_part(douts_ + row * padded_ + d, valid) * load_part(out + d, valid);
    });
    const Vector delta = splat(sum_lanes(products));
    const Vector lse = splat(a_.lse[place]);
    for (int64_t j = 0; j < count; j += kLanes) {
      const Vector probability = fast_exp(load(probabilities + j) - lse);
      store(probabilities + j, probability);
      store(dscores + j, probability * (load(dscores + j) - delta));
    }
    for (int64_t j = count; j < most; ++j) probabilities[j] = dscores[j] = 0;
  }

  // dkeys[j] += Σ_i dscores[i, j] · query[i], dvalues[j] += Σ_i probabilities[i, j] · dout[i].
  void add_outer_products(const Block& block, int64_t first_column, int64_t keys, int64_t rows) const {
    small_product<false>(keys, padded_, rows, LeftSide{dscores_ + first_column, 1, score_row_},
                         row_major<float>(queries_, padded_), block.dkeys, padded_, true);
    small_product<false>(keys, padded_, rows, LeftSide{probabilities_ + first_column, 1, score_row_},
                         row_major<float>(douts_, padded_), block.dvalues, padded_, true);
  }

  const AttentionBackward& b_;
  const Attention& a_;
  int64_t kv_head_;
  Family family_;
  HeadColumns<T> columns_;
  int64_t padded_;
  int64_t score_row_;
  Scratch scratch_;
  Block prefix_;
  Block own_;
  float* probabilities_;
  float* dscores_;
  float* queries_;
  float* douts_;
  float* dqueries_;
};

template <class T>
void attention_backward(const AttentionBackward& b) {
  std::vector<Family> families;
  for (int64_t first = 0; first < b.forward.segment_count; first = families.back().end) {
    families.push_back(family_at(b.forward, first));
  }
  const int64_t kv_heads = b.forward.kv_heads;
  parallel_tasks(static_cast<int64_t>(families.size()) * kv_heads, [&](int64_t task) {
    const Family& family = families[task / kv_heads];
#if defined(__AMX_BF16__)
    if constexpr (sizeof(T) < sizeof(float)) {
      if (SquareBackwardTask::suits(b.forward)) {
        SquareBackwardTask(b, task % kv_heads, family).run();
        return;
      }
    }
#endif
    BackwardTask<T>(b, task % kv_heads, family).run();
  });
}

}  // namespace

void register_attention_backward(Table& float32, Table& bfloat16) {
  float32.attention_backward = attention_backward<float>;
  bfloat16.attention_backward = attention_backward<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
