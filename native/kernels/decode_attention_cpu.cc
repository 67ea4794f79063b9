// One query per sequence over a prompt's shared keys and the sequence's own, read once for all query
// heads of a key/value head. Keys lie transposed, so that scores vectorise over the context.
#include "kernels/attention_row.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

template <class T>
void decode_attention(const DecodeAttention& a) {
  const int64_t dim = a.head_dim;
  const int64_t group = a.heads / a.kv_heads;
  const int64_t width = (a.heads + 2 * a.kv_heads) * dim;
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  int64_t longest = 0;
  for (int64_t row = 0; row < a.rows; ++row) {
    const int64_t context = a.sequences[row].prefix_length + a.sequences[row].length + 1;
    longest = context > longest ? context : longest;
  }
  parallel_ranges(a.rows * a.kv_heads, 8, [&](int64_t begin, int64_t end, int) {
    Scratch scratch(longest + 2 * dim);
    float* scores = scratch.data();
    float* query = scores + longest;
    float* sum = query + dim;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / a.kv_heads;
      const int64_t kv_head = task % a.kv_heads;
      const KvSequence& sequence = a.sequences[row];
      const int64_t plane = a.layer * a.kv_heads + kv_head;
      const T* prefix_keys = static_cast<const T*>(sequence.prefix_keys) + plane * dim * sequence.prefix_length;
      const T* prefix_values = static_cast<const T*>(sequence.prefix_values) + plane * dim * sequence.prefix_length;
      T* keys = static_cast<T*>(sequence.keys) + plane * dim * sequence.capacity;
      T* values = static_cast<T*>(sequence.values) + plane * dim * sequence.capacity;
      const T* qkv = static_cast<const T*>(a.qkv) + row * width;
      const T* key = qkv + (a.heads + kv_head) * dim;
      const T* value = qkv + (a.heads + a.kv_heads + kv_head) * dim;
      for (int64_t d = 0; d < dim; ++d) {
        keys[d * sequence.capacity + sequence.length] = key[d];
        values[sequence.length * dim + d] = value[d];
      }
      const int64_t suffix = sequence.length + 1;
      const int64_t context = sequence.prefix_length + suffix;
      for (int64_t g = 0; g < group; ++g) {
        const int64_t head = kv_head * group + g;
        for (int64_t d = 0; d < dim; ++d) query[d] = to_float(qkv[head * dim + d]) * scale;
        key_scores(query, prefix_keys, sequence.prefix_length, dim, sequence.prefix_length, scores);
        key_scores(query, keys, sequence.capacity, dim, suffix, scores + sequence.prefix_length);
        float maximum = 0;
        const float total = exponentiate(scores, context, maximum);
        for (int64_t d = 0; d < dim; ++d) sum[d] = 0;
        add_weighted_rows(scores, prefix_values, dim, sequence.prefix_length, sum);
        add_weighted_rows(scores + sequence.prefix_length, values, dim, suffix, sum);
        T* out = static_cast<T*>(a.out) + (row * a.heads + head) * dim;
        const float inverse = 1.0f / total;
        for (int64_t d = 0; d < dim; ++d) out[d] = from_float<T>(sum[d] * inverse);
      }
    }
  });
}

template <class T>
void store_prefix(const StorePrefix& a) {
  const int64_t dim = a.head_dim;
  const int64_t width = (a.heads + 2 * a.kv_heads) * dim;
  for (int64_t kv_head = 0; kv_head < a.kv_heads; ++kv_head) {
    const int64_t plane = a.layer * a.kv_heads + kv_head;
    T* keys = static_cast<T*>(a.keys) + plane * dim * a.length;
    T* values = static_cast<T*>(a.values) + plane * dim * a.length;
    for (int64_t t = 0; t < a.length; ++t) {
      const T* row = static_cast<const T*>(a.qkv) + t * width;
      const T* key = row + (a.heads + kv_head) * dim;
      const T* value = row + (a.heads + a.kv_heads + kv_head) * dim;
      for (int64_t d = 0; d < dim; ++d) {
        keys[d * a.length + t] = key[d];
        values[t * dim + d] = value[d];
      }
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
