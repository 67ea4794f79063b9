// One new token for each of B sequences, over raw pointers: embedding, layers against the caches, head.
#pragma once

#include <cstdint>

#include "model/model.h"

namespace zero_rl {

// Arrays of one value per sequence. Positions must have been reserved in the rope table.
struct DecodeRows {
  const int32_t* tokens;
  const int32_t* positions;
  const kernels::KvSequence* sequences;
  int64_t count;

  DecodeRows slice(int64_t begin, int64_t end) const {
    return {tokens + begin, positions + begin, sequences + begin, end - begin};
  }
};

class DecodeStep {
 public:
  // Packs the weights, which must not change as long as steps are run. All scratch is made here.
  DecodeStep(Model& model, int64_t most_rows);

  // Runs rows [begin, begin + rows.count) of the batch and returns their float32 logits [rows.count, V], valid until
  // they are run again. Disjoint ranges may run on threads of their own.
  const float* run(const DecodeRows& rows, int64_t begin);

 private:
  void run_layer(const DecodeRows& rows, int64_t begin, int64_t layer);
  void* row(const at::Tensor& buffer, int64_t index) const;

  const Model& model_;
  at::Tensor x_;          // [B, H] residual stream
  at::Tensor normed_;     // [B, H]
  at::Tensor qkv_;        // [B, (Hq + 2Hk)·D]
  at::Tensor attention_;  // [B, Hq·D]
  at::Tensor act_;        // [B, I]
  at::Tensor logits_;     // [B, V] float32
};

// Final norm and head over `x` [R, H]: float32 logits [R, V]. The head's panels must
// be prepared.
void head_logits(const Model& model, const void* x, void* normed, float* logits, int64_t rows);

}  // namespace zero_rl
