// Packed and decoding attention, and the cache that the latter reads.
#include <ATen/ops/empty.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <memory>

#include "bench/attention_sizes.h"

namespace zero_rl::bench {

namespace {

// Sequences of `length` tokens, shorter by `ragged` (0) tokens from one to the next, at least 1; with `prefix` (0) they all
// follow one segment of that many tokens, with `context` (0) all of them that many cached ones.
struct Packed {
  explicit Packed(const Sizes& sizes) {
    const int64_t prefix = sizes.get("prefix", 0);
    context = sizes.get("context", 0);
    table = scattered_pages(0, kernels::key_tiles(context));
    if (prefix > 0) add({0, prefix, 0, 0});
    for (int64_t i = 0; i < sizes.at("sequences"); ++i) {
      add({tokens, std::max<int64_t>(1, sizes.at("length") - i * sizes.get("ragged", 0)), 0, prefix});
    }
  }

  void add(const kernels::Segment& segment) {
    const auto length = static_cast<double>(segment.length);
    pairs += length * (static_cast<double>(context + segment.prefix_length) + (length + 1) / 2);
    tokens += segment.length;
    segments.push_back(segment);
    segments.back().context_length = context;
  }

  // As they are where the table of the context lies.
  std::vector<kernels::Segment> placed() const {
    std::vector<kernels::Segment> result = segments;
    for (kernels::Segment& segment : result) segment.context_table = table.data();
    return result;
  }

  std::vector<kernels::Segment> segments;
  std::vector<int32_t> table;  // of the context
  int64_t context = 0;
  int64_t tokens = 0;
  double pairs = 0;  // of a query and a key that it sees, for one head
};

kernels::Attention forward_of(const Heads& h, const std::vector<kernels::Segment>& segments, const at::Tensor& qkv,
                              const at::Tensor& out, const at::Tensor& lse) {
  return {.qkv = qkv.data_ptr(),
          .out = out.data_ptr(),
          .lse = lse.data_ptr<float>(),
          .segments = segments.data(),
          .segment_count = static_cast<int64_t>(segments.size()),
          .heads = h.heads,
          .kv_heads = h.kv_heads,
          .head_dim = h.head_dim};
}

}  // namespace

// Sizes sequences, length, ragged (0), prefix (0), context (0), heads, kv_heads, head_dim.
KernelCase attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const Packed packed(sizes);
  const at::Tensor qkv = random_tensor({packed.tokens, h.width}, dtype, seed, 2);
  const at::Tensor out = at::empty({packed.tokens, h.heads * h.head_dim}, qkv.options());
  const at::Tensor lse = at::empty({packed.tokens, h.heads}, at::TensorOptions().dtype(at::kFloat));
  KernelCase result;
  const Pages pages(h, 1, static_cast<int64_t>(packed.table.size()), dtype);
  if (packed.context > 0) {
    const at::Tensor cached = random_tensor({packed.context, h.width}, dtype, seed + 3, 2);
    pages.store(dtype == at::kFloat ? kernels::instruction_set().float32 : kernels::instruction_set().bfloat16, cached, 0,
                packed.context, packed.table.data(), 0, 0);
  }
  result.run = [=](const kernels::Table& table) {
    const std::vector<kernels::Segment> segments = packed.placed();
    kernels::Attention call = forward_of(h, segments, qkv, out, lse);
    call.cache = pages.cache();
    table.attention(call);
  };
  result.track("out", out);
  result.track("lse", lse);
  result.bytes = static_cast<double>(qkv.nbytes() + out.nbytes() + lse.nbytes());
  result.flops = 4 * static_cast<double>(h.heads * h.head_dim) * packed.pairs;
  return result;
}

KernelCase attention_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const Packed packed(sizes);
  const KernelCase forward = attention_case(dtype, sizes, seed);
  forward.run(dtype == at::kFloat ? kernels::instruction_set().float32 : kernels::instruction_set().bfloat16);
  const at::Tensor out = forward.outputs[0].second;
  const at::Tensor lse = forward.outputs[1].second;
  const at::Tensor qkv = random_tensor({packed.tokens, h.width}, dtype, seed, 2);  // as in the forward case
  const at::Tensor dout = random_tensor(out.sizes(), dtype, seed + 1);
  const at::Tensor dqkv = at::empty(qkv.sizes(), qkv.options());
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.attention_backward({.forward = forward_of(h, packed.segments, qkv, out, lse),
                              .dout = dout.data_ptr(),
                              .dqkv = dqkv.data_ptr()});
  };
  result.track("dqkv", dqkv);
  result.bytes = static_cast<double>(2 * qkv.nbytes() + 2 * out.nbytes() + lse.nbytes());
  // Scores again, then the gradients of values, probabilities, queries and keys.
  result.flops = 10 * static_cast<double>(h.heads * h.head_dim) * packed.pairs;
  return result;
}

// Sizes batch, group (sequences that share a prefix), prefix, suffix (cached before the step), ragged (0: how much
// shorter each next suffix is), heads, kv_heads, head_dim.
KernelCase decode_attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t batch = sizes.at("batch");
  const int64_t group = sizes.at("group");
  const int64_t prefix = sizes.at("prefix");
  const int64_t suffix = sizes.at("suffix");
  const int64_t capacity = suffix + 1 + sizes.get("spare", 0);
  const at::Tensor qkv = random_tensor({batch, h.width}, dtype, seed, 2);
  const at::Tensor out = at::empty({batch, h.heads * h.head_dim}, qkv.options());
  KernelCase result;
  std::vector<at::Tensor> kept;
  const auto cache = [&](int64_t length, uint64_t key) {
    const int64_t tokens = kernels::key_tiles(length) * kernels::kKeyTile;
    kept.push_back(random_tensor({h.kv_heads * h.head_dim * tokens + kernels::kValueSlack}, dtype, key, 2));
    return kept.back().data_ptr();
  };
  std::vector<kernels::KvSequence> sequences(batch);
  double own_tokens = 0;
  for (int64_t row = 0; row < batch; ++row) {
    kernels::KvSequence& s = sequences[row];
    if (row % group == 0) {
      s.prefix_keys = cache(prefix, seed + 4 * row + 10);
      s.prefix_values = cache(prefix, seed + 4 * row + 11);
    } else {
      s.prefix_keys = sequences[row - 1].prefix_keys;
      s.prefix_values = sequences[row - 1].prefix_values;
    }
    s.prefix_length = prefix;
    s.keys = cache(capacity, seed + 4 * row + 12);
    s.values = cache(capacity, seed + 4 * row + 13);
    s.capacity = capacity;
    s.length = std::max<int64_t>(0, suffix - row * sizes.get("ragged", 0));
    own_tokens += static_cast<double>(s.length + 1);
  }
  result.run = [=](const kernels::Table& table) {
    static_cast<void>(kept);
    table.decode_attention({.qkv = qkv.data_ptr(),
                            .out = out.data_ptr(),
                            .sequences = sequences.data(),
                            .rows = batch,
                            .layer = 0,
                            .heads = h.heads,
                            .kv_heads = h.kv_heads,
                            .head_dim = h.head_dim});
  };
  // ATen's best case: one dense cache, every sequence of one length, keys and values not shared.
  const auto dense_keys = std::make_shared<at::Tensor>();
  const auto dense_values = std::make_shared<at::Tensor>();
  result.twin = [=] {
    const int64_t context = prefix + suffix + 1;
    if (!dense_keys->defined()) {
      *dense_keys = random_tensor({batch, h.kv_heads, context, h.head_dim}, dtype, seed + 5, 2);
      *dense_values = random_tensor({batch, h.kv_heads, context, h.head_dim}, dtype, seed + 6, 2);
    }
    const at::Tensor parts = qkv.view({batch, h.heads + 2 * h.kv_heads, h.head_dim});
    dense_keys->select(2, context - 1).copy_(parts.narrow(1, h.heads, h.kv_heads));
    dense_values->select(2, context - 1).copy_(parts.narrow(1, h.heads + h.kv_heads, h.kv_heads));
    at::scaled_dot_product_attention(parts.narrow(1, 0, h.heads).unsqueeze(2), *dense_keys, *dense_values, {}, 0.0,
                                     /*is_causal=*/false, ::std::nullopt, /*enable_gqa=*/true);
  };
  result.track("out", out);
  const double prefixes = static_cast<double>((batch + group - 1) / group * prefix);
  const double element = static_cast<double>(qkv.element_size());
  result.bytes = static_cast<double>(qkv.nbytes() + out.nbytes()) +
                 2 * static_cast<double>(h.kv_heads * h.head_dim) * element * (prefixes + own_tokens);
  result.flops = 4 * static_cast<double>(h.heads * h.head_dim) * (static_cast<double>(batch * prefix) + own_tokens);
  return result;
}

// Sizes length, heads, kv_heads, head_dim.
KernelCase store_prefix_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t length = sizes.at("length");
  const at::Tensor qkv = random_tensor({length, h.width}, dtype, seed);
  const at::Tensor keys = at::zeros({h.kv_heads, kernels::key_tiles(length), h.head_dim, kernels::kKeyTile}, qkv.options());
  const at::Tensor values = at::zeros({h.kv_heads, length, h.head_dim}, qkv.options());
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.store_prefix({.qkv = qkv.data_ptr(),
                        .keys = keys.data_ptr(),
                        .values = values.data_ptr(),
                        .length = length,
                        .layer = 0,
                        .heads = h.heads,
                        .kv_heads = h.kv_heads,
                        .head_dim = h.head_dim});
  };
  result.track("keys", keys);
  result.track("values", values);
  result.bytes = 2 * static_cast<double>(keys.nbytes() + values.nbytes());
  return result;
}

}  // namespace zero_rl::bench
