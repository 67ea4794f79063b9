#include "learn/gradients.h"

#include <ATen/ops/zeros.h>

#include "operators/operators.h"

namespace zero_rl {

Gradients::Gradients(const ParameterStore& store, const Operators& operators)
    : flat_(operators.flat_buffer(store.size(), store.state_dtype())), tensors_(store.bind(flat_)) {
  if (flat_.scalar_type() == at::kFloat) return;
  for (LayerTensors& layer : tensors_.layers) {
    for (at::Tensor* vector : {&layer.attention_norm, &layer.qkv.bias, &layer.q_norm, &layer.k_norm, &layer.output.bias,
                               &layer.attention_output_norm, &layer.mlp_norm, &layer.gate_up.bias, &layer.down.bias,
                               &layer.mlp_output_norm}) {
      if (vector->defined()) sum_apart(*vector);
    }
  }
  sum_apart(tensors_.final_norm);
}

void Gradients::sum_apart(at::Tensor& vector) {
  const at::Tensor sum = at::zeros(vector.sizes(), vector.options().dtype(at::kFloat));
  vectors_.push_back({sum, vector});
  vector = sum;
}

void Gradients::clear() {
  flat_.zero_();
  for (const Vector& vector : vectors_) vector.sum.zero_();
}

void Gradients::collect() {
  for (const Vector& vector : vectors_) vector.target.copy_(vector.sum);
}

}  // namespace zero_rl
