// The rows of a decode batch on the device: what the kernels of a step read and write, and the caches beside them.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "device/decode_plan.h"

namespace zero_rl {

// One sequence, as the host puts it into a row. Its first token has been drawn from the logits of its prompt.
struct NewRow {
  int32_t slot;
  int32_t prefix;
  int32_t prefix_length;
  int32_t sample;
  int32_t limit;  // most new tokens
  int64_t uid;
};

class DecodeState {
 public:
  // Int32 values of each row.
  enum Field { kToken, kPosition, kSlot, kLength, kPrefix, kPrefixLength, kSample, kLimit, kCount, kFields };

  DecodeState(const DeviceModel& model, const DecodePlan& plan);

  const DecodePlan& plan() const { return plan_; }
  // The options of a request, in the tensors that graphs read them from. No row is live afterwards.
  void begin(const GenerateRequest& request);
  // [rows] of the first rows.
  at::Tensor field(Field field, int64_t rows) const { return fields_.select(0, field).narrow(0, 0, rows); }
  at::Tensor uids(int64_t rows) const { return uids_.narrow(0, 0, rows); }
  at::Tensor out_tokens(int64_t rows) const { return out_tokens_.narrow(0, 0, rows); }        // [rows, M]
  at::Tensor out_log_probs(int64_t rows) const { return out_log_probs_.narrow(0, 0, rows); }  // [rows, M]
  at::Tensor out_log_masses(int64_t rows) const { return out_log_masses_.narrow(0, 0, rows); }
  // [rows, kKeptRing, words] of the first rows from `first` on, for operators::sample; none where nothing is recorded.
  std::optional<at::Tensor> kept(int64_t first, int64_t rows) const {
    return kept_.defined() ? std::optional(kept_.narrow(0, first, rows)) : std::nullopt;
  }
  // The kept tokens [draws, words] of draws that the host has not fetched, on the host.
  struct Draw {
    int64_t row;
    int64_t count;  // tokens of the row before it
  };
  at::Tensor fetch_kept(const std::vector<Draw>& draws) const;

  // Draws the first token of each from its prompt's logits and puts them into rows [first, first + count).
  void admit(const std::vector<NewRow>& rows, int64_t first);
  // Slots and counts of the first rows as they are now; slots below 0 have ended.
  struct Poll {
    std::vector<int32_t> slots;
    std::vector<int32_t> counts;
  };
  Poll poll(int64_t rows);
  // Moves rows `kept`, in ascending order, to the front, and empties the others of the first `rows`.
  void compact(const std::vector<int64_t>& kept, int64_t rows);

  at::Tensor settings;       // [5] float64, see operators::sample
  at::Tensor seed;           // [1] int64
  at::Tensor stops;          // [K] int32, −1 where there is none
  at::Tensor keys;           // [layers, S, Hk, L, D]
  at::Tensor values;
  at::Tensor prefix_keys;    // [layers, P, Hk, Lp, D]
  at::Tensor prefix_values;
  at::Tensor prefix_logits;  // [P, V] float32, of the last token of each prompt

 private:
  const DeviceModel& model_;
  DecodePlan plan_;
  at::Tensor fields_;         // [kFields, B] int32
  at::Tensor uids_;           // [B] int64
  at::Tensor out_tokens_;     // [B, M] int32
  at::Tensor out_log_probs_;  // [B, M] float32
  at::Tensor out_log_masses_;  // [B, M] float32
  at::Tensor kept_;           // [B, kKeptRing, words] int32
  at::Tensor polled_;         // [2, B] int32 on the host
};

}  // namespace zero_rl
