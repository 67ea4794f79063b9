// One query per sequence by at::scaled_dot_product_attention, after its pages have been gathered. bfloat16 is widened, since
// that function is very slow in it on the CPU.
#include <ATen/ops/scaled_dot_product_attention.h>

#include "kernels/reference.h"
#include "kernels/reference_pages.h"

namespace zero_rl::kernels::reference {

namespace {

// Stores one row [(Hq + 2Hk), D].
void store_row(const PagedCache& cache, at::ScalarType dtype, int64_t layer, const at::Tensor& row, int64_t page,
               int64_t slot) {
  const int64_t heads = row.size(0) - 2 * cache.kv_heads;
  page_keys(cache, dtype, layer, page).select(2, slot).copy_(row.narrow(0, heads, cache.kv_heads));
  page_values(cache, dtype, layer, page).select(1, slot).copy_(row.narrow(0, heads + cache.kv_heads, cache.kv_heads));
}

at::Tensor rows_of(const void* qkv, int64_t rows, int64_t heads, const PagedCache& cache, at::ScalarType dtype) {
  return dense(qkv, {rows, heads + 2 * cache.kv_heads, cache.head_dim}, dtype);
}

template <at::ScalarType Dtype>
void paged_decode_attention(const PagedDecodeAttention& a) {
  const at::Tensor qkv = rows_of(a.qkv, a.rows, a.heads, a.cache, Dtype);
  const at::Tensor out = dense(a.out, {a.rows, a.heads, a.cache.head_dim}, Dtype);
  for (int64_t row = 0; row < a.rows; ++row) {
    const int64_t position = a.positions[row];
    if (position < 0) {
      out.select(0, row).zero_();
      continue;
    }
    const int32_t* table = a.tables + row * a.table_stride;
    const at::Tensor heads = qkv.select(0, row);
    store_row(a.cache, Dtype, a.layer, heads, table[position / kPageTokens], position % kPageTokens);
    const Context context = cached_context(a.cache, Dtype, a.layer, table, position + 1);
    const at::Tensor query = heads.narrow(0, 0, a.heads).unsqueeze(1).to(at::kFloat).unsqueeze(0);  // [1, Hq, 1, D]
    out.select(0, row).copy_(at::scaled_dot_product_attention(query, context.keys.unsqueeze(0), context.values.unsqueeze(0),
                                                              {}, 0.0, false, ::std::nullopt, /*enable_gqa=*/true)
                                 .view({a.heads, a.cache.head_dim}));
  }
}

template <at::ScalarType Dtype>
void store_pages(const StorePages& s) {
  const at::Tensor rows = rows_of(s.qkv, s.rows, s.heads, s.cache, Dtype);
  for (int64_t t = 0; t < s.rows; ++t) {
    if (s.pages[t] >= 0) store_row(s.cache, Dtype, s.layer, rows.select(0, t), s.pages[t], s.slots[t]);
  }
}

}  // namespace

void register_paged_attention(Table& float32, Table& bfloat16) {
  float32.paged_decode_attention = paged_decode_attention<at::kFloat>;
  float32.store_pages = store_pages<at::kFloat>;
  bfloat16.paged_decode_attention = paged_decode_attention<at::kBFloat16>;
  bfloat16.store_pages = store_pages<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
