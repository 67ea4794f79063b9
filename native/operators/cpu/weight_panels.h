// The weights of the decoder's products as packed panels: a copy of them all, made once after they change, or, where that
// copy would be large and products have many rows, of one matrix at a time.
#pragma once

#include <c10/core/Allocator.h>

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "model/parameter_store.h"

namespace zero_rl {

class WeightPanels {
 public:
  WeightPanels(const kernels::Table& kernels, const ParameterStore& parameters);

  // Packs a copy of all weights unless it is packed as they are now.
  void prepare();
  // Gives a copy of the layers that no cache holds back, before work that needs the memory more and ends with other weights.
  void release_large_layers();
  // Whether a copy of all weights stays in the last-level cache.
  bool cached() const { return bytes() <= kCachedBytes; }
  int64_t bytes() const { return layer_bytes_ + head_bytes_; }

  // The panels of a linear as its weights are now: of the copy, or packed one by one: valid until the next call.
  const void* layer(const Linear& linear, bool paired);
  // Those of the head stay.
  const void* head();

 private:
  static constexpr int64_t kCachedBytes = int64_t{48} << 20;

  bool layers_ready() const { return layers_memory_.get() != nullptr && layers_version_ == parameters_.version(); }

  const kernels::Table& kernels_;
  const ParameterStore& parameters_;
  int64_t layer_bytes_ = 0;
  int64_t head_bytes_ = 0;
  uint64_t layers_version_ = 0;
  uint64_t head_version_ = 0;
  c10::DataPtr layers_memory_;
  c10::DataPtr head_memory_;
  c10::DataPtr single_memory_;
  int64_t single_bytes_ = 0;
  std::vector<const void*> layers_;  // by index of the linear
};

}  // namespace zero_rl
