// Gradients of packed causal attention: the probabilities are made again from the log-sum-exps, chunk of keys by block of
// queries, so that what is read again lies in the second cache. A task owns the gradients of its keys and values; those of
// queries wait in float32 until the last of their keys.
#include <vector>

#include "kernels/attention_backward_plan.h"
#include "kernels/attention_backward_squares.h"
#include "kernels/register.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kQueries = 4 * kTileRows;
// What belongs to them fills half of a usual second cache.
constexpr int64_t kKeys = kLanes == 16 ? 512 : 256;

template <class T>
class BackwardTask {
 public:
  BackwardTask(const AttentionBackward& b, const BackwardPlan& plan, const ChunkTask& task, float* dqueries,
               float* deltas)
      : b_(b),
        a_(b.forward),
        plan_(plan),
        task_(task),
        columns_(b.forward, task.kv_head),
        dim_(a_.head_dim),
        group_(a_.heads / a_.kv_heads),
        padded_(padded_columns(a_.head_dim)),
        scale_(1.0f / std::sqrt(static_cast<float>(a_.head_dim))),
        dqueries_(dqueries + task.kv_head * plan.tokens() * group_ * padded_),
        deltas_(deltas) {
    for (int64_t i = task.begin; i < task.end; ++i) keys_ = std::max(keys_, padded_keys(plan.chunk(i).count));
    score_row_ = keys_ + kKeyTile;
  }

  void run() {
    Scratch scratch(keys_ * (2 * dim_ + 3 * padded_) + 2 * kQueries * (score_row_ + padded_));
    key_panels_ = scratch.data();
    value_panels_ = key_panels_ + keys_ * dim_;
    key_rows_ = value_panels_ + keys_ * dim_;
    dkeys_ = key_rows_ + keys_ * padded_;
    dvalues_ = dkeys_ + keys_ * padded_;
    probabilities_ = dvalues_ + keys_ * padded_;
    dscores_ = probabilities_ + kQueries * score_row_;
    queries_ = dscores_ + kQueries * score_row_;
    douts_ = queries_ + kQueries * padded_;
    for (int64_t i = task_.begin; i < task_.end; ++i) {
      const KeyChunk& chunk = plan_.chunk(i);
      fill(chunk);
      run_segment(chunk, chunk.segment);
      if (chunk.segment == task_.family.first) {
        for (int64_t follower = chunk.segment + 1; follower < task_.family.end; ++follower) run_segment(chunk, follower);
      }
      write(chunk);
    }
  }

 private:
  void fill(const KeyChunk& chunk) const {
    const int64_t begin = a_.segments[chunk.segment].begin + chunk.first;
    columns_.panels(a_.qkv, columns_.key, begin, 0, chunk.count, key_panels_);
    columns_.panels(a_.qkv, columns_.value, begin, 0, chunk.count, value_panels_);
    columns_.rows(a_.qkv, columns_.width, columns_.key, begin, chunk.count, 1, key_rows_, padded_);
    std::memset(dkeys_, 0, static_cast<size_t>(chunk.count * padded_) * sizeof(float));
    std::memset(dvalues_, 0, static_cast<size_t>(chunk.count * padded_) * sizeof(float));
  }

  void write(const KeyChunk& chunk) const {
    const int64_t begin = a_.segments[chunk.segment].begin + chunk.first;
    for (int64_t t = 0; t < chunk.count; ++t) {
      T* row = static_cast<T*>(b_.dqkv) + (begin + t) * columns_.width;
      write_row(dkeys_ + t * padded_, 1, dim_, row + columns_.key);
      write_row(dvalues_ + t * padded_, 1, dim_, row + columns_.value);
    }
  }

  // The queries of a segment that see keys of the chunk: its own or those of its prefix.
  void run_segment(const KeyChunk& chunk, int64_t segment) const {
    const bool own = segment == chunk.segment;
    const int64_t queries = a_.segments[segment].length * group_;
    const int64_t first = own ? chunk.first * group_ / kQueries * kQueries : 0;
    for (int64_t i = first; i < queries; i += kQueries) {
      const int64_t rows = std::min(kQueries, queries - i);
      const int64_t seen = own ? std::min(chunk.count, (i + rows - 1) / group_ + 1 - chunk.first) : chunk.count;
      plan_.wait(task_.kv_head, segment, i / kQueries, chunk.ordinal);
      run_queries(chunk, segment, i, rows, seen);
      plan_.finish(task_.kv_head, segment, i / kQueries, chunk.ordinal);
    }
  }

  // Queries [i, i + rows) of the segment and the first `seen` keys of the chunk.
  void run_queries(const KeyChunk& chunk, int64_t segment, int64_t i, int64_t rows, int64_t seen) const {
    const bool own = segment == chunk.segment;
    const int64_t begin = a_.segments[segment].begin;
    for_rows(i, rows, [&](int64_t row, int64_t token, int64_t head) {
      columns_.rows(a_.qkv, columns_.width, head * dim_, begin + token, 1, scale_, queries_ + row * padded_, padded_);
      columns_.rows(b_.dout, a_.heads * dim_, head * dim_, begin + token, 1, 1, douts_ + row * padded_, padded_);
    });
    small_product<true>(rows, padded_keys(seen), dim_, LeftSide{queries_, padded_, 1}, key_panels<float>(key_panels_, dim_),
                        probabilities_, score_row_, false);
    small_product<true>(rows, padded_keys(seen), dim_, LeftSide{douts_, padded_, 1}, key_panels<float>(value_panels_, dim_),
                        dscores_, score_row_, false);
    for_rows(i, rows, [&](int64_t row, int64_t token, int64_t head) {
      const int64_t count = own ? std::clamp<int64_t>(token + 1 - chunk.first, 0, seen) : seen;
      const int64_t place = (begin + token) * a_.heads + head;
      if (chunk.ordinal == 0) deltas_[place] = delta_of(row, place);
      score_gradients(row, place, count, seen);
    });
    float* dqueries = dqueries_ + (begin * group_ + i) * padded_;
    small_product<true>(rows, padded_, seen, LeftSide{dscores_, score_row_, 1}, row_major<float>(key_rows_, padded_),
                        dqueries, padded_, chunk.ordinal > 0);
    // dkeys[j] += Σ_i dscores[i, j] · query[i], dvalues[j] += Σ_i probabilities[i, j] · dout[i].
    small_product<false>(seen, padded_, rows, LeftSide{dscores_, 1, score_row_}, row_major<float>(queries_, padded_), dkeys_,
                         padded_, true);
    small_product<false>(seen, padded_, rows, LeftSide{probabilities_, 1, score_row_}, row_major<float>(douts_, padded_),
                         dvalues_, padded_, true);
    const bool last = own && (i + rows - 1) / group_ < chunk.first + chunk.count;
    if (!last) return;
    for_rows(i, rows, [&](int64_t row, int64_t token, int64_t head) {
      T* to = static_cast<T*>(b_.dqkv) + (begin + token) * columns_.width + head * dim_;
      write_row(dqueries + row * padded_, scale_, dim_, to);
    });
  }

  // body(row, token of the segment, head) for queries [i, i + rows) of a segment.
  template <class Body>
  void for_rows(int64_t i, int64_t rows, const Body& body) const {
    int64_t token = i / group_;
    int64_t g = i % group_;
    for (int64_t row = 0; row < rows; ++row) {
      body(row, token, task_.kv_head * group_ + g);
      if (++g == group_) {
        g = 0;
        ++token;
      }
    }
  }

  float delta_of(int64_t row, int64_t place) const {
    const T* out = static_cast<const T*>(a_.out) + place * dim_;
    Vector products{};
    for_vectors(dim_, [&](int64_t d, int64_t valid) {
      products += load_part(douts_ + row * padded_ + d, valid) * load_part(out + d, valid);
    });
    return sum_lanes(products);
  }

  // Scores become probabilities; dscores, which hold dout · value, become the gradients of the scores. Both are 0 for the
  // keys from `count` to `most`, which this query does not see.
  void score_gradients(int64_t row, int64_t place, int64_t count, int64_t most) const {
    float* probabilities = probabilities_ + row * score_row_;
    float* dscores = dscores_ + row * score_row_;
    const Vector delta = splat(deltas_[place]);
    const Vector lse = splat(a_.lse[place]);
    for (int64_t j = 0; j < count; j += kLanes) {
      const Vector probability = fast_exp(load(probabilities + j) - lse);
      store(probabilities + j, probability);
      store(dscores + j, probability * (load(dscores + j) - delta));
    }
    for (int64_t j = count; j < most; ++j) probabilities[j] = dscores[j] = 0;
  }

  const AttentionBackward& b_;
  const Attention& a_;
  const BackwardPlan& plan_;
  const ChunkTask& task_;
  HeadColumns<T> columns_;
  int64_t dim_;
  int64_t group_;
  int64_t padded_;
  float scale_;
  float* dqueries_;  // [tokens, group, padded]
  float* deltas_;    // [tokens, Hq] dout · out
  int64_t keys_ = 0;
  int64_t score_row_;
  float* key_panels_ = nullptr;
  float* value_panels_ = nullptr;
  float* key_rows_ = nullptr;
  float* dkeys_ = nullptr;    // rows
  float* dvalues_ = nullptr;  // rows
  float* probabilities_ = nullptr;
  float* dscores_ = nullptr;
  float* queries_ = nullptr;
  float* douts_ = nullptr;
};

#if defined(__AMX_BF16__)
void attention_backward_squares(const AttentionBackward& b) {
  std::vector<Family> families;
  for (int64_t first = 0; first < b.forward.segment_count; first = families.back().end) {
    families.push_back(family_at(b.forward, first));
  }
  const int64_t kv_heads = b.forward.kv_heads;
  parallel_tasks(static_cast<int64_t>(families.size()) * kv_heads, [&](int64_t task) {
    SquareBackwardTask(b, task % kv_heads, families[task / kv_heads]).run();
  });
}
#endif

template <class T>
void attention_backward(const AttentionBackward& b) {
#if defined(__AMX_BF16__)
  if constexpr (sizeof(T) < sizeof(float)) {
    if (SquareBackwardTask::suits(b.forward)) return attention_backward_squares(b);
  }
#endif
  const BackwardPlan plan(b.forward, kKeys, kQueries);
  const int64_t queries = plan.tokens() * b.forward.heads;
  Scratch scratch(queries * (padded_columns(b.forward.head_dim) + 1));
  float* dqueries = scratch.data();
  float* deltas = dqueries + queries * padded_columns(b.forward.head_dim);
  plan.run([&](const ChunkTask& task) { BackwardTask<T>(b, plan, task, dqueries, deltas).run(); });
}

}  // namespace

void register_attention_backward(Table& float32, Table& bfloat16) {
  float32.attention_backward = attention_backward<float>;
  bfloat16.attention_backward = attention_backward<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
