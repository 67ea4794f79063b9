// Rotation, packed attention and decode attention beside their twins.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

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
    RopeTable table(RopeConfig{}, dim);
    table.reserve(kPositions);
    cosines = reference_of(table.cosines(), dim / 2);
    sines = reference_of(table.sines(), dim / 2);
  }
  static at::Tensor reference_of(const float* from, int64_t half) {
    return kernels::reference::dense(from, {kPositions, half}, at::kFloat).clone();
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

// Sizes tokens, heads, kv_heads, head_dim, norm (0), append (0).
OperatorCase rotate(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t tokens = sizes.at("tokens");
  const bool norm = sizes.get("norm", 0) == 1;
  const bool append = sizes.get("append", 0) == 1;
  const Angles angles(h.dim);
  const at::Tensor qkv = random_tensor({tokens, h.width()}, dtype, seed, 3);
  const at::Tensor positions = integer_tensor(tokens, kPositions, seed + 1);
  const at::Tensor q_norm = random_tensor({h.dim}, dtype, seed + 2);
  const at::Tensor k_norm = random_tensor({h.dim}, dtype, seed + 3);
  const at::Tensor raw = at::empty({tokens, h.rotated() * h.dim}, qkv.options());
  const at::Tensor q_rstd = at::empty({tokens, h.heads}, kFloatOptions);
  const at::Tensor k_rstd = at::empty({tokens, h.kv_heads}, kFloatOptions);
  // Every token has a slot of its own but the second, which is padding.
  const int64_t capacity = 7;
  const at::Tensor slots = at::empty({tokens}, at::TensorOptions().dtype(at::kInt));
  for (int64_t t = 0; t < tokens; ++t) slots.data_ptr<int32_t>()[t] = static_cast<int32_t>(t == 1 ? -1 : tokens - 1 - t);
  const at::Tensor indices = integer_tensor(tokens, capacity, seed + 4);
  const at::Tensor keys = random_tensor({tokens, h.kv_heads, capacity, h.dim}, dtype, seed + 5);
  const at::Tensor values = random_tensor({tokens, h.kv_heads, capacity, h.dim}, dtype, seed + 6);
  OperatorCase result;
  result.run = [=] {
    using Optional = operators::OptionalTensor;
    const auto given = [](bool condition, const at::Tensor& operand) {
      return condition ? Optional(operand) : std::nullopt;
    };
    operators::rotate(qkv, positions, angles.cosines, angles.sines, h.heads, h.kv_heads, given(norm, q_norm),
                      given(norm, k_norm), kEps, given(norm, raw), given(norm, q_rstd), given(norm, k_rstd),
                      given(append, slots), given(append, indices), given(append, keys), given(append, values));
  };
  result.twin = [=] {
    const at::Tensor all = qkv.view({tokens, h.all(), h.dim});
    at::Tensor x = all.narrow(1, 0, h.rotated());
    if (norm) {
      raw.view_as(x).copy_(x);
      const at::Tensor wide = x.to(at::kFloat);
      const at::Tensor rstd = wide.square().mean(at::IntArrayRef{2}).add(kEps).rsqrt();
      q_rstd.copy_(rstd.narrow(1, 0, h.heads));
      k_rstd.copy_(rstd.narrow(1, h.heads, h.kv_heads));
      const at::Tensor weights = at::cat({q_norm.unsqueeze(0).expand({h.heads, h.dim}),
                                          k_norm.unsqueeze(0).expand({h.kv_heads, h.dim})},
                                         0);
      x.copy_(wide * rstd.unsqueeze(2) * weights.to(at::kFloat));
    }
    x.copy_(rotated(x, angles, positions, 1));
    for (int64_t t = 0; append && t < tokens; ++t) {
      const int32_t slot = slots.data_ptr<int32_t>()[t];
      if (slot < 0) continue;
      const int32_t index = indices.data_ptr<int32_t>()[t];
      keys.select(0, slot).select(1, index).copy_(all.select(0, t).narrow(0, h.heads, h.kv_heads));
      values.select(0, slot).select(1, index).copy_(all.select(0, t).narrow(0, h.rotated(), h.kv_heads));
    }
  };
  result.track_in_place("qkv", qkv);
  result.track_in_place("keys", keys);
  result.track_in_place("values", values);
  if (norm) {
    result.track("raw_qk", raw);
    result.track("q_rstd", q_rstd);
    result.track("k_rstd", k_rstd);
  }
  return result;
}

// Sizes tokens, heads, kv_heads, head_dim, norm (0).
OperatorCase rotate_backward(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t tokens = sizes.at("tokens");
  const bool norm = sizes.get("norm", 0) == 1;
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
    operators::rotate_backward(dqkv, positions, angles.cosines, angles.sines, h.heads, h.kv_heads, given(q_norm),
                               given(k_norm), given(raw), given(q_rstd), given(k_rstd), given(dq_norm), given(dk_norm));
  };
  result.twin = [=] {
    const at::Tensor all = dqkv.view({tokens, h.all(), h.dim});
    const auto side = [&](int64_t first, int64_t count, const at::Tensor& weight, const at::Tensor& scale,
                          const at::Tensor& dweight) {
      at::Tensor gradient = all.narrow(1, first, count);
      gradient.copy_(rotated(gradient, angles, positions, -1));
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

// Sizes rows, slots (rows), capacity, prefix (0: none, else its capacity), group (rows that share a prefix; 1), heads,
// kv_heads, head_dim. Lengths differ from row to row, up to the capacities; the second row is padding, the last has no
// prefix.
OperatorCase decode_attention(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t rows = sizes.at("rows");
  const int64_t capacity = sizes.at("capacity");
  const int64_t prefix = sizes.get("prefix", 0);
  const int64_t group = sizes.get("group", 1);
  const int64_t prefix_count = prefix == 0 ? 0 : (rows + group - 1) / group;
  const at::Tensor qkv = random_tensor({rows, h.width()}, dtype, seed, 2);
  const auto cache = [&](int64_t count, int64_t most, uint64_t key) {
    return random_tensor({count, h.kv_heads, most, h.dim}, dtype, key, 2);
  };
  const at::Tensor keys = cache(rows, capacity, seed + 1);
  const at::Tensor values = cache(rows, capacity, seed + 2);
  const at::Tensor prefix_keys = cache(prefix_count, prefix, seed + 3);
  const at::Tensor prefix_values = cache(prefix_count, prefix, seed + 4);
  const at::Tensor lengths = integer_tensor(rows, capacity, seed + 5) + 1;
  lengths.data_ptr<int32_t>()[0] = static_cast<int32_t>(capacity);
  const at::Tensor prefix_lengths = integer_tensor(rows, std::max<int64_t>(prefix, 1), seed + 6) + 1;
  const at::Tensor slots = at::empty({rows}, at::TensorOptions().dtype(at::kInt));
  const at::Tensor prefixes = at::empty({rows}, at::TensorOptions().dtype(at::kInt));
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t place = row / group;
    slots.data_ptr<int32_t>()[row] = static_cast<int32_t>(row == 1 ? -1 : rows - 1 - row);
    const bool none = prefix == 0 || (row == rows - 1 && rows > 2);
    prefixes.data_ptr<int32_t>()[row] = static_cast<int32_t>(none ? -1 : place);
    prefix_lengths.data_ptr<int32_t>()[row] = prefix_lengths.data_ptr<int32_t>()[place * group];
  }
  const at::Tensor out = at::empty({rows, h.heads * h.dim}, qkv.options());
  const at::Tensor partials =
      at::empty({rows, h.heads, operators::decode_splits(prefix, capacity), h.dim + 2}, kFloatOptions);
  OperatorCase result;
  result.run = [=] {
    operators::decode_attention(qkv, keys, values, slots, lengths, prefix_keys, prefix_values, prefixes,
                                prefix_lengths, h.heads, h.kv_heads, partials, out);
  };
  result.twin = [=] {
    out.zero_();
    for (int64_t row = 0; row < rows; ++row) {
      const int32_t slot = slots.data_ptr<int32_t>()[row];
      if (slot < 0) continue;
      const auto context = [&](const at::Tensor& shared, const at::Tensor& own) {
        at::Tensor all = own.select(0, slot).narrow(1, 0, lengths.data_ptr<int32_t>()[row]);
        const int32_t place = prefixes.data_ptr<int32_t>()[row];
        if (place >= 0) {
          all = at::cat({shared.select(0, place).narrow(1, 0, prefix_lengths.data_ptr<int32_t>()[row]), all}, 1);
        }
        return all.to(at::kDouble).repeat_interleave(h.heads / h.kv_heads, 0);  // [Hq, L, D]
      };
      const at::Tensor query = qkv.select(0, row).narrow(0, 0, h.heads * h.dim).view({h.heads, 1, h.dim}).to(at::kDouble);
      const at::Tensor scores = at::matmul(query, context(prefix_keys, keys).transpose(1, 2)) / std::sqrt(static_cast<double>(h.dim));
      const at::Tensor sum = at::matmul(at::softmax(scores, 2), context(prefix_values, values));
      out.select(0, row).copy_(sum.reshape({h.heads * h.dim}));
    }
  };
  result.track("out", out);
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
