#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/element.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

template <class T>
void embedding(const Embedding& a) {
  for (int64_t t = 0; t < a.count; ++t) {
    std::memcpy(static_cast<T*>(a.out) + t * a.width, static_cast<const T*>(a.table) + a.tokens[t] * a.width,
                static_cast<size_t>(a.width) * sizeof(T));
  }
}

template <class T>
inline void add_row(const T* from, float* to, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) to[i] += to_float(from[i]);
}

// Each row is summed on its own and added to the table once.
template <class T>
void add_to_narrow_table(const EmbeddingBackward& a) {
  std::vector<int64_t> order(a.count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return a.tokens[i] < a.tokens[j]; });
  parallel_ranges(a.width, 16, [&](int64_t begin, int64_t end, int) {
    Scratch sum(end - begin);
    for (int64_t i = 0; i < a.count;) {
      const int32_t token = a.tokens[order[i]];
      T* row = static_cast<T*>(a.dtable) + token * a.width + begin;
      for (int64_t j = 0; j < end - begin; ++j) sum.data()[j] = to_float(row[j]);
      for (; i < a.count && a.tokens[order[i]] == token; ++i) {
        add_row(static_cast<const T*>(a.dx) + order[i] * a.width + begin, sum.data(), end - begin);
      }
      for (int64_t j = 0; j < end - begin; ++j) row[j] = from_float<T>(sum.data()[j]);
    }
  });
}

// Threads share out the columns, so that every sum has one order.
template <class T>
void embedding_backward(const EmbeddingBackward& a) {
  if (sizeof(T) < sizeof(float) && !a.float_table) {
    add_to_narrow_table<T>(a);
    return;
  }
  parallel_ranges(a.width, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = 0; t < a.count; ++t) {
      const T* dx = static_cast<const T*>(a.dx) + t * a.width;
      add_row(dx + begin, static_cast<float*>(a.dtable) + a.tokens[t] * a.width + begin, end - begin);
    }
  });
}

}  // namespace

void register_embedding(Table& float32, Table& bfloat16) {
  float32.embedding = embedding<float>;
  float32.embedding_backward = embedding_backward<float>;
  bfloat16.embedding = embedding<Bfloat16>;
  bfloat16.embedding_backward = embedding_backward<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
