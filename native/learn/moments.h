// AdamW's moments beside the parameters: as AdamW computes them, or, where memory is short, rounded to bfloat16 or
// in pinned memory of the host, from which they come and go in pieces.
#pragma once

#include <functional>
#include <string>

#include "model/parameter_store.h"

namespace zero_rl {

enum class MomentStorage { kDevice, kBfloat16, kHost };

// Of the names 'device', 'bfloat16' and 'host'.
MomentStorage moment_storage(const std::string& name);

class Moments {
 public:
  Moments(const ParameterStore& parameters, MomentStorage storage, const Operators& operators);

  // body(first, exp_avg, exp_avg_sq) over all elements in order: tensors [count] on the device in the dtype of state, whose
  // values are kept.
  void update(const std::function<void(int64_t first, const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq)>& body);

  // [size], in the dtype and the memory they are stored in.
  const at::Tensor& exp_avg() const { return exp_avg_; }
  const at::Tensor& exp_avg_sq() const { return exp_avg_sq_; }

 private:
  at::Device device_;
  at::ScalarType state_;
  at::Tensor exp_avg_;
  at::Tensor exp_avg_sq_;
};

}  // namespace zero_rl
