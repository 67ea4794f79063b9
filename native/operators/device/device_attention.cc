#include <ATen/ops/index_select.h>

#include "device/operators.h"
#include "device/segments.h"
#include "model/model.h"
#include "model/packed_tokens.h"
#include "operators/device/device_operators.h"
#include "operators/device/optional.h"

namespace zero_rl {

namespace {

std::optional<at::Tensor> layer_of(const at::Tensor& all, int64_t layer) { return all.select(0, layer); }

}  // namespace

void DeviceOperators::bind(PackedBatch& batch) const {
  std::vector<int32_t> places;
  std::vector<int32_t> rows;
  const auto& segments = batch.packed.segments;
  for (size_t i = 0; i < segments.size(); ++i) {
    const kernels::Segment& segment = segments[i];
    for (const int64_t value : {segment.begin, segment.length, segment.prefix_begin, segment.prefix_length,
                                segment.context_length}) {
      places.push_back(static_cast<int32_t>(value));
    }
    rows.insert(rows.end(), segment.length, static_cast<int32_t>(i));
  }
  batch.segments = std::make_shared<operators::Segments>(places, device());
  if (batch.use == nullptr) return;
  batch.tables = upload(batch.use->tables).view({static_cast<int64_t>(segments.size()), batch.use->pages});
  batch.table_rows = upload(rows);
}

void DeviceOperators::rotate(const Model& model, const PackedBatch& batch, int64_t layer, const Rotation& rotation) {
  const Description& of = model.description;
  const bool stores = batch.use != nullptr;
  operators::rotate(rotation.qkv, rotation.positions, model.rope.cosines(), model.rope.sines(), rotation.rotary, of.heads,
                    of.kv_heads, optional(rotation.q_norm), optional(rotation.k_norm), of.rms_norm_eps,
                    optional(rotation.raw_qk), optional(rotation.q_rstd), optional(rotation.k_rstd),
                    optional(batch.tables), optional(batch.table_rows),
                    stores ? layer_of(batch.use->cache.keys, layer) : std::nullopt,
                    stores ? layer_of(batch.use->cache.values, layer) : std::nullopt);
}

void DeviceOperators::rotate_backward(const Model& model, const Rotation& rotation, const at::Tensor& dq_norm,
                                      const at::Tensor& dk_norm) {
  const Description& of = model.description;
  operators::rotate_backward(rotation.qkv, rotation.positions, model.rope.cosines(), model.rope.sines(), rotation.rotary,
                             of.heads, of.kv_heads, optional(rotation.q_norm), optional(rotation.k_norm),
                             optional(rotation.raw_qk), optional(rotation.q_rstd), optional(rotation.k_rstd),
                             optional(dq_norm), optional(dk_norm));
}

void DeviceOperators::attention(const Model& model, const PackedBatch& batch, int64_t layer, const at::Tensor& qkv,
                                const at::Tensor& out, const at::Tensor& lse) {
  const Description& of = model.description;
  const bool cached = batch.use != nullptr;
  operators::attention(qkv, *batch.segments, of.heads, of.kv_heads,
                       cached ? layer_of(batch.use->cache.keys, layer) : std::nullopt,
                       cached ? layer_of(batch.use->cache.values, layer) : std::nullopt, optional(batch.tables), out,
                       lse.defined() ? lse : take_lse(batch.count, of.heads));
}

void DeviceOperators::attention_backward(const Model& model, const PackedBatch& batch, const at::Tensor& dout,
                                         const at::Tensor& qkv, const at::Tensor& out, const at::Tensor& lse,
                                         const at::Tensor& dqkv) {
  const Description& of = model.description;
  operators::attention_backward(dout, qkv, out, lse, *batch.segments, of.heads, of.kv_heads, dqkv);
}

Cache DeviceOperators::make_cache(const Description& description, at::ScalarType dtype, int64_t pages) {
  const auto make = [&] {
    return empty({description.layer_count(), pages, description.kv_heads, kPageTokens, description.head_dim}, dtype);
  };
  return {.pages = pages, .keys = make(), .values = make()};
}

int64_t DeviceOperators::page_bytes(const Description& description, at::ScalarType dtype) const {
  return description.kv_elements() * kPageTokens * static_cast<int64_t>(c10::elementSize(dtype));
}

void DeviceOperators::copy_pages(const Description& description, const Cache& cache, const std::vector<int32_t>& from,
                  const std::vector<int32_t>& to) {
  const at::Tensor sources = upload(std::vector<int64_t>(from.begin(), from.end()));
  const at::Tensor targets = upload(std::vector<int64_t>(to.begin(), to.end()));
  for (at::Tensor pool : {cache.keys, cache.values}) pool.index_copy_(1, targets, at::index_select(pool, 1, sources));
}

at::Tensor DeviceOperators::decode_scratch(const Description& description, int64_t rows, int64_t pages) const {
  return empty({rows, description.heads * operators::decode_splits(pages) * (description.head_dim + 2)}, at::kFloat);
}

void DeviceOperators::decode_attention(const Model& model, const DecodeRows& rows, const Cache& cache, int64_t layer,
                                       const Rotation& rotation, const at::Tensor& scratch, const at::Tensor& out) {
  const Description& of = model.description;
  const at::Tensor keys = cache.keys.select(0, layer);
  const at::Tensor values = cache.values.select(0, layer);
  operators::rotate(rotation.qkv, rows.positions, model.rope.cosines(), model.rope.sines(), rotation.rotary, of.heads,
                    of.kv_heads, optional(rotation.q_norm), optional(rotation.k_norm), of.rms_norm_eps, std::nullopt,
                    std::nullopt, std::nullopt, rows.tables, std::nullopt, keys, values);
  const int64_t count = rotation.qkv.size(0);
  const int64_t splits = operators::decode_splits(rows.tables.size(1));
  const at::Tensor partials = scratch.flatten()
                                  .narrow(0, 0, count * of.heads * splits * (of.head_dim + 2))
                                  .view({count, of.heads, splits, of.head_dim + 2});
  operators::decode_attention(rotation.qkv, keys, values, rows.tables, rows.positions, of.heads, of.kv_heads, partials,
                              out);
}

}  // namespace zero_rl
