#include <ATen/ops/index_add.h>
#include <ATen/ops/index_select.h>

#include <algorithm>

#include "kernels/reference.h"

namespace zero_rl::kernels::reference {

namespace {

int64_t rows_used(const int32_t* tokens, int64_t count) { return 1 + *std::max_element(tokens, tokens + count); }

template <at::ScalarType Dtype>
void embedding(const Embedding& e) {
  at::Tensor out = dense(e.out, {e.count, e.width}, Dtype);
  at::index_select_out(out, dense(e.table, {rows_used(e.tokens, e.count), e.width}, Dtype), 0,
                       dense(e.tokens, {e.count}, at::kInt));
}

template <at::ScalarType Dtype>
void embedding_backward(const EmbeddingBackward& e) {
  const at::Tensor table =
      dense(e.dtable, {rows_used(e.tokens, e.count), e.width}, e.float_table ? at::kFloat : Dtype);
  const at::Tensor dx = dense(e.dx, {e.count, e.width}, Dtype).to(at::kFloat);
  table.copy_(table.to(at::kFloat).index_add(0, dense(e.tokens, {e.count}, at::kInt), dx));
}

}  // namespace

void register_embedding(Table& float32, Table& bfloat16) {
  float32.embedding = embedding<at::kFloat>;
  float32.embedding_backward = embedding_backward<at::kFloat>;
  bfloat16.embedding = embedding<at::kBFloat16>;
  bfloat16.embedding_backward = embedding_backward<at::kBFloat16>;
}

}  // namespace zero_rl::kernels::reference
