// Gradients of packed causal attention in bfloat16 by the processor's tiles, for heads of a multiple of kSquare dimensions.
// Scores are made again as squares of keys × queries, so that what follows reads them as they lie: probabilities and their
// gradients, rounded, are rows for the gradients of values and keys, and pairs of rows for that of queries.
#pragma once

#include "kernels/attention_block.h"
#include "kernels/finish_tile.h"
#include "kernels/pack_panel.h"
#include "kernels/panel_product.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

#if defined(__AMX_BF16__)

class SquareBackwardTask {
 public:
  static bool suits(const Attention& a) { return a.head_dim % kSquare == 0; }

  SquareBackwardTask(const AttentionBackward& b, int64_t kv_head, const Family& family)
      : b_(b),
        a_(b.forward),
        kv_head_(kv_head),
        family_(family),
        columns_(b.forward, kv_head),
        dim_(a_.head_dim),
        parts_(a_.head_dim / kSquare),
        scale_(1.0f / std::sqrt(static_cast<float>(a_.head_dim))),
        scratch_(block_floats(a_.segments[family.first].length) +
                 block_floats(longest_segment(a_, family.first + 1, family.end)) + query_floats()) {
    float* next = place(prefix_, a_.segments[family.first].length, scratch_.data());
    next = place(own_, longest_segment(a_, family.first + 1, family.end), next);
    const auto take = [&](int64_t floats) {
      float* at = next;
      next += floats;
      return at;
    };
    queries_across_ = reinterpret_cast<Bfloat16*>(take(operand_floats()));
    douts_across_ = reinterpret_cast<Bfloat16*>(take(operand_floats()));
    queries_down_ = reinterpret_cast<Bfloat16*>(take(operand_floats()));
    douts_down_ = reinterpret_cast<Bfloat16*>(take(operand_floats()));
    dqueries_ = take(parts_ * kSquareFloats);
    scores_ = take(kSquareFloats);
    dscores_ = take(kSquareFloats);
    probability_rows_ = reinterpret_cast<Bfloat16*>(take(kSquareFloats / 2));
    dscore_rows_ = reinterpret_cast<Bfloat16*>(take(kSquareFloats / 2));
    dscore_pairs_ = reinterpret_cast<Bfloat16*>(take(kSquareFloats / 2));
    lse_ = take(kSquare);
    delta_ = take(kSquare);
  }

  void run() {
    const TileUnits units;
    walk_family(
        a_, family_, prefix_, own_, [&](Block& block, const Segment& segment) { fill(block, segment); },
        [&](const Segment& segment, const Block& own, const Block& prefix) { run_segment(segment, own, prefix); },
        [&](const Block& block, const Segment& segment) { write(block, segment); });
  }

 private:
  static constexpr int64_t kSquareFloats = kSquare * kSquare;

  // Keys and values of a segment, padded with zeros to whole squares.
  struct Block {
    Bfloat16* keys = nullptr;         // rows
    Bfloat16* values = nullptr;       // rows
    Bfloat16* key_columns = nullptr;  // [D, pitch]
    float* dkeys = nullptr;           // [squares of keys, parts of D, kSquare, kSquare]
    float* dvalues = nullptr;         // likewise
    int64_t pitch = 0;
    int64_t length = 0;
  };

  static int64_t padded(int64_t length) { return (length + kSquare - 1) / kSquare * kSquare; }

  // Of a block of queries as the right-hand side of a product.
  int64_t operand_floats() const { return kSquare * dim_ / 2; }
  int64_t query_floats() const {
    return 4 * operand_floats() + parts_ * kSquareFloats + 4 * kSquareFloats + 2 * kSquare;
  }
  int64_t block_floats(int64_t length) const {
    return padded(length) * dim_ + dim_ * row_pitch(padded(length)) / 2 + 2 * padded(length) * dim_;
  }

  float* place(Block& block, int64_t length, float* at) const {
    const int64_t rows = padded(length);
    block.keys = reinterpret_cast<Bfloat16*>(at);
    block.values = block.keys + rows * dim_;
    block.key_columns = block.values + rows * dim_;
    block.dkeys = at + rows * dim_ + dim_ * row_pitch(rows) / 2;
    block.dvalues = block.dkeys + rows * dim_;
    return block.dvalues + rows * dim_;
  }

  void copy_rows(const void* matrix, int64_t stride, int64_t column, int64_t begin, int64_t length, int64_t rows,
                 Bfloat16* to) const {
    const Bfloat16* from = static_cast<const Bfloat16*>(matrix) + begin * stride + column;
    const auto bytes = static_cast<size_t>(dim_) * sizeof(Bfloat16);
    for (int64_t t = 0; t < length; ++t) std::memcpy(to + t * dim_, from + t * stride, bytes);
    std::memset(to + length * dim_, 0, static_cast<size_t>(rows - length) * bytes);
  }

  void fill(Block& block, const Segment& segment) const {
    const int64_t rows = padded(segment.length);
    block.length = segment.length;
    block.pitch = row_pitch(rows);
    copy_rows(a_.qkv, columns_.width, columns_.key, segment.begin, segment.length, rows, block.keys);
    copy_rows(a_.qkv, columns_.width, columns_.value, segment.begin, segment.length, rows, block.values);
    for (int64_t t = 0; t < rows; t += kPairDepth) {
      for (int64_t d = 0; d < dim_; d += kLanes) {
        copy_square(block.keys + t * dim_ + d, dim_, block.key_columns + d * block.pitch + t, block.pitch);
      }
    }
    std::memset(block.dkeys, 0, static_cast<size_t>(rows * dim_) * sizeof(float));
    std::memset(block.dvalues, 0, static_cast<size_t>(rows * dim_) * sizeof(float));
  }

  void write(const Block& block, const Segment& segment) const {
    for (int64_t t = 0; t < segment.length; ++t) {
      Bfloat16* row = static_cast<Bfloat16*>(b_.dqkv) + (segment.begin + t) * columns_.width;
      for (int64_t part = 0; part < parts_; ++part) {
        const int64_t at = (t / kSquare * parts_ + part) * kSquareFloats + t % kSquare * kSquare;
        const float* dkey = block.dkeys + at;
        const float* dvalue = block.dvalues + at;
        store_pair(row + columns_.key + part * kSquare, load(dkey) * scale_, load(dkey + kLanes) * scale_);
        store_pair(row + columns_.value + part * kSquare, load(dvalue), load(dvalue + kLanes));
      }
    }
  }

  void run_segment(const Segment& segment, const Block& own, const Block& prefix) {
    const int64_t group = a_.heads / a_.kv_heads;
    for (int64_t g = 0; g < group; ++g) {
      for (int64_t t = 0; t < segment.length; t += kSquare) {
        const int64_t rows = segment.length - t < kSquare ? segment.length - t : kSquare;
        const int64_t head = kv_head_ * group + g;
        fill_queries(segment.begin + t, head, rows);
        std::memset(dqueries_, 0, static_cast<size_t>(parts_ * kSquareFloats) * sizeof(float));
        for (int64_t key = 0; key < prefix.length; key += kSquare) run_square(prefix, key, prefix.length - 1, 0);
        for (int64_t key = 0; key < t + rows; key += kSquare) run_square(own, key, t, 1);
        write_queries(segment.begin + t, head, rows);
      }
    }
  }

  // [D / 2, kSquare, 2]: pairs along the dimensions, a column for each query.
  void pack_across(const Bfloat16* rows, Bfloat16* to) const {
    const PackPanels panel{.matrix = rows, .stride = dim_, .depth_stride = 1, .panels = nullptr, .n = kSquare, .k = dim_,
                           .paired = false};
    pack_panel<Bfloat16>(panel, 0, 0, dim_, to);
  }

  // [parts, kSquare / 2, kSquare, 2]: pairs along the queries, a column for each dimension.
  void pack_down(const Bfloat16* rows, Bfloat16* to) const {
    for (int64_t part = 0; part < parts_; ++part) {
      for (int64_t i = 0; i < kSquare; i += 2) {
        const Bfloat16* row = rows + i * dim_ + part * kSquare;
        interleave_rows(row, row + dim_, to + (part * kSquare + i) * kSquare);
      }
    }
  }

  // Queries and gradients of the outputs of tokens [token, token + rows); those beyond have no probability anywhere.
  void fill_queries(int64_t token, int64_t head, int64_t rows) {
    auto* copies = reinterpret_cast<Bfloat16*>(dqueries_);  // as long as it has no sums
    copy_rows(b_.dout, a_.heads * dim_, head * dim_, token, rows, kSquare, copies);
    pack_across(copies, douts_across_);
    pack_down(copies, douts_down_);
    for (int64_t i = 0; i < kSquare; ++i) {
      constexpr float kUnseen = 1e30f;
      lse_[i] = i < rows ? a_.lse[(token + i) * a_.heads + head] : kUnseen;
      delta_[i] = 0;
      if (i >= rows) continue;
      const Bfloat16* out = static_cast<const Bfloat16*>(a_.out) + ((token + i) * a_.heads + head) * dim_;
      Vector products{};
      for (int64_t d = 0; d < dim_; d += kLanes) products += load_wide(copies + i * dim_ + d) * load_wide(out + d);
      delta_[i] = sum_lanes(products);
    }
    copy_rows(a_.qkv, columns_.width, head * dim_, token, rows, kSquare, copies);
    pack_across(copies, queries_across_);
    pack_down(copies, queries_down_);
  }

  static void multiply(const Bfloat16* a, int64_t stride, const Bfloat16* panel, int64_t depth, const float* before,
                       float* sums) {
    multiply_square(a, stride, kSquare, PanelBlock<Bfloat16>{panel, nullptr, depth}, before, sums, [] {});
  }

  // Keys [key, key + kSquare) of a block and the queries. Query i sees the keys up to last + i·step.
  void run_square(const Block& block, int64_t key, int64_t last, int64_t step) {
    multiply(block.keys + key * dim_, dim_, queries_across_, dim_, nullptr, scores_);
    multiply(block.values + key * dim_, dim_, douts_across_, dim_, nullptr, dscores_);
    if (key + kSquare - 1 > last) {
      gradients_of_scores<true>(key, last, step);
    } else {
      gradients_of_scores<false>(key, last, step);
    }
    const int64_t square = key / kSquare * parts_;
    for (int64_t part = 0; part < parts_; ++part) {
      float* dvalues = block.dvalues + (square + part) * kSquareFloats;
      float* dkeys = block.dkeys + (square + part) * kSquareFloats;
      float* dqueries = dqueries_ + part * kSquareFloats;
      multiply(probability_rows_, kSquare, douts_down_ + part * kSquareFloats, kSquare, dvalues, dvalues);
      multiply(dscore_rows_, kSquare, queries_down_ + part * kSquareFloats, kSquare, dkeys, dkeys);
      multiply(block.key_columns + part * kSquare * block.pitch + key, block.pitch, dscore_pairs_, kSquare, dqueries,
               dqueries);
    }
  }

  // Scores and dout · value become probabilities and the gradients of the scores, rounded.
  template <bool Masked>
  void gradients_of_scores(int64_t key, int64_t last, int64_t step) {
    IntVector lanes;
    for (int32_t lane = 0; lane < kLanes; ++lane) lanes[lane] = lane;
    for (int64_t j = 0; j < kSquare; ++j) {
      Vector probabilities[2];
      Vector gradients[2];
      for (int64_t half = 0; half < 2; ++half) {
        const int64_t at = j * kSquare + half * kLanes;
        Vector p = fast_exp(load(scores_ + at) * scale_ - load(lse_ + half * kLanes));
        if constexpr (Masked) {
          const IntVector seen = static_cast<int32_t>(last) + (lanes + static_cast<int32_t>(half * kLanes)) * static_cast<int32_t>(step);
          p = seen >= static_cast<int32_t>(key + j) ? p : Vector{};
        }
        probabilities[half] = p;
        gradients[half] = p * (load(dscores_ + at) - load(delta_ + half * kLanes));
      }
      store_pair(probability_rows_ + j * kSquare, probabilities[0], probabilities[1]);
      store_pair(dscore_rows_ + j * kSquare, gradients[0], gradients[1]);
    }
    for (int64_t j = 0; j < kSquare; j += 2) {
      const Bfloat16* row = dscore_rows_ + j * kSquare;
      interleave_rows(row, row + kSquare, dscore_pairs_ + j * kSquare);
    }
  }

  void write_queries(int64_t token, int64_t head, int64_t rows) const {
    for (int64_t part = 0; part < parts_; ++part) {
      const float* sums = dqueries_ + part * kSquareFloats;
      for (int64_t first = 0; first < rows; first += kLanes) {
        __m512i left[kLanes];
        __m512i right[kLanes];
        for (int64_t d = 0; d < kLanes; ++d) {
          left[d] = (__m512i)load(sums + d * kSquare + first);
          right[d] = (__m512i)load(sums + (kLanes + d) * kSquare + first);
        }
        transpose_words(left);
        transpose_words(right);
        const int64_t count = rows - first < kLanes ? rows - first : kLanes;
        for (int64_t i = 0; i < count; ++i) {
          Bfloat16* row = static_cast<Bfloat16*>(b_.dqkv) + (token + first + i) * columns_.width + head * dim_;
          store_pair(row + part * kSquare, (Vector)left[i] * scale_, (Vector)right[i] * scale_);
        }
      }
    }
  }

  const AttentionBackward& b_;
  const Attention& a_;
  int64_t kv_head_;
  Family family_;
  HeadColumns<Bfloat16> columns_;
  int64_t dim_;
  int64_t parts_;
  float scale_;
  Scratch scratch_;
  Block prefix_;
  Block own_;
  Bfloat16* queries_across_;
  Bfloat16* douts_across_;
  Bfloat16* queries_down_;
  Bfloat16* douts_down_;
  float* dqueries_;  // [parts, kSquare dimensions, kSquare queries]
  float* scores_;    // keys × queries
  float* dscores_;
  Bfloat16* probability_rows_;
  Bfloat16* dscore_rows_;
  Bfloat16* dscore_pairs_;
  float* lse_;
  float* delta_;
};

#endif

}  // namespace zero_rl::kernels::ZERO_RL_ISA
