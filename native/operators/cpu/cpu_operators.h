// The operators on the CPU: our own kernels over raw pointers (native/kernels), with weights as packed panels, fused epilogues
// and the memory of one workspace.
#pragma once

#include <optional>

#include "kernels/recorded_set.h"
#include "operators/cpu/weight_panels.h"
#include "operators/operators.h"
#include "runtime/workspace.h"

namespace zero_rl {

class CpuOperators : public Operators {
 public:
  explicit CpuOperators(at::ScalarType dtype) : dtype_(dtype) {}

  at::Device device() const override { return at::kCPU; }
  Limits limits() const override;
  int64_t available_bytes() override;
  void release_unused() override;
  at::Tensor take(at::IntArrayRef sizes, at::ScalarType dtype) override { return workspace_.take(sizes, dtype); }
  at::Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType dtype) const override { return empty(sizes, dtype); }

  void attach(const ParameterStore& parameters) override { panels_.emplace(kernels(), parameters); }
  void prepare_decoding() override { panels_->prepare(); }
  void release_copies() override { panels_->release_large_layers(); }
  int64_t copy_bytes() const override { return panels_->bytes(); }
  void over_rows(int64_t count, const std::function<void(int64_t begin, int64_t count)>& body) override;
  std::vector<std::pair<int64_t, int64_t>> row_ranges(int64_t count) const override;

  void embedding(const at::Tensor& table, const at::Tensor& tokens, const at::Tensor& out) override;
  void embedding_backward(const at::Tensor& dx, const at::Tensor& tokens, const at::Tensor& dtable) override;
  void rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
                const at::Tensor& rstd) override;
  void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                         const at::Tensor& dx, bool accumulate, const at::Tensor& dweight) override;
  void add(const at::Tensor& x, const at::Tensor& delta) override;
  void copy_columns(const at::Tensor& from, const at::Tensor& to) override;
  void linear(const at::Tensor& x, const Linear& linear, const at::Tensor& out) override;
  void linear_add(const at::Tensor& x, const Linear& linear, const at::Tensor& residual) override;
  void linear_swiglu(const at::Tensor& x, const Linear& linear, const at::Tensor& gate_up,
                     const at::Tensor& act) override;
  void logits(const at::Tensor& x, const Linear& head, const at::Tensor& logits) override;
  void linear_again(const at::Tensor& x, const Linear& linear, const at::Tensor& out) override;
  void linear_backward_input(const at::Tensor& dy, const Linear& linear, const at::Tensor& dx) override;
  void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const Linear& gradient) override;
  void swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dact) override;

  void bind(PackedBatch& batch) const override;
  void rotate(const Model& model, const PackedBatch& batch, int64_t layer, const Rotation& rotation) override;
  void rotate_backward(const Model& model, const Rotation& rotation, const at::Tensor& dq_norm,
                       const at::Tensor& dk_norm) override;
  at::Tensor take_lse(int64_t tokens, int64_t heads) override { return take({tokens, heads}, at::kFloat); }
  void attention(const Model& model, const PackedBatch& batch, int64_t layer, const at::Tensor& qkv,
                 const at::Tensor& out, const at::Tensor& lse) override;
  void attention_backward(const Model& model, const PackedBatch& batch, const at::Tensor& dout, const at::Tensor& qkv,
                          const at::Tensor& out, const at::Tensor& lse, const at::Tensor& dqkv) override;
  Cache make_cache(const Description& description, at::ScalarType dtype, int64_t pages) override;
  int64_t page_bytes(const Description& description, at::ScalarType dtype) const override;
  void copy_pages(const Description& description, const Cache& cache, const std::vector<int32_t>& from,
                  const std::vector<int32_t>& to) override;
  at::Tensor decode_scratch(const Description&, int64_t rows, int64_t) const override { return empty({rows, 0}, at::kFloat); }
  void decode_attention(const Model& model, const DecodeRows& rows, const Cache& cache, int64_t layer,
                        const Rotation& rotation, const at::Tensor& scratch, const at::Tensor& out) override;

  void take_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) override;
  void put_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) override;
  void keep_tokens(const at::Tensor& logits, const KeptSets& kept, const int64_t* indices, float temperature) override;
  void log_probs(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                 const at::Tensor& log_probs) override;
  at::Tensor head_loss(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                       const Objective& objective, const LossInputs& inputs, const LossResults& results,
                       at::ScalarType dtype) override;
  void draw(const at::Tensor& logits, const DrawState& state) override;
  int64_t head_row_bytes(const Description& description, at::ScalarType dtype) const override;

  double squared_norm(const at::Tensor& x) override;
  void adamw(const AdamWUpdate& update) override;

 private:
  std::pair<size_t, size_t> mark() const override { return workspace_.mark(); }
  void release(const std::pair<size_t, size_t>& mark) override { workspace_.release(mark); }

  static const kernels::Table& kernels_of(at::ScalarType dtype) {
    const kernels::InstructionSet& set = kernels::active_set();
    return dtype == at::kFloat ? set.float32 : set.bfloat16;
  }
  const kernels::Table& kernels() const { return kernels_of(dtype_); }

  at::ScalarType dtype_;  // the compute dtype
  Workspace workspace_;
  std::optional<WeightPanels> panels_;
};

}  // namespace zero_rl
