// One new token for each row of a decode batch: embedding, layers against the caches, head, draw, stop flags. Nothing of it
// depends on the host, so that a device that has graphs replays it.
#pragma once

#include <map>

#include "device/decode_state.h"

namespace zero_rl {

class DeviceDecodeStep {
 public:
  DeviceDecodeStep(DeviceModel& model, DecodeState& state);

  // For the first `rows` rows, as many as batch_bucket says.
  void run(int64_t rows);

 private:
  struct Recorded {
    std::unique_ptr<Graph> graph;
    bool warm = false;  // ran once, so that libraries have made what they make at first use
  };
  void launch(int64_t rows);

  DeviceModel& model_;
  DecodeState& state_;
  at::Tensor x_;          // [B, H] residual stream
  at::Tensor normed_;     // [B, H]
  at::Tensor qkv_;        // [B, (Hq + 2Hk)·D]
  at::Tensor attention_;  // [B, Hq·D]
  at::Tensor gate_up_;    // [B, 2I]
  at::Tensor act_;        // [B, I]
  at::Tensor logits_;     // [B, V] float32
  at::Tensor log_probs_;  // [B] float32
  at::Tensor log_masses_;  // [B] float32
  at::Tensor indices_;    // [B] int32, of the tokens in their slots
  at::Tensor partials_;   // [B, Hq, splits, D + 2] float32
  at::Tensor cosines_;    // those that graphs have recorded
  at::Tensor sines_;
  std::map<int64_t, Recorded> recorded_;  // by rows
};

}  // namespace zero_rl
