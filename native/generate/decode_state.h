// The rows of a decode batch: what its steps read and write where the operators compute, and the host's mirror of it. The host
// writes into the mirror and brings it over as a whole; draws come back at a poll. On the CPU the two are one memory.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "generate/request.h"
#include "generate/page_pool.h"
#include "model/model.h"

namespace zero_rl {

// What rows are made for.
struct BatchShape {
  int64_t rows = 0;
  int64_t pages = 0;  // of a sequence
  int64_t stop_tokens = 0;
  bool kept = false;  // whether tokens that draws keep are recorded

  bool covers(const BatchShape& other) const {
    return rows >= other.rows && pages >= other.pages && stop_tokens >= other.stop_tokens && kept >= other.kept;
  }
};

class DecodeState {
 public:
  DecodeState(const Model& model, const BatchShape& shape);
  static int64_t row_bytes(const Model& model, const BatchShape& shape);

  // ---- The mirror

  struct Row {
    int32_t token;     // the last one, which the next step reads
    int32_t position;  // of that token
    int32_t count;     // new tokens
    int32_t sample;
    int32_t limit;  // most new tokens
    uint64_t uid;
    const SamplerOptions* sampler;
    std::span<const int32_t> stop_tokens;
    std::span<const int32_t> pages;
  };
  void set(int64_t row, const Row& values);
  void set_page(int64_t row, int64_t index, int32_t page);
  // Over a row in front of it.
  void move(int64_t from, int64_t to);
  void clear(int64_t row);

  // As of the last poll.
  int32_t token(int64_t row) const { return tokens_.mirror[row]; }
  // Of the token that the next step reads; negative where the row is over or empty.
  int32_t position(int64_t row) const { return positions_.mirror[row]; }
  int32_t count(int64_t row) const { return counts_.mirror[row]; }
  // What was drawn as token `count` of a row since the poll before.
  struct Draw {
    int32_t token;
    float log_prob;
    float log_mass;
    float entropy;
  };
  Draw draw(int64_t row, int64_t count) const;
  // The bits of the tokens kept by draws, which the host has not fetched: [draws, words], on the host.
  struct Place {
    int64_t row;
    int64_t count;
  };
  at::Tensor kept(const std::vector<Place>& draws) const;

  // ---- Between the mirror and the operators

  void upload();
  void poll();

  // Rows [first, first + count), `pages` of their tables.
  DecodeRows rows(int64_t first, int64_t count, int64_t pages) const;
  DrawState draws(int64_t first, int64_t count) const;

 private:
  // Memory of the operators and its mirror, in bytes.
  struct Section {
    at::Tensor operand;
    at::Tensor mirror;
    int64_t size = 0;
  };
  template <class T>
  struct Field {
    at::Tensor operand;
    T* mirror = nullptr;
  };
  class Layout;

  Operators& operators_;
  BatchShape shape_;
  int64_t ring_;   // most draws of a row that wait for the host
  Section given_;  // what only the host writes
  Section live_;   // what steps write; the host writes the first `moved_` bytes too
  int64_t moved_ = 0;
  bool given_changed_ = true;
  bool moved_changed_ = true;
  Field<double> settings_;  // [B, 5]
  Field<int64_t> seeds_;    // [B]
  Field<int64_t> uids_;
  Field<int32_t> samples_;
  Field<int32_t> limits_;
  Field<int32_t> stop_tokens_;  // [B, stop tokens]
  Field<int32_t> tables_;       // [B, pages]
  Field<int32_t> tokens_;       // [B]
  Field<int32_t> positions_;
  Field<int32_t> counts_;
  Field<int32_t> out_tokens_;  // [B, ring]
  Field<float> out_log_probs_;
  Field<float> out_log_masses_;
  Field<float> out_entropies_;
  at::Tensor log_probs_;  // [B] of the last draw
  at::Tensor log_masses_;
  at::Tensor entropies_;
  at::Tensor kept_;  // [B, ring, words]
};

}  // namespace zero_rl
