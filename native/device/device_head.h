// The one-pass head on a device (see learn/head.h), and the head of a critic.
#pragma once

#include "device/device_model.h"
#include "learn/trainer.h"

namespace zero_rl {

// One value per row on the device, float32.
struct HeadResults {
  at::Tensor log_probs;  // a critic's values
  at::Tensor entropies;
  at::Tensor losses;  // weight · loss, without the entropy bonus
  at::Tensor clipped;  // 0 or 1
};

// What the loss reads of each row, float32 on the device; undefined where the objective does not.
struct HeadInputs {
  at::Tensor advantages;
  at::Tensor weights;
  at::Tensor old_log_probs;
  at::Tensor reference_log_probs;
  at::Tensor sequence_log_ratios;
  at::Tensor loss_shares;
};

// Log-probs [R] of the targets, or a critic's values. `chunk_rows` go through the head at a time.
at::Tensor device_head_values(DeviceModel& model, const Activations& saved, const MicroBatch& batch, float temperature,
                              int64_t chunk_rows, const AbortFlag& abort);

// Accumulates the gradients of the head and the final norm, and fills `dx` [T, H], the gradient of saved.output.
HeadResults device_head_backward(DeviceModel& model, const Activations& saved, const MicroBatch& batch,
                                 const Objective& objective, float temperature, const HeadInputs& inputs,
                                 int64_t chunk_rows, DecoderTensors& gradients, const at::Tensor& dx,
                                 const AbortFlag& abort);

// Bytes of the head's buffers per row of a chunk.
int64_t device_head_row_bytes(const ModelConfig& config, at::ScalarType dtype);

}  // namespace zero_rl
