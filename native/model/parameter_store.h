// All parameters in one flat buffer of the compute dtype; where that is bfloat16, remainders beside it join the weights to
// float32 masters. What the decoder multiplies with at once lies together; Hugging Face names are slices of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/description.h"

namespace zero_rl {

class Operators;

// One Hugging Face tensor: `size` consecutive elements from `offset`.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  Role role;
  int64_t offset;
  int64_t size;
};

// W [N, K] as in torch.nn.Linear, and its bias [N], undefined where there is none.
struct Linear {
  at::Tensor weight;
  at::Tensor bias;
  int64_t index = -1;  // among the linears of the decoder
};

// Views into a flat buffer; a tensor that the architecture lacks is undefined.
struct LayerTensors {
  at::Tensor attention_norm;         // [H]
  Linear qkv;                        // [(Hq + 2Hk)·D, H]
  at::Tensor q_norm;                 // [D] or [Hq·D]
  at::Tensor k_norm;                 // [D] or [Hk·D]
  Linear output;                     // [H, Hq·D]
  at::Tensor attention_output_norm;  // [H]
  at::Tensor mlp_norm;               // [H]
  Linear gate_up;                    // [2I, H]
  Linear down;                       // [H, I]
  at::Tensor mlp_output_norm;        // [H]
};

struct DecoderTensors {
  at::Tensor embedding;  // [V, H]
  std::vector<LayerTensors> layers;
  at::Tensor final_norm;  // [H]
  Linear head;            // [V, H]; the embedding when tied; [1, H] of a critic
};

class ParameterStore {
 public:
  // The buffers are uninitialised, and cost no memory until they are filled. bfloat16 without `masters` is trained as it is.
  ParameterStore(const Description& description, at::ScalarType dtype, bool masters, Operators& operators);

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
  // Dtype of moments; gradients are float32.
  at::ScalarType state_dtype() const { return remainders_.defined() ? at::kFloat : dtype(); }
  const DecoderTensors& tensors() const { return tensors_; }
  // The same views over another flat buffer, a gradient for example.
  DecoderTensors bind(const at::Tensor& flat) const;
  // All zeros, alignment gaps too.
  void clear() const;
  // Elements [start, start + count) in float32, in memory of the CPU.
  void read_masters(int64_t start, int64_t count, float* out) const;
  void write_masters(int64_t start, int64_t count, const float* values) const;
  // masters += rate · (masters of another store of the same shape − masters)
  void follow(const ParameterStore& other, float rate) const;

 private:
  // Elements [start, start + count) of the buffers; the second undefined where there are no remainders.
  at::Tensor weights_of(int64_t start, int64_t count) const { return weights_.narrow(0, start, count); }
  at::Tensor remainders_of(int64_t start, int64_t count) const {
    return remainders_.defined() ? remainders_.narrow(0, start, count) : at::Tensor();
  }

  Operators& operators_;
  mutable uint64_t version_ = 0;
  int64_t layers_;
  int64_t size_ = 0;
  std::vector<Parameter> parameters_;
  std::unordered_map<std::string, size_t> index_;
  struct Place {
    Role role;
    int64_t layer;
    int64_t offset;
    int64_t rows;
    int64_t columns;  // 0: a vector of `rows`
  };
  std::vector<Place> places_;
  at::Tensor weights_;  // [size]
  at::Tensor remainders_;
  at::Tensor host_;   // [chunk] float32 through which the host reaches the masters
  at::Tensor stage_;  // the same where the operators compute; host_ itself on the CPU
  DecoderTensors tensors_;
};

}  // namespace zero_rl
