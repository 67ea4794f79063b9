// The head of a critic on a device: V = h·w (see learn/value_head.h). A value per token is little, so that the loss is
// computed on the host.
#pragma once

#include "device/device_head.h"

namespace zero_rl {

struct DeviceHiddenRows {
  at::Tensor rows;    // [R] int64, where they lie
  at::Tensor input;   // [R, H]
  at::Tensor normed;  // [R, H]
  at::Tensor rstd;    // [R]
};

// The normed hidden states before each response token.
DeviceHiddenRows device_hidden_rows(DeviceModel& model, const Activations& saved, const MicroBatch& batch);

// values [R] float32.
at::Tensor device_values(DeviceModel& model, const Activations& saved, const MicroBatch& batch);

// As device_head_backward, with entropies of zero. `dx` is zeros where no row lies.
HeadResults device_values_backward(DeviceModel& model, const Activations& saved, const MicroBatch& batch,
                                   const Objective& objective, const HeadInputs& inputs, DecoderTensors& gradients,
                                   const at::Tensor& dx);

}  // namespace zero_rl
