// Steps of a decode batch: a new token for each of its first rows, from the embedding to the draw. Nothing of a step depends on
// the host, so that operators that can record it replay it.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "generate/decode_state.h"
#include "model/decode_step.h"

namespace zero_rl {

class DecodeBatch {
 public:
  DecodeBatch(const Model& model, const Cache& cache, const BatchShape& shape);
  static int64_t row_bytes(const Model& model, const BatchShape& shape);

  const BatchShape& shape() const { return shape_; }
  DecodeState& state() { return state_; }

  // A step of the first `rows` rows, whose sequences have at most `pages`. The rows behind them are empty.
  void step(int64_t rows, int64_t pages);
  // Tokens of rows [first, first + logits.size(0)) from logits [rows, V].
  void draw(const at::Tensor& logits, int64_t first);

 private:
  // A part of the rows that is run as one, with the views of it: making them takes longer than some of the operators.
  struct Part {
    DecodeStep::Slice slice;
    DecodeRows rows;
    DrawState draws;
  };
  struct Batch {
    std::vector<std::pair<int64_t, Part>> parts;  // by their first row
    std::unique_ptr<Graph> graph;
    bool warm = false;  // ran once, so that libraries have made what they make at first use
  };
  Batch& batch(int64_t rows, int64_t pages);
  void launch(const Batch& batch, int64_t rows);

  const Model& model_;
  const Cache& cache_;
  BatchShape shape_;
  bool records_;  // where steps are recorded batches come in few sizes
  DecodeState state_;
  DecodeStep step_;
  std::map<std::pair<int64_t, int64_t>, Batch> batches_;  // by rows and pages
  at::Tensor cosines_;  // those that graphs have recorded
};

}  // namespace zero_rl
