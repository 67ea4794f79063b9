#include <algorithm>
#include <cstring>

#include "model/model.h"
#include "model/packed_tokens.h"
#include "operators/cpu/cpu_operators.h"
#include "runtime/huge_pages.h"

namespace zero_rl {

namespace {

static_assert(kPageTokens == kernels::kPageTokens);

kernels::PagedCache paged(const Description& of, int64_t pages, void* pool = nullptr) {
  return {.pool = pool, .pages = pages, .layers = of.layer_count(), .kv_heads = of.kv_heads, .head_dim = of.head_dim};
}

kernels::PagedCache paged(const Description& of, const Cache& cache) {
  return paged(of, cache.pages, cache.keys.data_ptr());
}

char* column(const at::Tensor& rows, int64_t index) {
  return static_cast<char*>(rows.data_ptr()) + index * static_cast<int64_t>(rows.element_size());
}

// Queries and keys at the front of every row of qkv.
void turn(const kernels::Table& kernels, const Model& model, const at::Tensor& qkv, const int32_t* positions,
          float direction) {
  const Description& of = model.description;
  kernels.rope({.x = qkv.data_ptr(),
                .stride = qkv.size(1),
                .positions = positions,
                .cosines = model.rope.cosines().data_ptr<float>(),
                .sines = model.rope.sines().data_ptr<float>(),
                .tokens = qkv.size(0),
                .heads = of.heads + of.kv_heads,
                .head_dim = of.head_dim,
                .direction = direction});
}

// The norm of each head of queries and keys, from `raw`, rows that begin with both, into qkv; the two may be one.
void norm_heads(const kernels::Table& kernels, const Description& of, const Rotation& rotation, const at::Tensor& raw) {
  const auto apply = [&](int64_t first, const at::Tensor& weight, const at::Tensor& rstd, int64_t heads) {
    kernels.rms_norm({.x = column(raw, first),
                      .x_stride = raw.size(1),
                      .weight = weight.data_ptr(),
                      .y = column(rotation.qkv, first),
                      .y_stride = rotation.qkv.size(1),
                      .rstd = rstd.defined() ? rstd.data_ptr<float>() : nullptr,
                      .outer = raw.size(0),
                      .inner = heads,
                      .dim = of.head_dim,
                      .eps = static_cast<float>(of.rms_norm_eps)});
  };
  apply(0, rotation.q_norm, rotation.q_rstd, of.heads);
  apply(of.query_width(), rotation.k_norm, rotation.k_rstd, of.kv_heads);
}

kernels::Attention forward(const Description& of, const PackedBatch& batch, const at::Tensor& qkv, const at::Tensor& out,
                           const at::Tensor& lse) {
  return {.qkv = qkv.data_ptr(),
          .out = out.data_ptr(),
          .lse = lse.defined() ? lse.data_ptr<float>() : nullptr,
          .segments = batch.runs.data(),
          .segment_count = static_cast<int64_t>(batch.runs.size()),
          .heads = of.heads,
          .kv_heads = of.kv_heads,
          .head_dim = of.head_dim};
}

}  // namespace

void CpuOperators::bind(PackedBatch& batch) const {
  batch.runs = batch.packed.segments;
  if (batch.use == nullptr) return;
  const int32_t* table = batch.use->tables.data();
  for (kernels::Segment& segment : batch.runs) {
    segment.context_table = table;
    for (int64_t t = segment.begin; t < segment.begin + segment.length; ++t) {
      const int32_t position = batch.packed.positions[t];
      batch.pages.push_back(table[position / kPageTokens]);
      batch.slots.push_back(static_cast<int32_t>(position % kPageTokens));
    }
    table += batch.use->pages;
  }
}

void CpuOperators::rotate(const Model& model, const PackedBatch& batch, int64_t layer, const Rotation& rotation) {
  const Description& of = model.description;
  if (rotation.q_norm.defined()) {
    if (rotation.raw_qk.defined()) copy_columns(rotation.qkv, rotation.raw_qk);
    norm_heads(kernels(), of, rotation, rotation.raw_qk.defined() ? rotation.raw_qk : rotation.qkv);
  }
  if (rotation.rotary) turn(kernels(), model, rotation.qkv, batch.packed.positions.data(), 1.0F);
  if (batch.use == nullptr) return;
  kernels().store_pages({.qkv = rotation.qkv.data_ptr(),
                         .cache = paged(of, batch.use->cache),
                         .pages = batch.pages.data(),
                         .slots = batch.slots.data(),
                         .rows = batch.count,
                         .layer = layer,
                         .heads = of.heads});
}

void CpuOperators::rotate_backward(const Model& model, const Rotation& rotation, const at::Tensor& dq_norm,
                                   const at::Tensor& dk_norm) {
  const Description& of = model.description;
  const at::Tensor& dqkv = rotation.qkv;
  if (rotation.rotary) turn(kernels(), model, dqkv, rotation.positions.data_ptr<int32_t>(), -1.0F);
  if (!rotation.q_norm.defined()) return;
  const auto apply = [&](int64_t first, const at::Tensor& weight, const at::Tensor& rstd, const at::Tensor& dweight,
                         int64_t heads) {
    char* d = column(dqkv, first);
    kernels().rms_norm_backward({.dy = d,
                                 .dy_stride = dqkv.size(1),
                                 .x = column(rotation.raw_qk, first),
                                 .x_stride = rotation.raw_qk.size(1),
                                 .weight = weight.data_ptr(),
                                 .rstd = rstd.data_ptr<float>(),
                                 .dx = d,
                                 .dx_stride = dqkv.size(1),
                                 .accumulate = false,
                                 .dweight = dweight.data_ptr<float>(),
                                 .outer = dqkv.size(0),
                                 .inner = heads,
                                 .dim = of.head_dim});
  };
  apply(0, rotation.q_norm, rotation.q_rstd, dq_norm, of.heads);
  apply(of.query_width(), rotation.k_norm, rotation.k_rstd, dk_norm, of.kv_heads);
}

void CpuOperators::attention(const Model& model, const PackedBatch& batch, int64_t layer, const at::Tensor& qkv,
                             const at::Tensor& out, const at::Tensor& lse) {
  kernels::Attention attention = forward(model.description, batch, qkv, out, lse);
  if (batch.use != nullptr) {
    attention.cache = paged(model.description, batch.use->cache);
    attention.layer = layer;
  }
  kernels().attention(attention);
}

void CpuOperators::attention_backward(const Model& model, const PackedBatch& batch, const at::Tensor& dout,
                                      const at::Tensor& qkv, const at::Tensor& out, const at::Tensor& lse,
                                      const at::Tensor& dqkv) {
  kernels().attention_backward(
      {.forward = forward(model.description, batch, qkv, out, lse), .dout = dout.data_ptr(), .dqkv = dqkv.data_ptr()});
}

Cache CpuOperators::make_cache(const Description& description, at::ScalarType dtype, int64_t pages) {
  // A layer's pages lie together: a step reads them all, layer after layer. Memory that no page has used yet is not there.
  const at::Tensor memory = flat_buffer(paged(description, pages).elements() + kernels::kValueSlack, dtype);
  return {.pages = pages, .keys = memory, .values = {}};
}

int64_t CpuOperators::page_bytes(const Description& description, at::ScalarType dtype) const {
  return paged(description, 1).elements() * static_cast<int64_t>(c10::elementSize(dtype));
}

void CpuOperators::copy_pages(const Description& description, const Cache& cache, const std::vector<int32_t>& from,
                              const std::vector<int32_t>& to) {
  const kernels::PagedCache pool = paged(description, cache);
  const auto element = static_cast<int64_t>(cache.keys.element_size());
  const int64_t bytes = pool.page_stride() * element;
  for (int64_t layer = 0; layer < pool.layers; ++layer) {
    char* pages = static_cast<char*>(pool.pool) + pool.keys_at(layer, 0) * element;
    for (size_t i = 0; i < from.size(); ++i) {
      std::memcpy(pages + to[i] * bytes, pages + from[i] * bytes, static_cast<size_t>(bytes));
    }
  }
}

void CpuOperators::decode_attention(const Model& model, const DecodeRows& rows, const Cache& cache, int64_t layer,
                                    const Rotation& rotation, const at::Tensor&, const at::Tensor& out) {
  const Description& of = model.description;
  const auto* positions = rows.positions.data_ptr<int32_t>();
  if (rotation.q_norm.defined()) norm_heads(kernels(), of, rotation, rotation.qkv);
  if (rotation.rotary) turn(kernels(), model, rotation.qkv, positions, 1.0F);
  kernels().paged_decode_attention({.qkv = rotation.qkv.data_ptr(),
                                    .out = out.data_ptr(),
                                    .cache = paged(of, cache),
                                    .tables = rows.tables.data_ptr<int32_t>(),
                                    .table_stride = rows.tables.stride(0),
                                    .positions = positions,
                                    .rows = rotation.qkv.size(0),
                                    .layer = layer,
                                    .heads = of.heads});
}

}  // namespace zero_rl
