// Causal attention of packed sequences, one task per (sequence, key/value head). Keys are transposed
// into scratch so that scores vectorise over keys; the whole score row is kept, which suits contexts up
// to some tens of thousands of tokens and costs no online softmax.
#include "kernels/attention_row.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

// Where one (sequence, key/value head) lies.
template <class T>
struct HeadView {
  HeadView(const Attention& a, int64_t task)
      : kv_head(task % a.kv_heads),
        begin(a.offsets[task / a.kv_heads]),
        length(a.offsets[task / a.kv_heads + 1] - begin),
        width((a.heads + 2 * a.kv_heads) * a.head_dim),
        key_column((a.heads + kv_head) * a.head_dim),
        value_column((a.heads + a.kv_heads + kv_head) * a.head_dim),
        padded((length + 15) / 16 * 16) {}

  // [D, padded]
  void transpose(const void* matrix, int64_t column, int64_t dim, float* out) const {
    for (int64_t t = 0; t < length; ++t) {
      const T* row = static_cast<const T*>(matrix) + (begin + t) * width + column;
      for (int64_t d = 0; d < dim; ++d) out[d * padded + t] = to_float(row[d]);
    }
  }

  // [length, D]
  void copy(const void* matrix, int64_t column, int64_t dim, float* out) const {
    for (int64_t t = 0; t < length; ++t) {
      const T* row = static_cast<const T*>(matrix) + (begin + t) * width + column;
      for (int64_t d = 0; d < dim; ++d) out[t * dim + d] = to_float(row[d]);
    }
  }

  int64_t kv_head;
  int64_t begin;
  int64_t length;
  int64_t width;
  int64_t key_column;
  int64_t value_column;
  int64_t padded;
};

template <class Body>
void for_each_task(int64_t tasks, const Body& body) {
#pragma omp parallel for schedule(dynamic, 1) if (tasks > 1)
  for (int64_t task = 0; task < tasks; ++task) body(task);
}

// Scores become probabilities; dscores, which hold dout · value, become the gradients of the scores.
inline void score_gradients(float* probabilities, float* dscores, float lse, float delta, int64_t count) {
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) {
    probabilities[j] = fast_exp(probabilities[j] - lse);
    dscores[j] = probabilities[j] * (dscores[j] - delta);
  }
}

// dkeys[j] += dscores[j] · query, dvalues[j] += probabilities[j] · dout.
inline void add_outer_products(const float* dscores, const float* query, float* dkeys, const float* probabilities,
                               const float* dout, float* dvalues, int64_t dim, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    float* dkey = dkeys + j * dim;
    float* dvalue = dvalues + j * dim;
    const float dscore = dscores[j];
    const float probability = probabilities[j];
#pragma omp simd
    for (int64_t d = 0; d < dim; ++d) {
      dkey[d] += dscore * query[d];
      dvalue[d] += probability * dout[d];
    }
  }
}

template <class T>
void attention(const Attention& a) {
  const int64_t dim = a.head_dim;
  const int64_t group = a.heads / a.kv_heads;
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  for_each_task(a.sequences * a.kv_heads, [&](int64_t task) {
    const HeadView<T> view(a, task);
    Scratch scratch(2 * dim * view.padded + view.padded + 2 * dim);
    float* keys = scratch.data();
    float* values = keys + dim * view.padded;
    float* scores = values + dim * view.padded;
    float* query = scores + view.padded;
    float* sum = query + dim;
    view.transpose(a.qkv, view.key_column, dim, keys);
    view.copy(a.qkv, view.value_column, dim, values);
    for (int64_t g = 0; g < group; ++g) {
      const int64_t head = view.kv_head * group + g;
      for (int64_t t = 0; t < view.length; ++t) {
        const T* row = static_cast<const T*>(a.qkv) + (view.begin + t) * view.width + head * dim;
        for (int64_t d = 0; d < dim; ++d) query[d] = to_float(row[d]) * scale;
        key_scores(query, keys, view.padded, dim, t + 1, scores);
        float maximum = 0;
        const float total = exponentiate(scores, t + 1, maximum);
        for (int64_t d = 0; d < dim; ++d) sum[d] = 0;
        add_weighted_rows(scores, values, dim, t + 1, sum);
        T* out = static_cast<T*>(a.out) + ((view.begin + t) * a.heads + head) * dim;
        const float inverse = 1.0f / total;
        for (int64_t d = 0; d < dim; ++d) out[d] = from_float<T>(sum[d] * inverse);
        if (a.lse != nullptr) a.lse[(view.begin + t) * a.heads + head] = maximum + std::log(total);
      }
    }
  });
}

template <class T>
void attention_backward(const AttentionBackward& b) {
  const Attention& a = b.forward;
  const int64_t dim = a.head_dim;
  const int64_t group = a.heads / a.kv_heads;
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  for_each_task(a.sequences * a.kv_heads, [&](int64_t task) {
    const HeadView<T> view(a, task);
    const int64_t block = dim * view.padded;
    Scratch scratch(5 * block + 2 * view.padded + 3 * dim);
    float* keys = scratch.data();       // [D, padded]
    float* values = keys + block;       // [D, padded]
    float* key_rows = values + block;   // [length, D]
    float* dkeys = key_rows + block;    // [length, D]
    float* dvalues = dkeys + block;     // [length, D]
    float* probabilities = dvalues + block;
    float* dscores = probabilities + view.padded;
    float* query = dscores + view.padded;
    float* dout = query + dim;
    float* dquery = dout + dim;
    view.transpose(a.qkv, view.key_column, dim, keys);
    view.transpose(a.qkv, view.value_column, dim, values);
    view.copy(a.qkv, view.key_column, dim, key_rows);
    std::memset(dkeys, 0, static_cast<size_t>(2 * block) * sizeof(float));
    for (int64_t g = 0; g < group; ++g) {
      const int64_t head = view.kv_head * group + g;
      for (int64_t t = 0; t < view.length; ++t) {
        const int64_t token = view.begin + t;
        const int64_t count = t + 1;
        const T* query_row = static_cast<const T*>(a.qkv) + token * view.width + head * dim;
        const T* out_row = static_cast<const T*>(a.out) + (token * a.heads + head) * dim;
        const T* dout_row = static_cast<const T*>(b.dout) + (token * a.heads + head) * dim;
        float delta = 0;
        for (int64_t d = 0; d < dim; ++d) {
          query[d] = to_float(query_row[d]) * scale;
          dout[d] = to_float(dout_row[d]);
          dquery[d] = 0;
          delta += dout[d] * to_float(out_row[d]);
        }
        const float lse = a.lse[token * a.heads + head];
        key_scores(query, keys, view.padded, dim, count, probabilities);
        key_scores(dout, values, view.padded, dim, count, dscores);
        score_gradients(probabilities, dscores, lse, delta, count);
        add_weighted_rows(dscores, key_rows, dim, count, dquery);
        add_outer_products(dscores, query, dkeys, probabilities, dout, dvalues, dim, count);
        T* dquery_row = static_cast<T*>(b.dqkv) + token * view.width + head * dim;
        for (int64_t d = 0; d < dim; ++d) dquery_row[d] = from_float<T>(dquery[d] * scale);
      }
    }
    for (int64_t t = 0; t < view.length; ++t) {
      T* row = static_cast<T*>(b.dqkv) + (view.begin + t) * view.width;
      for (int64_t d = 0; d < dim; ++d) {
        row[view.key_column + d] = from_float<T>(dkeys[t * dim + d]);
        row[view.value_column + d] = from_float<T>(dvalues[t * dim + d]);
      }
    }
  });
}

}  // namespace

void register_attention(Table& float32, Table& bfloat16) {
  float32.attention = attention<float>;
  float32.attention_backward = attention_backward<float>;
  bfloat16.attention = attention<Bfloat16>;
  bfloat16.attention_backward = attention_backward<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
