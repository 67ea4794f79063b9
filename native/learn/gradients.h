// The gradient of a step, in one flat buffer laid out as the parameters.
#pragma once

#include "model/parameter_store.h"

namespace zero_rl {

class Gradients {
 public:
  // In the store's dtype of state. In bfloat16 the gradients of biases and norms, which gather many small terms, are summed
  // in float32 beside the buffer.
  Gradients(const ParameterStore& store, const Operators& operators);

  void clear();
  // To be added to.
  DecoderTensors& tensors() { return tensors_; }
  // Brings what lies beside the buffer into it.
  void collect();
  const at::Tensor& flat() const { return flat_; }

 private:
  struct Vector {
    at::Tensor sum;     // float32
    at::Tensor target;  // its place in the buffer
  };
  void sum_apart(at::Tensor& vector);

  at::Tensor flat_;  // [size]
  DecoderTensors tensors_;
  std::vector<Vector> vectors_;
};

}  // namespace zero_rl
