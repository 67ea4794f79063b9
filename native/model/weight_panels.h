// The weights of the decoder's products as packed panels: a copy of them all, made once after they change, or, where that
// copy would be large and products have many rows, of one matrix at a time.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "model/parameter_store.h"
#include "runtime/workspace.h"

namespace zero_rl {

class WeightPanels {
 public:
  static constexpr int64_t kCachedBytes = int64_t{48} << 20;

  WeightPanels(const kernels::Table& kernels, const ParameterStore& parameters);

  // Whether a copy of all weights stays in the last-level cache.
  bool cached() const { return layer_bytes_ + head_bytes_ <= kCachedBytes; }
  bool layers_ready() const { return layers_memory_.get() != nullptr && layers_version_ == parameters_.version(); }
  // Each packs unless it is packed as it is now.
  void prepare_layers();
  void prepare_head();
  // Gives a large copy of the layers back, before work that needs the memory more and ends with other weights.
  void release_large_layers();

  struct Layer {
    const void* qkv;
    const void* output;
    const void* gate_up;  // paired
    const void* down;
  };
  // Only when ready.
  const Layer& layer(int64_t index) const { return layers_[index]; }
  // Only when prepared.
  const void* head() const { return head_memory_.get(); }

 private:
  const kernels::Table& kernels_;
  const ParameterStore& parameters_;
  int64_t layer_bytes_ = 0;
  int64_t head_bytes_ = 0;
  uint64_t layers_version_ = 0;
  uint64_t head_version_ = 0;
  c10::DataPtr layers_memory_;
  c10::DataPtr head_memory_;
  std::vector<Layer> layers_;
};

// The panels that a packed pass multiplies by: those of the copy, or packed one by one into the workspace. A pointer is
// valid until the next call.
class PassPanels {
 public:
  PassPanels(const kernels::Table& kernels, const ParameterStore& parameters, const WeightPanels& panels,
             Workspace& workspace);

  const void* qkv(int64_t layer);
  const void* output(int64_t layer);
  const void* gate_up(int64_t layer);
  const void* down(int64_t layer);

 private:
  const void* pack(const at::Tensor& weight, bool paired);

  const kernels::Table& kernels_;
  const DecoderTensors& weights_;
  const WeightPanels& panels_;
  at::Tensor buffer_;  // undefined when the copy is ready
};

}  // namespace zero_rl
