#include "model/parameter_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "kernels/rounding.h"
#include "model/flat_buffer.h"
#include "runtime/error.h"
#include "runtime/parallel.h"

namespace zero_rl {

namespace {

constexpr int64_t kAlignment = 16;  // elements: 64 bytes of float32
constexpr int64_t kElementsPerThread = 1 << 16;

// Walks the parameters in storage order. begin() starts an aligned block, add() appends a Hugging Face
// tensor to it; merged tensors are one block.
class Layout {
 public:
  explicit Layout(std::vector<Parameter>& parameters) : parameters_(parameters) {}

  void begin() { end_ = (end_ + kAlignment - 1) / kAlignment * kAlignment; }
  void add(const std::string& name, std::vector<int64_t> shape) {
    int64_t size = 1;
    for (const int64_t dimension : shape) size *= dimension;
    parameters_.push_back({name, std::move(shape), end_, size});
    end_ += size;
  }
  void block(const std::string& name, std::vector<int64_t> shape) {
    begin();
    add(name, std::move(shape));
  }
  int64_t end() {
    begin();
    return end_;
  }

 private:
  std::vector<Parameter>& parameters_;
  int64_t end_ = 0;
};

std::string layer_name(int64_t layer, const char* rest) { return "model.layers." + std::to_string(layer) + "." + rest; }

}  // namespace

ParameterStore::ParameterStore(const ModelConfig& config, at::ScalarType dtype, bool masters, at::Device device)
    : config_(config) {
  Layout layout(parameters_);
  const int64_t hidden = config.hidden_size;
  const int64_t queries = config.query_width();
  const int64_t keys = config.kv_width();
  const int64_t inner = config.intermediate_size;
  layout.block("model.embed_tokens.weight", {config.vocab_size, hidden});
  for (int64_t l = 0; l < config.layers; ++l) {
    layout.block(layer_name(l, "input_layernorm.weight"), {hidden});
    layout.begin();
    layout.add(layer_name(l, "self_attn.q_proj.weight"), {queries, hidden});
    layout.add(layer_name(l, "self_attn.k_proj.weight"), {keys, hidden});
    layout.add(layer_name(l, "self_attn.v_proj.weight"), {keys, hidden});
    if (config.attention_bias) {
      layout.begin();
      layout.add(layer_name(l, "self_attn.q_proj.bias"), {queries});
      layout.add(layer_name(l, "self_attn.k_proj.bias"), {keys});
      layout.add(layer_name(l, "self_attn.v_proj.bias"), {keys});
    }
    if (config.qk_norm) {
      layout.block(layer_name(l, "self_attn.q_norm.weight"), {config.head_dim});
      layout.block(layer_name(l, "self_attn.k_norm.weight"), {config.head_dim});
    }
    layout.block(layer_name(l, "self_attn.o_proj.weight"), {hidden, queries});
    if (config.output_bias) layout.block(layer_name(l, "self_attn.o_proj.bias"), {hidden});
    layout.block(layer_name(l, "post_attention_layernorm.weight"), {hidden});
    layout.begin();
    layout.add(layer_name(l, "mlp.gate_proj.weight"), {inner, hidden});
    layout.add(layer_name(l, "mlp.up_proj.weight"), {inner, hidden});
    if (config.mlp_bias) {
      layout.begin();
      layout.add(layer_name(l, "mlp.gate_proj.bias"), {inner});
      layout.add(layer_name(l, "mlp.up_proj.bias"), {inner});
    }
    layout.block(layer_name(l, "mlp.down_proj.weight"), {hidden, inner});
    if (config.mlp_bias) layout.block(layer_name(l, "mlp.down_proj.bias"), {hidden});
  }
  layout.block("model.norm.weight", {hidden});
  if (config.value_head) {
    layout.block("value_head.weight", {1, hidden});
  } else if (!config.tie_word_embeddings) {
    layout.block("lm_head.weight", {config.vocab_size, hidden});
  }
  size_ = layout.end();
  for (size_t i = 0; i < parameters_.size(); ++i) index_.emplace(parameters_[i].name, i);

  weights_ = flat_buffer(size_, dtype, device);
  if (dtype != at::kFloat && masters) remainders_ = flat_buffer(size_, at::kShort, device);
  tensors_ = bind(weights_);
}

const Parameter& ParameterStore::find(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) throw native_error("There is no parameter named " + name);
  return parameters_[found->second];
}

DecoderTensors ParameterStore::bind(const at::Tensor& flat) const {
  const ModelConfig& config = config_;
  const int64_t hidden = config.hidden_size;
  const int64_t qkv = config.qkv_width();
  const int64_t inner = config.intermediate_size;
  // `rows` × `columns` elements from the tensor's offset; a merged block is named by its first tensor.
  const auto matrix = [&](const std::string& name, int64_t rows, int64_t columns) {
    return flat.narrow(0, find(name).offset, rows * columns).view({rows, columns});
  };
  const auto vector = [&](const std::string& name, int64_t size) { return flat.narrow(0, find(name).offset, size); };

  DecoderTensors result;
  result.embedding = matrix("model.embed_tokens.weight", config.vocab_size, hidden);
  for (int64_t l = 0; l < config.layers; ++l) {
    LayerTensors layer;
    layer.input_norm = vector(layer_name(l, "input_layernorm.weight"), hidden);
    layer.qkv = matrix(layer_name(l, "self_attn.q_proj.weight"), qkv, hidden);
    if (config.attention_bias) layer.qkv_bias = vector(layer_name(l, "self_attn.q_proj.bias"), qkv);
    if (config.qk_norm) {
      layer.q_norm = vector(layer_name(l, "self_attn.q_norm.weight"), config.head_dim);
      layer.k_norm = vector(layer_name(l, "self_attn.k_norm.weight"), config.head_dim);
    }
    layer.output = matrix(layer_name(l, "self_attn.o_proj.weight"), hidden, config.query_width());
    if (config.output_bias) layer.output_bias = vector(layer_name(l, "self_attn.o_proj.bias"), hidden);
    layer.post_norm = vector(layer_name(l, "post_attention_layernorm.weight"), hidden);
    layer.gate_up = matrix(layer_name(l, "mlp.gate_proj.weight"), 2 * inner, hidden);
    if (config.mlp_bias) {
      layer.gate_up_bias = vector(layer_name(l, "mlp.gate_proj.bias"), 2 * inner);
      layer.down_bias = vector(layer_name(l, "mlp.down_proj.bias"), hidden);
    }
    layer.down = matrix(layer_name(l, "mlp.down_proj.weight"), hidden, inner);
    result.layers.push_back(std::move(layer));
  }
  result.final_norm = vector("model.norm.weight", hidden);
  if (config.value_head) {
    result.head = matrix("value_head.weight", 1, hidden);
  } else {
    result.head = config.tie_word_embeddings ? result.embedding : matrix("lm_head.weight", config.vocab_size, hidden);
  }
  return result;
}

void ParameterStore::clear() const {
  changed();
  weights_.zero_();
  if (remainders_.defined()) remainders_.zero_();
}

void ParameterStore::read_masters(int64_t start, int64_t count, float* out) const {
  if (dtype() == at::kFloat) {
    std::copy_n(weights_.data_ptr<float>() + start, count, out);
    return;
  }
  const auto* weights = static_cast<const uint16_t*>(weights_.data_ptr()) + start;
  const int16_t* remainders = remainders_.defined() ? remainders_.data_ptr<int16_t>() + start : nullptr;
  parallel_ranges(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      out[i] = kernels::joined(weights[i], remainders == nullptr ? int16_t{0} : remainders[i]);
    }
  });
}

void ParameterStore::follow(const ParameterStore& other, float rate) const {
  constexpr int64_t kChunk = int64_t{1} << 18;
  std::vector<float> own(static_cast<size_t>(std::min(kChunk, size_)));
  std::vector<float> theirs(own.size());
  for (int64_t start = 0; start < size_; start += kChunk) {
    const int64_t count = std::min(kChunk, size_ - start);
    read_masters(start, count, own.data());
    other.read_masters(start, count, theirs.data());
    // Rate 1 is a copy, to the bit.
    for (int64_t i = 0; i < count; ++i) own[i] = rate == 1 ? theirs[i] : own[i] + rate * (theirs[i] - own[i]);
    write_masters(start, count, own.data());
  }
}

void ParameterStore::write_masters(int64_t start, int64_t count, const float* values) const {
  changed();
  if (dtype() == at::kFloat) {
    std::copy_n(values, count, weights_.data_ptr<float>() + start);
    return;
  }
  auto* weights = static_cast<uint16_t*>(weights_.data_ptr()) + start;
  int16_t* remainders = remainders_.defined() ? remainders_.data_ptr<int16_t>() + start : nullptr;
  parallel_ranges(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      weights[i] = kernels::upper_half(values[i]);
      if (remainders != nullptr) remainders[i] = kernels::remainder(values[i]);
    }
  });
}

}  // namespace zero_rl
