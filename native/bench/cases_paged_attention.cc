// Attention over a cache of pages: decoding, storing, and that every way to compute a token gives the same bits.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "bench/attention_sizes.h"
#include "runtime/parallel.h"

namespace zero_rl::bench {

namespace {

constexpr int64_t kLayers = 2;
constexpr int64_t kLayer = 1;

at::Tensor rows_from(const at::Tensor& tensor, int64_t first, int64_t count) { return tensor.narrow(0, first, count); }

}  // namespace

Pages::Pages(const Heads& h, int64_t layer_count, int64_t count, at::ScalarType dtype)
    : pages(count), layers(layer_count), heads(h.heads), kv_heads(h.kv_heads), head_dim(h.head_dim) {
  const int64_t elements = kernels::PagedCache{nullptr, pages, layers, kv_heads, head_dim}.elements();
  pool = at::full({elements + kernels::kValueSlack}, std::numeric_limits<double>::quiet_NaN(),
                  at::TensorOptions().dtype(dtype));
}

void Pages::store(const kernels::Table& table, const at::Tensor& qkv, int64_t first, int64_t rows, const int32_t* pages,
                  int64_t position, int64_t layer) const {
  std::vector<int32_t> page_of(rows);
  std::vector<int32_t> slot_of(rows);
  for (int64_t i = 0; i < rows; ++i) {
    page_of[i] = pages[(position + i) / kernels::kPageTokens];
    slot_of[i] = static_cast<int32_t>((position + i) % kernels::kPageTokens);
  }
  table.store_pages({.qkv = rows_from(qkv, first, rows).data_ptr(),
                     .cache = cache(),
                     .pages = page_of.data(),
                     .slots = slot_of.data(),
                     .rows = rows,
                     .layer = layer,
                     .heads = heads});
}

std::vector<int32_t> scattered_pages(int64_t first, int64_t count) {
  std::vector<int32_t> pages(count);
  for (int64_t i = 0; i < count; ++i) pages[i] = static_cast<int32_t>(first + (i * 2 < count ? 2 * i : 2 * (count - i) - 1));
  return pages;
}

// Sizes batch, group (rows that share a prefix), prefix, suffix (tokens after it before the step), ragged (0: how much shorter
// each next suffix is), idle (0: every idle-th row is empty), heads, kv_heads, head_dim.
KernelCase paged_decode_attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t batch = sizes.at("batch");
  const int64_t group = sizes.at("group");
  const int64_t prefix = sizes.at("prefix");
  const int64_t suffix = sizes.at("suffix");
  const int64_t idle = sizes.get("idle", 0);
  const int64_t stride = kernels::key_tiles(prefix + suffix + 1);
  const int64_t shared = prefix / kernels::kPageTokens;
  const Pages pages(h, 1, batch * stride, dtype);
  const kernels::Table& own = dtype == at::kFloat ? kernels::instruction_set().float32 : kernels::instruction_set().bfloat16;
  std::vector<int32_t> tables(batch * stride);
  std::vector<int32_t> positions(batch);
  double read = 0;
  double seen = 0;
  for (int64_t row = 0; row < batch; ++row) {
    int32_t* table = tables.data() + row * stride;
    const std::vector<int32_t> numbers = scattered_pages(row * stride, stride);
    std::copy(numbers.begin(), numbers.end(), table);
    const bool joins = row % group != 0;
    if (joins) std::copy_n(table - stride, shared, table);
    const int64_t length = prefix + std::max<int64_t>(0, suffix - row * sizes.get("ragged", 0));
    const int64_t first = joins ? shared * kernels::kPageTokens : 0;
    if (length > first) {
      const at::Tensor context = random_tensor({length - first, h.width}, dtype, seed + row + 10, 2);
      pages.store(own, context, 0, length - first, table, first, 0);
    }
    positions[row] = idle > 0 && row % idle == 0 ? -1 : static_cast<int32_t>(length);
    read += static_cast<double>(length + 1 - first);
    seen += static_cast<double>(length + 1);
  }
  const at::Tensor qkv = random_tensor({batch, h.width}, dtype, seed, 2);
  const at::Tensor out = at::empty({batch, h.heads * h.head_dim}, qkv.options());
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.paged_decode_attention({.qkv = qkv.data_ptr(),
                                  .out = out.data_ptr(),
                                  .cache = pages.cache(),
                                  .tables = tables.data(),
                                  .table_stride = stride,
                                  .positions = positions.data(),
                                  .rows = batch,
                                  .layer = 0,
                                  .heads = h.heads});
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
  const auto element = static_cast<double>(qkv.element_size());
  result.bytes = static_cast<double>(qkv.nbytes() + out.nbytes()) +
                 2 * static_cast<double>(h.kv_heads * h.head_dim) * element * read;
  result.flops = 4 * static_cast<double>(h.heads * h.head_dim) * seen;
  return result;
}

// Sizes length, heads, kv_heads, head_dim. Every fifth row is skipped.
KernelCase store_pages_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t length = sizes.at("length");
  const at::Tensor qkv = random_tensor({length, h.width}, dtype, seed);
  const Pages pages(h, kLayers, kernels::key_tiles(length), dtype);
  const std::vector<int32_t> order = scattered_pages(0, kernels::key_tiles(length));
  std::vector<int32_t> page_of(length);
  std::vector<int32_t> slot_of(length);
  for (int64_t t = 0; t < length; ++t) {
    page_of[t] = t % 5 == 4 ? -1 : order[t / kernels::kPageTokens];
    slot_of[t] = static_cast<int32_t>(t % kernels::kPageTokens);
  }
  const at::Tensor zeros = at::zeros(pages.pool.sizes(), pages.pool.options());
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.store_pages({.qkv = qkv.data_ptr(),
                       .cache = pages.cache(),
                       .pages = page_of.data(),
                       .slots = slot_of.data(),
                       .rows = length,
                       .layer = kLayer,
                       .heads = h.heads});
  };
  result.track("pool", pages.pool);
  result.restored.emplace_back(pages.pool, zeros);
  result.bytes = 4 * static_cast<double>((length - length / 5) * h.kv_heads * h.head_dim * qkv.element_size());
  return result;
}

namespace {

// Tokens of one sequence computed in chunks and then one by one, alone and in company.
class OtherWays {
 public:
  OtherWays(const Heads& h, const at::Tensor& qkv, int64_t chunk, int64_t decoded, const at::Tensor& out,
            const at::Tensor& sample, uint64_t seed)
      : h_(h),
        qkv_(qkv),
        length_(qkv.size(0)),
        chunk_(chunk),
        decoded_(decoded),
        out_(out),
        sample_(sample),
        company_(random_tensor({kCompany, h.width}, qkv.scalar_type(), seed + 1, 2)),
        tiles_(kernels::key_tiles(length_)) {}

  void run(const kernels::Table& table) const {
    const Pages pages(h_, kLayers, 2 * tiles_, qkv_.scalar_type());
    const std::vector<int32_t> own = scattered_pages(0, tiles_);
    // A second sample with the same tokens, whose table has the same whole pages of the part that is not decoded.
    const int64_t prompt = length_ - decoded_;
    const int64_t shared = prompt / kernels::kPageTokens;
    std::vector<int32_t> second = scattered_pages(tiles_, tiles_);
    std::copy_n(own.begin(), shared, second.begin());
    for (int64_t t = 0; t < prompt; t += chunk_) {
      const int64_t rows = std::min(chunk_, prompt - t);
      run_chunk(table, pages, own, t, rows);
      pages.store(table, qkv_, t, rows, own.data(), t, kLayer);
    }
    const int64_t begun = shared * kernels::kPageTokens;
    if (prompt > begun) pages.store(table, qkv_, begun, prompt - begun, second.data(), begun, kLayer);
    for (int64_t t = prompt; t < length_; ++t) {
      const Row first{&own, out_.select(0, t)};
      const Row other{&second, sample_.select(0, t - prompt)};
      if (t % 2 == 0) {
        decode(table, pages, {first}, t);
        // In a body of the pool a call has one thread.
        parallel_threads(ThreadPool::instance().threads(), [&](int thread) {
          if (thread == 0) decode(table, pages, {other}, t);
        });
      } else {
        decode(table, pages, {first, {}, other}, t);
      }
    }
  }

 private:
  static constexpr int64_t kCompany = 45;

  struct Row {
    const std::vector<int32_t>* table = nullptr;  // null: empty
    at::Tensor out;
  };

  // With another sequence before it; every second chunk as a prefix and what follows it.
  void run_chunk(const kernels::Table& table, const Pages& pages, const std::vector<int32_t>& own, int64_t t,
                 int64_t rows) const {
    at::Tensor qkv = at::empty({kCompany + rows, h_.width}, qkv_.options());
    rows_from(qkv, 0, kCompany).copy_(company_);
    rows_from(qkv, kCompany, rows).copy_(rows_from(qkv_, t, rows));
    const at::Tensor out = at::empty({kCompany + rows, h_.heads * h_.head_dim}, qkv.options());
    std::vector<kernels::Segment> segments{{0, kCompany, 0, 0}};
    const int64_t prefix = t / chunk_ % 2 == 1 ? rows / 2 : 0;
    if (prefix > 0) segments.push_back({kCompany, prefix, 0, 0, own.data(), t});
    segments.push_back({kCompany + prefix, rows - prefix, kCompany, prefix, own.data(), t});
    table.attention({.qkv = qkv.data_ptr(),
                     .out = out.data_ptr(),
                     .lse = nullptr,
                     .segments = segments.data(),
                     .segment_count = static_cast<int64_t>(segments.size()),
                     .heads = h_.heads,
                     .kv_heads = h_.kv_heads,
                     .head_dim = h_.head_dim,
                     .cache = pages.cache(),
                     .layer = kLayer});
    rows_from(out_, t, rows).copy_(rows_from(out, kCompany, rows));
  }

  // The token at position t.
  void decode(const kernels::Table& table, const Pages& pages, const std::vector<Row>& samples, int64_t t) const {
    const auto rows = static_cast<int64_t>(samples.size());
    const at::Tensor qkv = rows_from(qkv_, t, 1).repeat({rows, 1});
    const at::Tensor out = at::empty({rows, h_.heads * h_.head_dim}, qkv.options());
    std::vector<int32_t> tables(rows * tiles_);
    std::vector<int32_t> positions(rows, -1);
    for (int64_t row = 0; row < rows; ++row) {
      if (samples[row].table == nullptr) continue;
      std::copy(samples[row].table->begin(), samples[row].table->end(), tables.begin() + row * tiles_);
      positions[row] = static_cast<int32_t>(t);
    }
    table.paged_decode_attention({.qkv = qkv.data_ptr(),
                                  .out = out.data_ptr(),
                                  .cache = pages.cache(),
                                  .tables = tables.data(),
                                  .table_stride = tiles_,
                                  .positions = positions.data(),
                                  .rows = rows,
                                  .layer = kLayer,
                                  .heads = h_.heads});
    for (int64_t row = 0; row < rows; ++row) {
      if (samples[row].table != nullptr) samples[row].out.copy_(out.select(0, row));
    }
  }

  const Heads& h_;
  const at::Tensor& qkv_;
  int64_t length_;
  int64_t chunk_;
  int64_t decoded_;
  const at::Tensor& out_;
  const at::Tensor& sample_;
  at::Tensor company_;
  int64_t tiles_;
};

}  // namespace

// One sequence by one packed pass, and in other ways, whose bits must be the same: chunks of `chunk` tokens against the pages
// of those before, and the last `decoded` tokens one by one. Sizes length, chunk, decoded, heads, kv_heads, head_dim.
KernelCase cached_attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const Heads h(sizes);
  const int64_t length = sizes.at("length");
  const int64_t chunk = sizes.at("chunk");
  const int64_t decoded = sizes.at("decoded");
  const at::Tensor qkv = random_tensor({length, h.width}, dtype, seed, 2);
  const at::Tensor out = at::empty({length, h.heads * h.head_dim}, qkv.options());
  const at::Tensor sample = at::empty({decoded, h.heads * h.head_dim}, qkv.options());
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    const kernels::Segment all{0, length, 0, 0};
    table.attention({.qkv = qkv.data_ptr(),
                     .out = out.data_ptr(),
                     .lse = nullptr,
                     .segments = &all,
                     .segment_count = 1,
                     .heads = h.heads,
                     .kv_heads = h.kv_heads,
                     .head_dim = h.head_dim});
    sample.copy_(rows_from(out, length - decoded, decoded));
  };
  result.other = [=](const kernels::Table& table) { OtherWays(h, qkv, chunk, decoded, out, sample, seed).run(table); };
  result.track("out", out);
  result.track("sample", sample);
  result.bytes = bytes_of({qkv, out});
  result.flops = 2 * static_cast<double>(h.heads * h.head_dim * length * (length + 1));
  return result;
}

}  // namespace zero_rl::bench
