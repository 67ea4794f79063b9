#include "kernels/cost.h"

#include <algorithm>
#include <tuple>

namespace zero_rl::kernels {

namespace {

constexpr double kFloat = 4;
constexpr double kIndex = 4;

double product(int64_t a, int64_t b, int64_t c = 1) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

// Pairs of a query and a key that it sees, per head.
double pairs(const Attention& call) {
  double sum = 0;
  for (int64_t i = 0; i < call.segment_count; ++i) {
    const Segment& segment = call.segments[i];
    sum += product(segment.length, segment.context_length + segment.prefix_length) +
           product(segment.length, segment.length + 1) / 2;
  }
  return sum;
}

struct AttentionBytes {
  double qkv = 0;
  double out = 0;
  double lse = 0;
  double context = 0;
};

AttentionBytes bytes_of(const Attention& call, int64_t element) {
  int64_t tokens = 0;
  int64_t cached = 0;
  for (int64_t i = 0; i < call.segment_count; ++i) {
    const Segment& segment = call.segments[i];
    tokens += segment.length;
    if (segment.prefix_length == 0) cached += segment.context_length;  // else it was counted with the prefix
  }
  return {.qkv = product(tokens, call.heads + 2 * call.kv_heads, call.head_dim * element),
          .out = product(tokens, call.heads, call.head_dim * element),
          .lse = call.lse == nullptr ? 0 : kFloat * product(tokens, call.heads),
          .context = 2 * product(cached, call.kv_heads, call.head_dim * element)};
}

}  // namespace

Cost cost_of(const Gemm& call, int64_t element) {
  const auto [m, n, k] = std::tuple(call.m, call.n, call.k);
  const double out = product(m, n) * (call.float_out ? kFloat : static_cast<double>(element));
  const double bias = call.bias == nullptr ? 0 : product(n, element);
  return {.bytes = product(m, k, element) + product(n, k, element) + bias + out * (call.accumulate ? 2 : 1),
          .flops = 2 * product(m, n, k)};
}

Cost cost_of(const PackPanels& call, int64_t element) {
  return {.bytes = 2 * product(call.n, call.k, element), .flops = 0};
}

Cost cost_of(const PackedGemm& call, int64_t element) {
  const auto [m, n, k] = std::tuple(call.m, call.n, call.k);
  double out = call.c == nullptr ? 0 : product(m, n) * (call.float_out ? kFloat : static_cast<double>(element));
  if (call.accumulate) out *= 2;
  const double bias = call.bias == nullptr ? 0 : product(n, element);
  const double activated = call.activated == nullptr ? 0 : product(m, n / 2, element);
  return {.bytes = product(m, k, element) + product(n, k, element) + bias + out + activated,
          .flops = 2 * product(m, n, k)};
}

Cost cost_of(const RmsNorm& call, int64_t element) {
  const double elements = product(call.outer, call.inner, call.dim);
  const double rstd = call.rstd == nullptr ? 0 : kFloat * product(call.outer, call.inner);
  return {.bytes = 2 * elements * static_cast<double>(element) + product(call.dim, element) + rstd,
          .flops = 4 * elements};
}

Cost cost_of(const RmsNormBackward& call, int64_t element) {
  const double elements = product(call.outer, call.inner, call.dim);
  const double passes = call.accumulate ? 4 : 3;
  return {.bytes = passes * elements * static_cast<double>(element) + product(call.dim, element) +
                   kFloat * product(call.outer, call.inner),
          .flops = 11 * elements};
}

// The table of angles counts once per token.
Cost cost_of(const Rope& call, int64_t element) {
  const double elements = product(call.tokens, call.heads, call.head_dim);
  return {.bytes = 2 * elements * static_cast<double>(element) + kFloat * product(call.tokens, call.head_dim),
          .flops = 3 * elements};
}

Cost cost_of(const SwiGluBackward& call, int64_t element) {
  const double elements = product(call.tokens, call.width);
  return {.bytes = 6 * elements * static_cast<double>(element), .flops = 12 * elements};
}

Cost cost_of(const ColumnSums& call, int64_t element) {
  const double elements = product(call.rows, call.width);
  return {.bytes = elements * static_cast<double>(element) + kFloat * static_cast<double>(call.width),
          .flops = elements};
}

Cost cost_of(const Attention& call, int64_t element) {
  const AttentionBytes bytes = bytes_of(call, element);
  return {.bytes = bytes.qkv + bytes.out + bytes.lse + bytes.context,
          .flops = 4 * product(call.heads, call.head_dim) * pairs(call)};
}

// Scores again, then the gradients of values, probabilities, queries and keys.
Cost cost_of(const AttentionBackward& call, int64_t element) {
  const AttentionBytes bytes = bytes_of(call.forward, element);
  return {.bytes = 2 * bytes.qkv + 2 * bytes.out + bytes.lse,
          .flops = 10 * product(call.forward.heads, call.forward.head_dim) * pairs(call.forward)};
}

// Pages with which the tables of rows in a row begin count once.
Cost cost_of(const PagedDecodeAttention& call, int64_t element) {
  double read = 0;
  double keys = 0;
  double rows = 0;
  int64_t last = -1;
  for (int64_t i = 0; i < call.rows; ++i) {
    if (call.positions[i] < 0) continue;
    int64_t shared = 0;
    const int64_t own = call.positions[i] + 1;
    if (last >= 0) {
      const int32_t* table = call.tables + i * call.table_stride;
      const int32_t* before = call.tables + last * call.table_stride;
      const int64_t most = (std::min<int64_t>(own, call.positions[last] + 1)) / kPageTokens;
      shared = (std::mismatch(table, table + most, before).first - table) * kPageTokens;
    }
    read += static_cast<double>(own - shared);
    keys += static_cast<double>(own);
    rows += 1;
    last = i;
  }
  const PagedCache& cache = call.cache;
  const int64_t width = 2 * call.heads + 2 * cache.kv_heads;
  return {.bytes = rows * product(width, cache.head_dim * element) +
                   2 * product(cache.kv_heads, cache.head_dim, element) * read,
          .flops = 4 * product(call.heads, cache.head_dim) * keys};
}

Cost cost_of(const StorePages& call, int64_t element) {
  const PagedCache& cache = call.cache;
  const int64_t rows = call.rows - std::count_if(call.pages, call.pages + call.rows, [](int32_t page) { return page < 0; });
  return {.bytes = 4 * product(cache.kv_heads, cache.head_dim * element, rows), .flops = 0};
}

Cost cost_of(const Softmax& call, int64_t /*element*/) {
  const double elements = product(call.rows, call.vocab);
  return {.bytes = 2 * kFloat * elements, .flops = 7 * elements};
}

Cost cost_of(const LogProbGradient& call, int64_t element) {
  const double elements = product(call.rows, call.vocab);
  return {.bytes = elements * (kFloat + static_cast<double>(element)), .flops = elements};
}

Cost cost_of(const EntropyGradient& call, int64_t element) {
  const double elements = product(call.rows, call.vocab);
  return {.bytes = elements * (kFloat + static_cast<double>(element)), .flops = 6 * elements};
}

Cost cost_of(const Embedding& call, int64_t element) {
  return {.bytes = 2 * product(call.count, call.width, element) + kIndex * static_cast<double>(call.count), .flops = 0};
}

// A row of the table counts once per token.
Cost cost_of(const EmbeddingBackward& call, int64_t element) {
  const double elements = product(call.count, call.width);
  const double table = call.float_table ? kFloat : static_cast<double>(element);
  return {.bytes = elements * (static_cast<double>(element) + 2 * table), .flops = elements};
}

Cost cost_of(const AdamW& call, int64_t element) {
  const bool split = call.remainders != nullptr;
  const double state = split ? kFloat : static_cast<double>(element);
  const double weight = static_cast<double>(element) + (split ? 2 : 0);
  return {.bytes = static_cast<double>(call.count) * (2 * weight + 4 * state + kFloat),
          .flops = 16 * static_cast<double>(call.count)};
}

Cost squared_norm_cost(int64_t count) {
  return {.bytes = 4 * static_cast<double>(count), .flops = 2 * static_cast<double>(count)};
}

}  // namespace zero_rl::kernels
