// Rotation, packed attention and decode attention beside their twins.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstring>

#include "bench/operator_case.h"
#include "device/flash_attention.h"
#include "device/operators.h"
#include "kernels/reference.h"
#include "model/rope_table.h"

namespace zero_rl::bench {

namespace {

constexpr float kEps = 1e-6F;
constexpr int64_t kPositions = 300;
const auto kFloatOptions = at::TensorOptions().dtype(at::kFloat);

struct Heads {
  explicit Heads(const Sizes& sizes)
      : heads(sizes.at("heads")), kv_heads(sizes.at("kv_heads")), dim(sizes.at("head_dim")) {}
  int64_t all() const { return heads + 2 * kv_heads; }
  int64_t rotated() const { return heads + kv_heads; }
  int64_t width() const { return all() * dim; }
  int64_t heads;
  int64_t kv_heads;
  int64_t dim;
};

struct Angles {
  explicit Angles(int64_t dim) {
    RopeTable table(RopeConfig{}, dim, kPositions, at::kCPU);
    table.reserve(kPositions);
    cosines = table.cosines().narrow(0, 0, kPositions).clone();
    sines = table.sines().narrow(0, 0, kPositions).clone();
  }
  at::Tensor cosines;
  at::Tensor sines;
};

// x [T, heads, D] rotated by the rows of positions; direction −1: back.
at::Tensor rotated(const at::Tensor& x, const Angles& angles, const at::Tensor& positions, double direction) {
  const int64_t half = x.size(2) / 2;
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor cosines = angles.cosines.index_select(0, positions).unsqueeze(1);
  const at::Tensor sines = angles.sines.index_select(0, positions).unsqueeze(1) * direction;
  const at::Tensor low = wide.narrow(2, 0, half);
  const at::Tensor high = wide.narrow(2, half, half);
  return at::cat({low * cosines - high * sines, high * cosines + low * sines}, 2).to(x.scalar_type());
}

// Pages for sequences of these lengths, in a random order, with some between them that belong to none.
struct Pages {
  Pages(const std::vector<int64_t>& lengths, int64_t spare, const Heads& h, at::ScalarType dtype, uint64_t seed) {
    int64_t covered = 0;
    int64_t used = 0;
    for (const int64_t length : lengths) {
      covered = std::max(covered, pages_of(length));
      used += pages_of(length);
    }
    covered += spare;
    const int64_t count = used + 3;
    keys = random_tensor({count, h.kv_heads, operators::kPageTokens, h.dim}, dtype, seed, 2);
    values = random_tensor({count, h.kv_heads, operators::kPageTokens, h.dim}, dtype, seed + 1, 2);
    const at::Tensor order = random_tensor({count}, at::kFloat, seed + 2).argsort();
    const auto rows = static_cast<int64_t>(lengths.size());
    // Entries behind a length may be anything, and a row's stride is wider than its entries.
    tables = at::full({rows, covered + 2}, 1 << 30, at::TensorOptions().dtype(at::kInt)).narrow(1, 1, covered);
    for (int64_t row = 0, next = 0; row < rows; ++row) {
      for (int64_t m = 0; m < pages_of(lengths[row]); ++m) tables.select(0, row).select(0, m).copy_(order.select(0, next++));
    }
  }
  static int64_t pages_of(int64_t tokens) { return (tokens + operators::kPageTokens - 1) / operators::kPageTokens; }

  // [Hk, D] of a position of a row.
  at::Tensor token(const at::Tensor& cache, int64_t row, int64_t position) const {
    const auto page = tables.select(0, row).select(0, position / operators::kPageTokens).item<int32_t>();
    return cache.select(0, page).select(1, position % operators::kPageTokens);
  }
  // [Hk, count, D] of the first positions of a row.
  at::Tensor context(const at::Tensor& cache, int64_t row, int64_t count) const {
    std::vector<at::Tensor> tokens;
    for (int64_t position = 0; position < count; ++position) tokens.push_back(token(cache, row, position));
    return at::stack(tokens, 1);
  }

  at::Tensor keys;
  at::Tensor values;
  at::Tensor tables;
};

// Sizes tokens, heads, kv_heads, head_dim, norm (0), append (0), unrotated (0), rows (0: a row of the tables for each token).
OperatorCase rotate(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t tokens = sizes.at("tokens");
  const bool norm = sizes.get("norm", 0) == 1;
  const bool append = sizes.get("append", 0) == 1;
  const bool turned = sizes.get("unrotated", 0) == 0;
  const int64_t rows = sizes.get("rows", 0);
  const Angles angles(h.dim);
  const at::Tensor qkv = random_tensor({tokens, h.width()}, dtype, seed, 3);
  // Distinct within a row of the tables; the second token is left alone.
  const at::Tensor positions = integer_tensor(tokens, kPositions / tokens, seed + 1) +
                               at::arange(tokens, at::TensorOptions().dtype(at::kInt)) * (kPositions / tokens);
  positions.data_ptr<int32_t>()[1] = -5;
  const at::Tensor q_norm = random_tensor({h.dim}, dtype, seed + 2);
  const at::Tensor k_norm = random_tensor({h.dim}, dtype, seed + 3);
  const at::Tensor raw = random_tensor({tokens, h.rotated() * h.dim}, dtype, seed + 4);
  const at::Tensor q_rstd = random_tensor({tokens, h.heads}, at::kFloat, seed + 5);
  const at::Tensor k_rstd = random_tensor({tokens, h.kv_heads}, at::kFloat, seed + 6);
  const at::Tensor table_rows = integer_tensor(tokens, std::max<int64_t>(rows, 1), seed + 7);
  const Pages pages(std::vector<int64_t>(rows > 0 ? rows : tokens, kPositions), 0, h, dtype, seed + 8);
  OperatorCase result;
  result.run = [=] {
    using Optional = operators::OptionalTensor;
    const auto given = [](bool condition, const at::Tensor& operand) {
      return condition ? Optional(operand) : std::nullopt;
    };
    operators::rotate(qkv, positions, angles.cosines, angles.sines, turned, h.heads, h.kv_heads, given(norm, q_norm),
                      given(norm, k_norm), kEps, given(norm, raw), given(norm, q_rstd), given(norm, k_rstd),
                      given(append, pages.tables), given(append && rows > 0, table_rows), given(append, pages.keys),
                      given(append, pages.values));
  };
  result.twin = [=] {
    const at::Tensor all = qkv.view({tokens, h.all(), h.dim});
    for (int64_t t = 0; t < tokens; ++t) {
      const int32_t position = positions.data_ptr<int32_t>()[t];
      if (position < 0) continue;
      at::Tensor x = all.narrow(0, t, 1).narrow(1, 0, h.rotated());
      if (norm) {
        raw.narrow(0, t, 1).view_as(x).copy_(x);
        const at::Tensor wide = x.to(at::kFloat);
        const at::Tensor rstd = wide.square().mean(at::IntArrayRef{2}).add(kEps).rsqrt();
        q_rstd.narrow(0, t, 1).copy_(rstd.narrow(1, 0, h.heads));
        k_rstd.narrow(0, t, 1).copy_(rstd.narrow(1, h.heads, h.kv_heads));
        const at::Tensor weights = at::cat({q_norm.unsqueeze(0).expand({h.heads, h.dim}),
                                            k_norm.unsqueeze(0).expand({h.kv_heads, h.dim})},
                                           0);
        x.copy_(wide * rstd.unsqueeze(2) * weights.to(at::kFloat));
      }
      if (turned) x.copy_(rotated(x, angles, positions.narrow(0, t, 1), 1));
      if (!append) continue;
      const int64_t row = rows > 0 ? table_rows.data_ptr<int32_t>()[t] : t;
      pages.token(pages.keys, row, position).copy_(all.select(0, t).narrow(0, h.heads, h.kv_heads));
      pages.token(pages.values, row, position).copy_(all.select(0, t).narrow(0, h.rotated(), h.kv_heads));
    }
  };
  for (const auto& [name, tensor] : {std::pair("qkv", qkv), std::pair("keys", pages.keys),
                                     std::pair("values", pages.values), std::pair("raw_qk", raw),
                                     std::pair("q_rstd", q_rstd), std::pair("k_rstd", k_rstd)}) {
    result.track_in_place(name, tensor);
  }
  return result;
}

// Sizes tokens, heads, kv_heads, head_dim, norm (0), unrotated (0).
OperatorCase rotate_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t tokens = sizes.at("tokens");
  const bool norm = sizes.get("norm", 0) == 1;
  const bool turned = sizes.get("unrotated", 0) == 0;
  const Angles angles(h.dim);
  const at::Tensor dqkv = random_tensor({tokens, h.width()}, dtype, seed);
  const at::Tensor positions = integer_tensor(tokens, kPositions, seed + 1);
  const at::Tensor q_norm = random_tensor({h.dim}, dtype, seed + 2);
  const at::Tensor k_norm = random_tensor({h.dim}, dtype, seed + 3);
  const at::Tensor raw = random_tensor({tokens, h.rotated() * h.dim}, dtype, seed + 4, 3);
  const at::Tensor rstd = raw.to(at::kFloat).view({tokens, h.rotated(), h.dim}).square().mean(at::IntArrayRef{2}).add(kEps).rsqrt();
  const at::Tensor q_rstd = rstd.narrow(1, 0, h.heads).contiguous();
  const at::Tensor k_rstd = rstd.narrow(1, h.heads, h.kv_heads).contiguous();
  const at::Tensor dq_norm = random_tensor({h.dim}, at::kFloat, seed + 5);
  const at::Tensor dk_norm = random_tensor({h.dim}, at::kFloat, seed + 6);
  OperatorCase result;
  result.run = [=] {
    using Optional = operators::OptionalTensor;
    const auto given = [norm](const at::Tensor& operand) { return norm ? Optional(operand) : std::nullopt; };
    operators::rotate_backward(dqkv, positions, angles.cosines, angles.sines, turned, h.heads, h.kv_heads, given(q_norm),
                               given(k_norm), given(raw), given(q_rstd), given(k_rstd), given(dq_norm), given(dk_norm));
  };
  result.twin = [=] {
    const at::Tensor all = dqkv.view({tokens, h.all(), h.dim});
    const auto side = [&](int64_t first, int64_t count, const at::Tensor& weight, const at::Tensor& scale,
                          const at::Tensor& dweight) {
      at::Tensor gradient = all.narrow(1, first, count);
      if (turned) gradient.copy_(rotated(gradient, angles, positions, -1));
      if (!norm) return;
      const at::Tensor wide = gradient.to(at::kFloat);
      const at::Tensor normalised =
          raw.view({tokens, h.rotated(), h.dim}).narrow(1, first, count).to(at::kFloat) * scale.unsqueeze(2);
      dweight.add_((wide * normalised).sum(at::IntArrayRef{0, 1}));
      const at::Tensor weighted = wide * weight.to(at::kFloat);
      const at::Tensor mean = (weighted * normalised).mean(at::IntArrayRef{2}, /*keepdim=*/true);
      gradient.copy_((weighted - normalised * mean) * scale.unsqueeze(2));
    };
    side(0, h.heads, q_norm, q_rstd, dq_norm);
    side(h.heads, h.kv_heads, k_norm, k_rstd, dk_norm);
  };
  result.track_in_place("dqkv", dqkv);
  result.track_in_place("dq_norm", dq_norm);
  result.track_in_place("dk_norm", dk_norm);
  return result;
}

// Segments of `length` tokens, shorter by `ragged` (0) from one to the next, at least 1; with `empty` (0) one of none comes
// second. With `prefix` (0) each is preceded by a segment of so many tokens more from one to the next, which it and two
// shorter ones share, and followed by one without. With `context` (0) those of every second family have as many cached tokens.
struct Packed {
  explicit Packed(const Sizes& sizes) {
    const int64_t prefix = sizes.get("prefix", 0);
    for (int64_t i = 0; i < sizes.at("sequences"); ++i) {
      const int64_t length = std::max<int64_t>(1, sizes.at("length") - i * sizes.get("ragged", 0));
      const int64_t context = i % 2 == 0 ? std::max<int64_t>(0, sizes.get("context", 0) - 3 * i) : 0;
      if (prefix > 0) {
        const int64_t begin = tokens;
        add(prefix + i, 0, 0, context);
        for (int64_t sibling = 0; sibling < 3; ++sibling) {
          add(std::max<int64_t>(1, length - 2 * sibling), begin, prefix + i, context);
          if (sibling == 1 && sizes.get("empty", 0) == 1) add(0, begin, prefix + i, context);
        }
      }
      add(length, 0, 0, context);
      if (i == 0 && sizes.get("empty", 0) == 1) add(0, 0, 0, 0);
    }
  }
  void add(int64_t length, int64_t prefix_begin, int64_t prefix_length, int64_t context) {
    for (const int64_t value : {tokens, length, prefix_begin, prefix_length, context}) {
      values.push_back(static_cast<int32_t>(value));
    }
    contexts.push_back(context);
    tokens += length;
  }
  std::vector<int32_t> values;
  std::vector<int64_t> contexts;
  int64_t tokens = 0;
};

// What the tokens of one segment do, in float64, heads first.
struct SegmentTwin {
  SegmentTwin(const Heads& heads, const Packed& packed, const Pages* pages, int64_t s, const at::Tensor& qkv)
      : h(heads), begin(packed.values[5 * s]), length(packed.values[5 * s + 1]), prefix_begin(packed.values[5 * s + 2]),
        prefix(packed.values[5 * s + 3]), context(packed.values[5 * s + 4]) {
    const at::Tensor all = qkv.view({packed.tokens, h.all(), h.dim}).transpose(0, 1).to(at::kDouble);
    query = all.narrow(0, 0, h.heads).narrow(1, begin, length);
    const auto seen = [&](int64_t first, const at::Tensor* cache) {
      const at::Tensor own = all.narrow(0, first, h.kv_heads);
      std::vector<at::Tensor> parts{own.narrow(1, prefix_begin, prefix), own.narrow(1, begin, length)};
      if (context > 0) parts.insert(parts.begin(), pages->context(*cache, s, context).to(at::kDouble));
      return at::cat(parts, 1).repeat_interleave(h.heads / h.kv_heads, 0);
    };
    keys = seen(h.heads, context > 0 ? &pages->keys : nullptr);
    values = seen(h.rotated(), context > 0 ? &pages->values : nullptr);
    const at::Tensor hidden = at::ones({length, context + prefix + length}, at::kBool).triu(context + prefix + 1);
    scores = (at::matmul(query, keys.transpose(1, 2)) / std::sqrt(static_cast<double>(h.dim))).masked_fill(hidden, -INFINITY);
  }
  // [Hq, length, D] of rows [T, Hq·D].
  at::Tensor rows(const at::Tensor& out) const {
    return out.view({out.size(0), h.heads, h.dim}).narrow(0, begin, length).transpose(0, 1);
  }
  // Adds a gradient of keys or values to columns of dqkv [T, Hq + 2Hk, D].
  void spread(const at::Tensor& dqkv, int64_t first, const at::Tensor& gradient) const {
    const at::Tensor sum = gradient.view({h.kv_heads, h.heads / h.kv_heads, -1, h.dim}).sum(1).transpose(0, 1);
    const at::Tensor to = dqkv.narrow(1, first, h.kv_heads);
    to.narrow(0, prefix_begin, prefix).add_(sum.narrow(0, context, prefix));
    to.narrow(0, begin, length).add_(sum.narrow(0, context + prefix, length));
  }

  const Heads& h;
  int64_t begin;
  int64_t length;
  int64_t prefix_begin;
  int64_t prefix;
  int64_t context;
  at::Tensor query;
  at::Tensor keys;
  at::Tensor values;
  at::Tensor scores;
};

void attention_twin(const Heads& h, const Packed& packed, const Pages& pages, const at::Tensor& qkv, const at::Tensor& out,
                    const at::Tensor& lse) {
  for (int64_t s = 0; s < static_cast<int64_t>(packed.contexts.size()); ++s) {
    if (packed.values[5 * s + 1] == 0) continue;
    const SegmentTwin twin(h, packed, &pages, s, qkv);
    twin.rows(out).copy_(at::matmul(at::softmax(twin.scores, 2), twin.values));
    lse.narrow(1, twin.begin, twin.length).copy_(at::logsumexp(twin.scores, 2));
  }
}

// Sizes of Packed, heads, kv_heads, head_dim; flash (0): by attention to the parts of what a token sees.
OperatorCase attention(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const Packed packed(sizes);
  const bool flash = sizes.get("flash", 0) == 1;
  const bool cached = sizes.get("context", 0) > 0;
  const operators::Segments segments(packed.values, at::kCPU, flash);
  const Pages pages(packed.contexts, 1, h, dtype, seed + 1);
  const at::Tensor qkv = random_tensor({packed.tokens, h.width()}, dtype, seed, 2);
  const at::Tensor out = at::empty({packed.tokens, h.heads * h.dim}, qkv.options());
  const at::Tensor lse = at::empty({h.heads, packed.tokens}, kFloatOptions);
  OperatorCase result;
  result.run = [=] {
    const auto given = [&](const at::Tensor& operand) { return cached ? std::optional(operand) : std::nullopt; };
    const auto run = flash ? operators::flash_attention : operators::attention;
    run(qkv, segments, h.heads, h.kv_heads, given(pages.keys), given(pages.values), given(pages.tables), out, lse);
  };
  result.twin = [=] { attention_twin(h, packed, pages, qkv, out, lse); };
  result.track("out", out);
  result.track("lse", lse);
  return result;
}

OperatorCase attention_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const Packed packed(sizes);
  const bool flash = sizes.get("flash", 0) == 1;
  const operators::Segments segments(packed.values, at::kCPU, flash);
  const at::Tensor qkv = random_tensor({packed.tokens, h.width()}, dtype, seed, 2);
  const at::Tensor dout = random_tensor({packed.tokens, h.heads * h.dim}, dtype, seed + 1);
  const at::Tensor out = at::empty({packed.tokens, h.heads * h.dim}, qkv.options());
  const at::Tensor lse = at::empty({h.heads, packed.tokens}, kFloatOptions);
  attention_twin(h, packed, Pages(packed.contexts, 1, h, dtype, seed + 2), qkv, out, lse);
  const at::Tensor dqkv = at::empty(qkv.sizes(), qkv.options());
  OperatorCase result;
  result.run = [=] {
    const auto run = flash ? operators::flash_attention_backward : operators::attention_backward;
    run(dout, qkv, out, lse, segments, h.heads, h.kv_heads, dqkv);
  };
  result.twin = [=] {
    const at::Tensor wide = at::zeros({packed.tokens, h.all(), h.dim}, at::TensorOptions().dtype(at::kDouble));
    for (int64_t s = 0; s < static_cast<int64_t>(packed.contexts.size()); ++s) {
      if (packed.values[5 * s + 1] == 0) continue;
      const SegmentTwin twin(h, packed, nullptr, s, qkv);
      const at::Tensor gradient = twin.rows(dout).to(at::kDouble);
      const at::Tensor weights = at::softmax(twin.scores, 2);
      const at::Tensor delta = (gradient * twin.rows(out)).sum(2, /*keepdim=*/true);
      const at::Tensor dscores =
          weights * (at::matmul(gradient, twin.values.transpose(1, 2)) - delta) / std::sqrt(static_cast<double>(h.dim));
      wide.narrow(1, 0, h.heads).narrow(0, twin.begin, twin.length).copy_(at::matmul(dscores, twin.keys).transpose(0, 1));
      twin.spread(wide, h.heads, at::matmul(dscores.transpose(1, 2), twin.query));
      twin.spread(wide, h.rotated(), at::matmul(weights.transpose(1, 2), gradient));
    }
    dqkv.copy_(wide.view(dqkv.sizes()));
  };
  result.track("dqkv", dqkv);
  return result;
}

// Sequences of the sizes of varlen_attention: `sequences` of `length` queries, fewer by `ragged` (0) from one to the next, and
// as many keys, or with `keys` so many, more by one from one to the next.
struct Varlen {
  explicit Varlen(const Sizes& sizes) : h(sizes), causal(sizes.get("keys", 0) == 0) {
    std::vector<int32_t> query_ends{0};
    std::vector<int32_t> key_ends{0};
    for (int64_t i = 0; i < sizes.at("sequences"); ++i) {
      const int64_t length = std::max<int64_t>(1, sizes.at("length") - i * sizes.get("ragged", 0));
      const int64_t count = causal ? length : sizes.at("keys") + i;
      query_ends.push_back(static_cast<int32_t>(query_ends.back() + length));
      key_ends.push_back(static_cast<int32_t>(key_ends.back() + count));
      most_queries = std::max(most_queries, length);
      most_keys = std::max(most_keys, count);
    }
    query_offsets = at::tensor(query_ends, at::TensorOptions().dtype(at::kInt));
    key_offsets = at::tensor(key_ends, at::TensorOptions().dtype(at::kInt));
    queries = query_ends.back();
    keys = key_ends.back();
  }
  Heads h;
  bool causal;
  at::Tensor query_offsets;
  at::Tensor key_offsets;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t most_queries = 0;
  int64_t most_keys = 0;
};

// The twin of both directions: per sequence and query in float64, with gradients where dout is defined.
struct VarlenTensors {
  VarlenTensors(const Varlen& v, at::ScalarType dtype, uint64_t seed)
      : query(random_tensor({v.queries, v.h.heads, v.h.dim}, dtype, seed, 2)),
        key(random_tensor({v.keys, v.h.kv_heads, v.h.dim}, dtype, seed + 1, 2)),
        value(random_tensor({v.keys, v.h.kv_heads, v.h.dim}, dtype, seed + 2, 2)),
        out(at::empty(query.sizes(), query.options())),
        lse(at::empty({v.h.heads, v.queries}, kFloatOptions)) {}

  // dquery, dkey and dvalue of dout in float64; writes out and lse where it is not defined.
  std::vector<at::Tensor> run(const Varlen& v, const at::Tensor& dout) const {
    const auto zeros = [](const at::Tensor& like) { return at::zeros(like.sizes(), at::TensorOptions().dtype(at::kDouble)); };
    const std::vector<at::Tensor> gradients{zeros(query), zeros(key), zeros(value)};
    const double scale = 1 / std::sqrt(static_cast<double>(v.h.dim));
    const auto* query_ends = v.query_offsets.data_ptr<int32_t>();
    const auto* key_ends = v.key_offsets.data_ptr<int32_t>();
    for (int64_t i = 0; i + 1 < v.query_offsets.numel(); ++i) {
      for (int64_t q = query_ends[i]; q < query_ends[i + 1]; ++q) {
        const int64_t seen = key_ends[i + 1] - key_ends[i] - (v.causal ? query_ends[i + 1] - 1 - q : 0);
        for (int64_t head = 0; head < v.h.heads; ++head) {
          const int64_t kv_head = head / (v.h.heads / v.h.kv_heads);
          const auto of = [&](const at::Tensor& rows) { return rows.select(1, kv_head).narrow(0, key_ends[i], seen); };
          const at::Tensor x = query.select(0, q).select(0, head).to(at::kDouble);
          const at::Tensor k = of(key).to(at::kDouble);
          const at::Tensor scores = at::matmul(k, x) * scale;
          const at::Tensor weights = at::softmax(scores, 0);
          if (!dout.defined()) {
            out.select(0, q).select(0, head).copy_(at::matmul(weights, of(value).to(at::kDouble)));
            lse.select(0, head).select(0, q).copy_(at::logsumexp(scores, 0));
            continue;
          }
          const at::Tensor gradient = dout.select(0, q).select(0, head).to(at::kDouble);
          const at::Tensor delta = (gradient * out.select(0, q).select(0, head)).sum();
          const at::Tensor dscores = weights * (at::matmul(of(value).to(at::kDouble), gradient) - delta) * scale;
          gradients[0].select(0, q).select(0, head).copy_(at::matmul(dscores, k));
          of(gradients[1]).add_(dscores.unsqueeze(1) * x);
          of(gradients[2]).add_(weights.unsqueeze(1) * gradient);
        }
      }
    }
    return gradients;
  }

  at::Tensor query;
  at::Tensor key;
  at::Tensor value;
  at::Tensor out;
  at::Tensor lse;
};

// Sizes of Varlen, heads, kv_heads, head_dim.
OperatorCase varlen_attention(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Varlen v(sizes);
  const VarlenTensors t(v, dtype, seed);
  OperatorCase result;
  result.run = [=] {
    operators::varlen_attention(t.query, t.key, t.value, v.query_offsets, v.key_offsets, v.most_queries, v.most_keys,
                                v.causal, 1 / std::sqrt(static_cast<double>(v.h.dim)), t.out, t.lse);
  };
  result.twin = [=] { t.run(v, at::Tensor()); };
  result.track("out", t.out);
  result.track("lse", t.lse);
  return result;
}

OperatorCase varlen_attention_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Varlen v(sizes);
  const VarlenTensors t(v, dtype, seed);
  t.run(v, at::Tensor());
  const at::Tensor dout = random_tensor(t.query.sizes(), dtype, seed + 3);
  const at::Tensor dquery = at::empty(t.query.sizes(), t.query.options());
  const at::Tensor dkey = at::empty(t.key.sizes(), t.key.options());
  const at::Tensor dvalue = at::empty(t.value.sizes(), t.value.options());
  OperatorCase result;
  result.run = [=] {
    operators::varlen_attention_backward(dout, t.query, t.key, t.value, t.out, t.lse, v.query_offsets, v.key_offsets,
                                         v.most_queries, v.most_keys, v.causal,
                                         1 / std::sqrt(static_cast<double>(v.h.dim)), dquery, dkey, dvalue);
  };
  result.twin = [=] {
    const std::vector<at::Tensor> gradients = t.run(v, dout);
    dquery.copy_(gradients[0]);
    dkey.copy_(gradients[1]);
    dvalue.copy_(gradients[2]);
  };
  result.track("dquery", dquery);
  result.track("dkey", dkey);
  result.track("dvalue", dvalue);
  return result;
}

// Sizes tokens, queries (of them, in a random order), heads, kv_heads, head_dim.
OperatorCase merge_attention(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t tokens = sizes.at("tokens");
  const int64_t queries = sizes.at("queries");
  const at::Tensor order = random_tensor({tokens}, at::kFloat, seed).argsort().narrow(0, 0, queries);
  const at::Tensor rows = order.to(at::kInt);
  const at::Tensor part = random_tensor({queries, h.heads, h.dim}, dtype, seed + 1);
  const at::Tensor part_lse = random_tensor({h.heads, queries}, at::kFloat, seed + 2, 20);
  const at::Tensor out = random_tensor({tokens, h.heads, h.dim}, dtype, seed + 3);
  const at::Tensor lse = random_tensor({h.heads, tokens}, at::kFloat, seed + 4, 20);
  OperatorCase result;
  result.run = [=] { operators::merge_attention(part, part_lse, rows, out, lse); };
  result.twin = [=] {
    const at::Tensor own = lse.index_select(1, order).to(at::kDouble);
    const at::Tensor sum = at::logaddexp(own, part_lse.to(at::kDouble));
    const auto weight = [&](const at::Tensor& of) { return (of - sum).exp().t().unsqueeze(2); };
    const at::Tensor merged = out.index_select(0, order) * weight(own) + part * weight(part_lse);
    at::Tensor to = out;
    to.index_copy_(0, order, merged.to(dtype));
    at::Tensor sums = lse;
    sums.index_copy_(1, order, sum.to(at::kFloat));
  };
  result.track_in_place("out", out);
  result.track_in_place("lse", lse);
  return result;
}

// Sizes rows (of the tables), length, heads, kv_heads, head_dim.
OperatorCase gather_context(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t rows = sizes.at("rows");
  const int64_t length = sizes.at("length");
  const Pages pages(std::vector<int64_t>(rows, length), 1, h, dtype, seed);
  const int64_t count = rows * length / 2;
  const at::Tensor places =
      at::stack({integer_tensor(count, rows, seed + 5), integer_tensor(count, length, seed + 6)}, 1).contiguous();
  const at::Tensor keys = at::empty({count, h.kv_heads, h.dim}, pages.keys.options());
  const at::Tensor values = at::empty(keys.sizes(), keys.options());
  OperatorCase result;
  result.run = [=] { operators::gather_context(pages.keys, pages.values, pages.tables, places, keys, values); };
  result.twin = [=] {
    for (int64_t i = 0; i < count; ++i) {
      const int32_t* place = places.data_ptr<int32_t>() + 2 * i;
      keys.select(0, i).copy_(pages.token(pages.keys, place[0], place[1]));
      values.select(0, i).copy_(pages.token(pages.values, place[0], place[1]));
    }
  };
  result.track("keys", keys);
  result.track("values", values);
  return result;
}

// Sizes rows, length (of the first row; the others' are random up to it), spare (0: pages that tables cover beyond), heads,
// kv_heads, head_dim. The second row has no token. `alone` says whether a row is the same to the bit when it is in another
// place, among fewer rows, with pages in another order and tables that cover more.
OperatorCase decode_attention(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t rows = sizes.at("rows");
  const int64_t spare = sizes.get("spare", 0);
  std::vector<int64_t> lengths;
  std::vector<int32_t> last;
  for (const int32_t before : random_integers(rows, sizes.at("length"), seed + 5)) {
    lengths.push_back(lengths.empty() ? sizes.at("length") : lengths.size() == 1 ? 0 : before + 1);
    last.push_back(static_cast<int32_t>(lengths.size() == 2 ? -1 - before : lengths.back() - 1));
  }
  const at::Tensor qkv = random_tensor({rows, h.width()}, dtype, seed, 2);
  const Pages pages(lengths, spare, h, dtype, seed + 1);
  const at::Tensor positions = at::tensor(last, at::TensorOptions().dtype(at::kInt));
  const at::Tensor out = at::empty({rows, h.heads * h.dim}, qkv.options());
  const auto partials_of = [&](int64_t count, int64_t covered) {
    return at::empty({count, h.heads, operators::decode_splits(covered), h.dim + 2}, kFloatOptions);
  };
  const at::Tensor partials = partials_of(rows, pages.tables.size(1));

  const int64_t others = rows - 1;
  const at::Tensor backwards = at::arange(others, 0, -1, at::TensorOptions().dtype(at::kLong));
  const int64_t count = pages.keys.size(0);
  const int64_t covered = pages.tables.size(1) + 9;
  const at::Tensor moved_qkv = qkv.index_select(0, backwards);
  const at::Tensor moved_keys = pages.keys.flip(0).contiguous();
  const at::Tensor moved_values = pages.values.flip(0).contiguous();
  const at::Tensor moved_tables = at::full({others, covered}, -7, at::TensorOptions().dtype(at::kInt));
  moved_tables.narrow(1, 0, pages.tables.size(1)).copy_(count - 1 - pages.tables.index_select(0, backwards));
  const at::Tensor moved_positions = positions.index_select(0, backwards);
  const at::Tensor moved_out = at::empty({others, h.heads * h.dim}, qkv.options());
  const at::Tensor moved_partials = partials_of(others, covered);
  const at::Tensor alone = at::empty({1}, at::TensorOptions().dtype(at::kInt));
  OperatorCase result;
  result.run = [=] {
    operators::decode_attention(qkv, pages.keys, pages.values, pages.tables, positions, h.heads, h.kv_heads, partials,
                                out);
    operators::decode_attention(moved_qkv, moved_keys, moved_values, moved_tables, moved_positions, h.heads, h.kv_heads,
                                moved_partials, moved_out);
    const int64_t bytes = h.heads * h.dim * out.element_size();
    bool same = true;
    for (int64_t i = 0; i < others; ++i) {
      const auto* a = static_cast<const char*>(out.data_ptr()) + (others - i) * bytes;
      const auto* b = static_cast<const char*>(moved_out.data_ptr()) + i * bytes;
      same = same && std::memcmp(a, b, bytes) == 0;
    }
    alone.data_ptr<int32_t>()[0] = same ? 1 : 0;
  };
  result.twin = [=] {
    alone.fill_(1);
    out.zero_();
    for (int64_t row = 0; row < rows; ++row) {
      if (lengths[row] == 0) continue;
      const auto context = [&](const at::Tensor& cache) {
        return pages.context(cache, row, lengths[row]).to(at::kDouble).repeat_interleave(h.heads / h.kv_heads, 0);
      };
      const at::Tensor query = qkv.select(0, row).narrow(0, 0, h.heads * h.dim).view({h.heads, 1, h.dim}).to(at::kDouble);
      const at::Tensor scores =
          at::matmul(query, context(pages.keys).transpose(1, 2)) / std::sqrt(static_cast<double>(h.dim));
      out.select(0, row).copy_(at::matmul(at::softmax(scores, 2), context(pages.values)).reshape({h.heads * h.dim}));
    }
  };
  result.track("out", out);
  result.track("alone", alone);
  return result;
}

}  // namespace

OperatorMakers attention_operator_makers() {
  return {{"rotate", rotate},
          {"rotate_backward", rotate_backward},
          {"attention", attention},
          {"attention_backward", attention_backward},
          {"varlen_attention", varlen_attention},
          {"varlen_attention_backward", varlen_attention_backward},
          {"merge_attention", merge_attention},
          {"gather_context", gather_context},
          {"decode_attention", decode_attention}};
}

}  // namespace zero_rl::bench
