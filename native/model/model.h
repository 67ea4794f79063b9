// A decoder's weights and what every pass over them needs.
#pragma once

#include "model/description.h"
#include "model/parameter_store.h"
#include "model/rope_table.h"
#include "operators/operators.h"

namespace zero_rl {

struct Model {
  Model(const Description& model_description, at::ScalarType dtype, bool masters, Operators& operator_set)
      : description(model_description),
        operators(operator_set),
        parameters(description, dtype, masters, operators),
        rope(description.rope, description.head_dim, description.max_positions, operators.device()) {}

  at::ScalarType dtype() const { return parameters.dtype(); }
  const DecoderTensors& weights() const { return parameters.tensors(); }
  // A tensor of the compute dtype inside of the innermost frame.
  at::Tensor take(at::IntArrayRef sizes) const { return operators.take(sizes, dtype()); }

  Description description;
  Operators& operators;
  ParameterStore parameters;
  RopeTable rope;
};

}  // namespace zero_rl
