// The ATen twins of the kernels: the same contracts over the same structs, composed of library calls. They
// are the oracle of the kernels' tests and what `zero-rl bench kernels` compares with; no engine code calls them.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include "kernels/kernels.h"

namespace zero_rl::kernels {

// Table of the twins, in the form of an instruction set's.
const InstructionSet& reference_set();

inline const Table& reference_table(at::ScalarType dtype) {
  return dtype == at::kFloat ? reference_set().float32 : reference_set().bfloat16;
}

// Draws one token per row of logits [R, V] by inverting the cumulative distribution at `uniforms` [R]: in token
// order, or, with a truncation, over the kept tokens from the most likely one down. log_probs are those of the
// untruncated distribution; log_masses [R] the log of the probability of the tokens kept, and kept [R, V] which they are,
// where given.
struct SamplerReference {
  const float* logits;
  const double* uniforms;
  float inverse_temperature;
  int64_t top_k;  // 0: off
  double top_p;   // 1: off
  double min_p;   // 0: off
  int32_t* tokens;
  float* log_probs;
  float* log_masses;
  bool* kept;
  int64_t rows;
  int64_t vocab;
};
void sample_reference(const SamplerReference& s);

namespace reference {

inline at::Tensor strided(const void* data, at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType dtype) {
  return at::from_blob(const_cast<void*>(data), sizes, strides, at::TensorOptions().dtype(dtype));
}

inline at::Tensor dense(const void* data, at::IntArrayRef sizes, at::ScalarType dtype) {
  return at::from_blob(const_cast<void*>(data), sizes, at::TensorOptions().dtype(dtype));
}

}  // namespace reference

}  // namespace zero_rl::kernels
