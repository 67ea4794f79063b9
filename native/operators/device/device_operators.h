// The operators on a device: ATen's matrix products and the dispatcher's operators of device/operators.h. They run on the CPU
// too, which is how tests hold what a GPU will run.
#pragma once

#include "device/runtime.h"
#include "operators/operators.h"

namespace zero_rl {

class DeviceOperators : public Operators {
 public:
  explicit DeviceOperators(std::unique_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}

  std::unique_ptr<Scope> enter() override;
  at::Device device() const override { return runtime_->device(); }
  Limits limits() const override;
  int64_t available_bytes() override { return runtime_->available_bytes(); }
  void release_unused() override { runtime_->release_unused(); }
  at::Tensor take(at::IntArrayRef sizes, at::ScalarType dtype) override { return empty(sizes, dtype); }
  at::Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType dtype) const override {
    return runtime_->host_buffer(sizes, dtype);
  }
  std::unique_ptr<Graph> capture(const std::function<void()>& step) override { return runtime_->capture(step); }

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
  at::Tensor take_lse(int64_t tokens, int64_t heads) override { return take({heads, tokens}, at::kFloat); }
  void attention(const Model& model, const PackedBatch& batch, int64_t layer, const at::Tensor& qkv,
                 const at::Tensor& out, const at::Tensor& lse) override;
  void attention_backward(const Model& model, const PackedBatch& batch, const at::Tensor& dout, const at::Tensor& qkv,
                          const at::Tensor& out, const at::Tensor& lse, const at::Tensor& dqkv) override;
  Cache make_cache(const Description& description, at::ScalarType dtype, int64_t pages) override;
  int64_t page_bytes(const Description& description, at::ScalarType dtype) const override;
  void copy_pages(const Description& description, const Cache& cache, const std::vector<int32_t>& from,
                  const std::vector<int32_t>& to) override;
  at::Tensor decode_scratch(const Description& description, int64_t rows, int64_t pages) const override;
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
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace zero_rl
