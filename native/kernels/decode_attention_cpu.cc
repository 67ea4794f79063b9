// One query per sequence over a prompt's shared keys and the sequence's own. A task is a key/value head of a few
// neighbours that share a prompt: its keys and values are read once for all their queries.
#include <vector>

#include "kernels/attention_block.h"
#include "kernels/attention_row.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kNeighbours = 8;
constexpr int64_t kTasksPerThread = 2;
constexpr int64_t kNearBytes = 1 << 14;
constexpr std::ptrdiff_t kAheadBytes = 1 << 12;

struct Neighbours {
  int64_t first;
  int64_t end;
};

std::vector<Neighbours> neighbours_of(const DecodeAttention& a) {
  std::vector<Neighbours> result;
  for (int64_t row = 0; row < a.rows; ++row) {
    const bool joins = !result.empty() && row - result.back().first < kNeighbours &&
                       a.sequences[row].prefix_keys == a.sequences[row - 1].prefix_keys;
    if (joins) {
      ++result.back().end;
    } else {
      result.push_back({row, row + 1});
    }
  }
  return result;
}

template <class T>
class Decoding {
 public:
  explicit Decoding(const DecodeAttention& a)
      : a_(a),
        dim_(a.head_dim),
        group_(a.heads / a.kv_heads),
        width_((a.heads + 2 * a.kv_heads) * dim_),
        padded_(padded_columns(dim_)) {
    for (int64_t row = 0; row < a.rows; ++row) {
      const KvSequence& sequence = a.sequences[row];
      const int64_t scores = padded_keys(sequence.prefix_length) + padded_keys(sequence.length + 1) + kKeyTile;
      score_row_ = scores > score_row_ ? scores : score_row_;
    }
  }

  int64_t scratch_floats() const { return kNeighbours * group_ * (score_row_ + dim_ + padded_ + 1); }

  void run(const Neighbours& rows, int64_t kv_head, float* scratch) const {
    const int64_t queries = (rows.end - rows.first) * group_;
    float* scores = scratch;
    float* query = scores + queries * score_row_;
    float* sums = query + queries * dim_;
    float* totals = sums + queries * padded_;
    const int64_t plane = a_.layer * a_.kv_heads + kv_head;
    for (int64_t row = rows.first; row < rows.end; ++row) {
      load_queries(row, kv_head, query + (row - rows.first) * group_ * dim_);
    }
    const KvSequence& first = a_.sequences[rows.first];
    const int64_t prefix = first.prefix_length;
    const T* keys = static_cast<const T*>(first.prefix_keys) + plane * dim_ * padded_keys(prefix);
    const T* values = static_cast<const T*>(first.prefix_values) + plane * dim_ * prefix;
    small_product<true>(queries, padded_keys(prefix), dim_, LeftSide{query, dim_, 1}, key_panels(keys, dim_), scores,
                        score_row_, false);
    for (int64_t row = rows.first; row < rows.end; ++row) {
      const int64_t at = (row - rows.first) * group_;
      const void* next = row + 1 < rows.end ? static_cast<const void*>(keys_of(a_.sequences[row + 1], plane))
                                            : values_of(first, plane);
      store_token(row, kv_head, plane);
      own_scores(row, plane, next, query + at * dim_, scores + at * score_row_, totals + at);
    }
    small_product<true>(queries, padded_, prefix, LeftSide{scores, score_row_, 1}, row_major(values, dim_), sums,
                        padded_, false);
    for (int64_t row = rows.first; row < rows.end; ++row) {
      const int64_t at = (row - rows.first) * group_;
      const void* next = row + 1 < rows.end ? static_cast<const void*>(values_of(a_.sequences[row + 1], plane))
                                            : next_task_keys(rows, kv_head);
      add_own_values(row, plane, next, scores + at * score_row_, sums + at * padded_);
      write(row, kv_head, sums + at * padded_, totals + at);
    }
  }

 private:
  T* keys_of(const KvSequence& sequence, int64_t plane) const {
    return static_cast<T*>(sequence.keys) + plane * dim_ * padded_keys(sequence.capacity);
  }
  T* values_of(const KvSequence& sequence, int64_t plane) const {
    return static_cast<T*>(sequence.values) + plane * dim_ * sequence.capacity;
  }

  void store_token(int64_t row, int64_t kv_head, int64_t plane) const {
    const KvSequence& sequence = a_.sequences[row];
    const T* qkv = static_cast<const T*>(a_.qkv) + row * width_;
    const T* key = qkv + (a_.heads + kv_head) * dim_;
    const T* value = qkv + (a_.heads + a_.kv_heads + kv_head) * dim_;
    const int64_t t = sequence.length;
    T* keys = keys_of(sequence, plane) + t / kKeyTile * dim_ * kKeyTile + t % kKeyTile;
    for (int64_t d = 0; d < dim_; ++d) keys[d * kKeyTile] = key[d];
    std::memcpy(values_of(sequence, plane) + t * dim_, value, static_cast<size_t>(dim_) * sizeof(T));
  }

  void load_queries(int64_t row, int64_t kv_head, float* query) const {
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim_));
    const T* from = static_cast<const T*>(a_.qkv) + row * width_ + kv_head * group_ * dim_;
    for (int64_t d = 0; d < group_ * dim_; ++d) query[d] = to_float(from[d]) * scale;
  }

  void own_scores(int64_t row, int64_t plane, const void* next, const float* query, float* scores, float* totals) const {
    const KvSequence& sequence = a_.sequences[row];
    const int64_t prefix = sequence.prefix_length;
    const int64_t suffix = sequence.length + 1;
    const T* keys = keys_of(sequence, plane);
    RightSide<T> side = key_panels(keys, dim_);
    side.ahead = ahead(suffix, keys, next);
    small_product<true>(group_, padded_keys(suffix), dim_, LeftSide{query, dim_, 1}, side, scores + prefix, score_row_,
                        false);
    for (int64_t g = 0; g < group_; ++g) {
      float maximum;
      totals[g] = exponentiate(scores + g * score_row_, prefix + suffix, maximum);
    }
  }

  void add_own_values(int64_t row, int64_t plane, const void* next, const float* scores, float* sums) const {
    const KvSequence& sequence = a_.sequences[row];
    const int64_t suffix = sequence.length + 1;
    const T* values = values_of(sequence, plane);
    RightSide<T> side = row_major<T>(values, dim_);
    side.ahead = ahead(suffix, values, next);
    small_product<true>(group_, padded_, suffix, LeftSide{scores + sequence.prefix_length, score_row_, 1}, side, sums,
                        padded_, true);
  }

  void write(int64_t row, int64_t kv_head, const float* sums, const float* totals) const {
    for (int64_t g = 0; g < group_; ++g) {
      T* out = static_cast<T*>(a_.out) + (row * a_.heads + kv_head * group_ + g) * dim_;
      const float inverse = 1.0f / totals[g];
      write_row(sums + g * padded_, inverse, dim_, out);
    }
  }

  // What a thread reads after these rows: the next head's keys, or the first head's of the next rows.
  const void* next_task_keys(const Neighbours& rows, int64_t kv_head) const {
    const int64_t first_plane = a_.layer * a_.kv_heads;
    if (kv_head + 1 < a_.kv_heads) return keys_of(a_.sequences[rows.first], first_plane + kv_head + 1);
    return rows.end < a_.rows ? keys_of(a_.sequences[rows.end], first_plane) : nullptr;
  }

  // The way from a row's keys or values to what is read next, where both are short enough to wait in the nearest cache;
  // else to what follows in the same.
  std::ptrdiff_t ahead(int64_t tokens, const void* from, const void* next) const {
    if (next == nullptr || tokens * dim_ * static_cast<int64_t>(sizeof(T)) > kNearBytes) return kAheadBytes;
    return static_cast<std::ptrdiff_t>(reinterpret_cast<uintptr_t>(next) - reinterpret_cast<uintptr_t>(from));
  }

  const DecodeAttention& a_;
  int64_t dim_;
  int64_t group_;
  int64_t width_;
  int64_t padded_;
  int64_t score_row_ = 0;
};

template <class T>
void decode_attention(const DecodeAttention& a) {
  const Decoding<T> decoding(a);
  const std::vector<Neighbours> rows = neighbours_of(a);
  const int64_t tasks = static_cast<int64_t>(rows.size()) * a.kv_heads;
  parallel_ranges(tasks, kTasksPerThread, [&](int64_t begin, int64_t end, int) {
    Scratch scratch(decoding.scratch_floats());
    for (int64_t task = begin; task < end; ++task) {
      decoding.run(rows[task / a.kv_heads], task % a.kv_heads, scratch.data());
    }
  });
}

template <class T>
void store_prefix(const StorePrefix& a) {
  const int64_t dim = a.head_dim;
  const int64_t width = (a.heads + 2 * a.kv_heads) * dim;
  for (int64_t kv_head = 0; kv_head < a.kv_heads; ++kv_head) {
    const int64_t plane = a.layer * a.kv_heads + kv_head;
    T* keys = static_cast<T*>(a.keys) + plane * dim * padded_keys(a.length);
    T* values = static_cast<T*>(a.values) + plane * dim * a.length;
    for (int64_t t = 0; t < a.length; ++t) {
      const T* row = static_cast<const T*>(a.qkv) + t * width;
      const T* key = row + (a.heads + kv_head) * dim;
      const T* value = row + (a.heads + a.kv_heads + kv_head) * dim;
      T* tile = keys + t / kKeyTile * dim * kKeyTile + t % kKeyTile;
      for (int64_t d = 0; d < dim; ++d) {
        tile[d * kKeyTile] = key[d];
        values[t * dim + d] = value[d];
      }
    }
    for (int64_t t = a.length; t < padded_keys(a.length); ++t) {
      T* tile = keys + t / kKeyTile * dim * kKeyTile + t % kKeyTile;
      for (int64_t d = 0; d < dim; ++d) tile[d * kKeyTile] = T{};
    }
  }
}

}  // namespace

void register_decode_attention(Table& float32, Table& bfloat16) {
  float32.decode_attention = decode_attention<float>;
  float32.store_prefix = store_prefix<float>;
  bfloat16.decode_attention = decode_attention<Bfloat16>;
  bfloat16.store_prefix = store_prefix<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
