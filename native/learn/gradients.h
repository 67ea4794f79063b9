// The gradient of a step: float32, in one flat buffer laid out as the parameters.
#pragma once

#include "operators/operators.h"

namespace zero_rl {

class Gradients {
 public:
  Gradients(const ParameterStore& store, const Operators& operators)
      : flat_(operators.flat_buffer(store.size(), at::kFloat)), tensors_(store.bind(flat_)) {}

  void clear() { flat_.zero_(); }
  // To be added to.
  DecoderTensors& tensors() { return tensors_; }
  const at::Tensor& flat() const { return flat_; }

 private:
  at::Tensor flat_;  // [size]
  DecoderTensors tensors_;
};

}  // namespace zero_rl
