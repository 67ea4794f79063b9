// All parameters in one flat buffer of the compute dtype; where that is bfloat16, remainders beside it join the weights to
// float32 masters. q, k, v and gate, up are merged in storage; Hugging Face names are slices of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/model_config.h"

namespace zero_rl {

// One Hugging Face tensor: `size` consecutive elements from `offset`.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  int64_t offset;
  int64_t size;
};

// Views into a flat buffer; a tensor that the architecture lacks is undefined.
struct LayerTensors {
  at::Tensor input_norm;    // [H]
  at::Tensor qkv;           // [(Hq + 2Hk)·D, H]
  at::Tensor qkv_bias;      // [(Hq + 2Hk)·D]
  at::Tensor q_norm;        // [D]
  at::Tensor k_norm;        // [D]
  at::Tensor output;        // [H, Hq·D]
  at::Tensor output_bias;   // [H]
  at::Tensor post_norm;     // [H]
  at::Tensor gate_up;       // [2I, H]
  at::Tensor gate_up_bias;  // [2I]
  at::Tensor down;          // [H, I]
  at::Tensor down_bias;     // [H]
};

struct DecoderTensors {
  at::Tensor embedding;  // [V, H]
  std::vector<LayerTensors> layers;
  at::Tensor final_norm;  // [H]
  at::Tensor head;        // [V, H]; the embedding when tied; [1, H] of a critic
};

class ParameterStore {
 public:
  // The buffers are uninitialised, and cost no memory until they are filled. bfloat16 without `masters` is trained as it is.
  ParameterStore(const ModelConfig& config, at::ScalarType dtype, bool masters, at::Device device = at::kCPU);
  virtual ~ParameterStore() = default;

  at::ScalarType dtype() const { return weights_.scalar_type(); }
  at::Device device() const { return weights_.device(); }
  // Grows whenever the weights may have changed: by write_masters, or who writes to the buffers says so by `changed`.
  uint64_t version() const { return version_; }
  void changed() const { ++version_; }
  // Elements of the flat buffers, alignment gaps included.
  int64_t size() const { return size_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const Parameter& find(const std::string& name) const;

  const at::Tensor& weights() const { return weights_; }
  // [size] int16: what bfloat16 weights lack of their float32 masters, in units of the last place; undefined where the
  // weights are the masters.
  const at::Tensor& remainders() const { return remainders_; }
  // Dtype of gradients and moments.
  at::ScalarType state_dtype() const { return remainders_.defined() ? at::kFloat : dtype(); }
  const DecoderTensors& tensors() const { return tensors_; }
  // The same views over another flat buffer, a gradient for example.
  DecoderTensors bind(const at::Tensor& flat) const;
  // All zeros, alignment gaps too.
  void clear() const;
  // Elements [start, start + count) in float32, in memory of the CPU.
  virtual void read_masters(int64_t start, int64_t count, float* out) const;
  virtual void write_masters(int64_t start, int64_t count, const float* values) const;
  // masters += rate · (masters of another store of the same shape − masters)
  virtual void follow(const ParameterStore& other, float rate) const;

 private:
  mutable uint64_t version_ = 0;
  ModelConfig config_;
  int64_t size_ = 0;
  std::vector<Parameter> parameters_;
  std::unordered_map<std::string, size_t> index_;
  at::Tensor weights_;  // [size]
  at::Tensor remainders_;
  DecoderTensors tensors_;
};

}  // namespace zero_rl
