// Rotation, packed attention and decode attention beside their twins.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstring>

#include "bench/operator_case.h"
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

// Sequences of `length` tokens, shorter by `ragged` (0) from one to the next, at least 1; with `empty` (0) one of none
// comes second.
struct Packed {
  explicit Packed(const Sizes& sizes) {
    std::vector<int32_t> ends{0};
    for (int64_t i = 0; i < sizes.at("sequences"); ++i) {
      const int64_t length = std::max<int64_t>(1, sizes.at("length") - i * sizes.get("ragged", 0));
      segments.push_back({tokens, length, 0, 0});
      tokens += length;
      longest = std::max(longest, length);
      ends.push_back(static_cast<int32_t>(tokens));
      if (i == 0 && sizes.get("empty", 0) == 1) ends.push_back(static_cast<int32_t>(tokens));
    }
    offsets = at::tensor(ends, at::TensorOptions().dtype(at::kInt));
  }
  std::vector<kernels::Segment> segments;
  at::Tensor offsets;
  int64_t tokens = 0;
  int64_t longest = 0;
};

kernels::Attention twin_of(const Heads& h, const Packed& packed, const at::Tensor& qkv, const at::Tensor& out,
                           const at::Tensor& lse) {
  return {.qkv = qkv.data_ptr(),
          .out = out.data_ptr(),
          .lse = lse.data_ptr<float>(),
          .segments = packed.segments.data(),
          .segment_count = static_cast<int64_t>(packed.segments.size()),
          .heads = h.heads,
          .kv_heads = h.kv_heads,
          .head_dim = h.dim};
}

// Sizes sequences, length, ragged (0), empty (0), heads, kv_heads, head_dim.
OperatorCase attention(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const Packed packed(sizes);
  const at::Tensor qkv = random_tensor({packed.tokens, h.width()}, dtype, seed, 2);
  const at::Tensor out = at::empty({packed.tokens, h.heads * h.dim}, qkv.options());
  const at::Tensor lse = at::empty({h.heads, packed.tokens}, kFloatOptions);
  OperatorCase result;
  result.run = [=] { operators::attention(qkv, packed.offsets, packed.longest, h.heads, h.kv_heads, out, lse); };
  result.twin = [=] {
    const at::Tensor by_token = at::empty({packed.tokens, h.heads}, kFloatOptions);
    kernels::reference_table(dtype).attention(twin_of(h, packed, qkv, out, by_token));
    lse.copy_(by_token.t());
  };
  result.track("out", out);
  result.track("lse", lse);
  return result;
}

OperatorCase attention_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const Packed packed(sizes);
  const at::Tensor qkv = random_tensor({packed.tokens, h.width()}, dtype, seed, 2);
  const at::Tensor dout = random_tensor({packed.tokens, h.heads * h.dim}, dtype, seed + 1);
  const at::Tensor out = at::empty({packed.tokens, h.heads * h.dim}, qkv.options());
  const at::Tensor by_token = at::empty({packed.tokens, h.heads}, kFloatOptions);
  kernels::reference_table(dtype).attention(twin_of(h, packed, qkv, out, by_token));
  const at::Tensor lse = by_token.t().contiguous();
  const at::Tensor dqkv = at::empty(qkv.sizes(), qkv.options());
  OperatorCase result;
  result.run = [=] {
    operators::attention_backward(dout, qkv, out, lse, packed.offsets, packed.longest, h.heads, h.kv_heads, dqkv);
  };
  result.twin = [=] {
    dqkv.zero_();
    kernels::reference_table(dtype).attention_backward(
        {.forward = twin_of(h, packed, qkv, out, by_token), .dout = dout.data_ptr(), .dqkv = dqkv.data_ptr()});
  };
  result.track("dqkv", dqkv);
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
          {"decode_attention", decode_attention}};
}

}  // namespace zero_rl::bench
