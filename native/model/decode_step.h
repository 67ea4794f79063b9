// The decoder's step for one new token of each of B sequences: embedding, layers against the cache, head.
#pragma once

#include <cstdint>

#include "model/model.h"

namespace zero_rl {

class DecodeStep {
 public:
  // All scratch is made here, for sequences of at most `most_pages`.
  DecodeStep(const Model& model, int64_t most_rows, int64_t most_pages);

  // Buffers of rows [begin, begin + count); to be kept as long as the batch has these rows. `pages`: of a row's table.
  struct Slice {
    at::Tensor x;          // [B, H] residual stream
    at::Tensor normed;     // [B, H]
    at::Tensor delta;      // [B, H], undefined where no sublayer's output is normed
    at::Tensor qkv;        // [B, (Hq + 2Hk)·D]
    at::Tensor attention;  // [B, Hq·D]
    at::Tensor gate_up;    // [B, 2I], undefined on the CPU
    at::Tensor act;        // [B, I]
    at::Tensor logits;     // [B, V] float32
    at::Tensor scratch;    // of attention
  };
  Slice slice(int64_t begin, int64_t count) const;

  // Leaves the slice's logits. Positions must have been reserved in the rope table, weights prepared. Disjoint slices may run
  // at once.
  void run(const Slice& slice, const DecodeRows& rows, const Cache& cache) const;

  // Of all buffers, per row.
  static int64_t row_bytes(const Model& model, int64_t most_pages);

 private:
  const Model& model_;
  Slice all_;
};

// logits [R, V] of hidden states x [R, H] after the last layer.
void head_logits(const Model& model, const at::Tensor& x, const at::Tensor& normed, const at::Tensor& logits);

}  // namespace zero_rl
