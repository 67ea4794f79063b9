// The decoder on a device over packed sequences: forward, and a backward pass written out by hand. What the two keep and
// compute again is as in model/decoder.h; prompts are not shared, since varlen attention has no such backward pass.
#pragma once

#include <functional>
#include <vector>

#include "device/device_model.h"
#include "model/decoder.h"

namespace zero_rl {

// PackedTokens without shared beginnings, on the device.
struct DeviceBatch {
  DeviceBatch(DeviceModel& model, const PackedTokens& packed);

  int64_t count;          // T
  int64_t max_length = 0;
  at::Tensor tokens;     // [T] int32
  at::Tensor positions;  // [T] int32
  at::Tensor offsets;    // [sequences + 1] int32
};

// Where a pass that fills caches stores keys and values: int32 [T] slot and index of each token, and caches
// [layers, S, Hk, L, D].
struct CacheTarget {
  at::Tensor slots;
  at::Tensor indices;
  at::Tensor keys;
  at::Tensor values;
};

// Activations as in model/decoder.h, but for lse, which is [Hq, T].
void device_forward(DeviceModel& model, const DeviceBatch& batch, const Keep& keep, Activations& saved,
                    const CacheTarget* caches, const AbortFlag& abort);

// Accumulates gradients of all but the final norm and the head. `dx` [T, H] is the gradient of `saved.output` and is
// overwritten.
void device_backward(DeviceModel& model, const DeviceBatch& batch, Activations& saved, const at::Tensor& dx,
                     DecoderTensors& gradients, const AbortFlag& abort);

}  // namespace zero_rl
