// Packed attention.
#include <ATen/ops/empty.h>

#include "bench/attention_sizes.h"
#include "runtime/parallel.h"

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

// Both passes by all threads, which share sequences, and by one: the same bits. Sizes as attention_backward_case.
KernelCase one_thread_attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const KernelCase forward = attention_case(dtype, sizes, seed);
  const KernelCase backward = attention_backward_case(dtype, sizes, seed);
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    forward.run(table);
    backward.run(table);
  };
  // In a body of the pool a call has one thread.
  result.other = [run = result.run](const kernels::Table& table) {
    parallel_threads(ThreadPool::instance().threads(), [&](int thread) {
      if (thread == 0) run(table);
    });
  };
  for (const auto& outputs : {forward.outputs, backward.outputs}) {
    result.outputs.insert(result.outputs.end(), outputs.begin(), outputs.end());
  }
  result.bytes = forward.bytes + backward.bytes;
  result.flops = forward.flops + backward.flops;
  return result;
}

}  // namespace zero_rl::bench
