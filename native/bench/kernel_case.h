// One kernel with its operands: what to run, what to compare, and the least work that it must do. Sizes come
// from the caller by name, so that a benchmark and a test with awkward shapes share the code.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace zero_rl::bench {

class Sizes {
 public:
  explicit Sizes(std::map<std::string, int64_t> values) : values_(std::move(values)) {}
  // Throws where the size is missing.
  int64_t at(const std::string& name) const;
  int64_t get(const std::string& name, int64_t fallback) const;

 private:
  std::map<std::string, int64_t> values_;
};

struct KernelCase {
  // Runs the kernel of the table; operands live as long as the closure.
  std::function<void(const kernels::Table&)> run;
  // The same results by other calls of the same table, whose bits have to be equal: compared with instead of the twins'.
  std::function<void(const kernels::Table&)> other;
  // The same work in ATen, for timing. Unset: `other`, or `run` with the table of twins.
  std::function<void()> twin;
  // What `run` leaves behind.
  std::vector<std::pair<std::string, at::Tensor>> outputs;
  // What `run` changes in place and what it was: restored before a comparison.
  std::vector<std::pair<at::Tensor, at::Tensor>> restored;
  // Each operand read once and each result written once.
  double bytes = 0;
  // Additions, multiplications, divisions, roots and exponentials of the definition, one each.
  double flops = 0;

  void track(const char* name, const at::Tensor& output) { outputs.emplace_back(name, output); }
  // An output that is also an input.
  void track_in_place(const char* name, const at::Tensor& output);
};

// A case of the kernel named; throws for an unknown name. `seed` determines the operands.
KernelCase make_case(const std::string& kernel, at::ScalarType dtype, const Sizes& sizes, uint64_t seed);

// Values uniform in [−scale, scale] that depend on (seed, index) only; dtype float32 or bfloat16.
at::Tensor random_tensor(at::IntArrayRef sizes, at::ScalarType dtype, uint64_t seed, double scale = 1);
// Integers in [0, bound).
std::vector<int32_t> random_integers(int64_t count, int64_t bound, uint64_t seed);
double bytes_of(std::initializer_list<at::Tensor> tensors);

// Makers, one per kernel file.
KernelCase gemm_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase packed_gemm_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase rms_norm_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase rms_norm_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase rope_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase swiglu_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase column_sums_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase attention_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase one_thread_attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase paged_decode_attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase store_pages_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase cached_attention_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase softmax_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase log_prob_gradient_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase entropy_gradient_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase sampler_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase embedding_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase embedding_backward_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase adamw_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);
KernelCase squared_norm_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed);

}  // namespace zero_rl::bench
