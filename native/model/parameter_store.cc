#include "model/parameter_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "operators/operators.h"
#include "runtime/error.h"

namespace zero_rl {

namespace {

constexpr int64_t kAlignment = 16;                // elements: 64 bytes of float32
constexpr int64_t kChunk = int64_t{1} << 22;      // elements that pass through the host at a time
constexpr int64_t kLinearsPerLayer = 4;

int64_t aligned(int64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

at::Tensor& place_in_layer(LayerTensors& layer, Role role) {
  switch (role) {
    case Role::kAttentionNorm:
      return layer.attention_norm;
    case Role::kQkv:
      return layer.qkv.weight;
    case Role::kQkvBias:
      return layer.qkv.bias;
    case Role::kQueryNorm:
      return layer.q_norm;
    case Role::kKeyNorm:
      return layer.k_norm;
    case Role::kAttentionOutput:
      return layer.output.weight;
    case Role::kAttentionOutputBias:
      return layer.output.bias;
    case Role::kAttentionOutputNorm:
      return layer.attention_output_norm;
    case Role::kMlpNorm:
      return layer.mlp_norm;
    case Role::kGateUp:
      return layer.gate_up.weight;
    case Role::kGateUpBias:
      return layer.gate_up.bias;
    case Role::kDown:
      return layer.down.weight;
    case Role::kDownBias:
      return layer.down.bias;
    case Role::kMlpOutputNorm:
      return layer.mlp_output_norm;
    default:
      throw native_error("A layer has no such tensor");
  }
}

at::Tensor& place_of(DecoderTensors& tensors, Role role, int64_t layer) {
  switch (role) {
    case Role::kEmbedding:
      return tensors.embedding;
    case Role::kFinalNorm:
      return tensors.final_norm;
    case Role::kHead:
      return tensors.head.weight;
    default:
      return place_in_layer(tensors.layers[layer], role);
  }
}

}  // namespace

ParameterStore::ParameterStore(const Description& description, at::ScalarType dtype, bool masters, Operators& operators)
    : operators_(operators), layers_(description.layer_count()) {
  for (const Block& block : description.blocks) {
    size_ = aligned(size_);
    Place place{block.role, block.layer, size_, 0, 0};
    for (const NamedShape& tensor : block.tensors) {
      int64_t elements = 1;
      for (const int64_t dimension : tensor.shape) elements *= dimension;
      parameters_.push_back({tensor.name, tensor.shape, block.role, size_, elements});
      size_ += elements;
      place.rows += tensor.shape[0];
      place.columns = tensor.shape.size() > 1 ? tensor.shape[1] : 0;
    }
    places_.push_back(place);
  }
  size_ = aligned(size_);
  for (size_t i = 0; i < parameters_.size(); ++i) index_.emplace(parameters_[i].name, i);

  weights_ = operators.flat_buffer(size_, dtype);
  if (dtype != at::kFloat && masters) remainders_ = operators.flat_buffer(size_, at::kShort);
  host_ = operators.host_buffer({std::min(kChunk, size_)}, at::kFloat);
  stage_ = operators.device().is_cpu() ? host_ : operators.empty(host_.sizes(), at::kFloat);
  tensors_ = bind(weights_);
  operators.attach(*this);
}

const Parameter& ParameterStore::find(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) throw native_error("There is no parameter named " + name);
  return parameters_[found->second];
}

DecoderTensors ParameterStore::bind(const at::Tensor& flat) const {
  DecoderTensors result;
  result.layers.resize(layers_);
  for (const Place& place : places_) {
    const at::Tensor values = flat.narrow(0, place.offset, place.rows * std::max<int64_t>(1, place.columns));
    place_of(result, place.role, place.layer) = place.columns == 0 ? values : values.view({place.rows, place.columns});
  }
  if (!result.head.weight.defined()) result.head.weight = result.embedding;
  for (int64_t l = 0; l < layers_; ++l) {
    LayerTensors& layer = result.layers[l];
    int64_t index = l * kLinearsPerLayer;
    for (Linear* linear : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) linear->index = index++;
  }
  result.head.index = layers_ * kLinearsPerLayer;
  return result;
}

void ParameterStore::clear() const {
  changed();
  weights_.zero_();
  if (remainders_.defined()) remainders_.zero_();
}

void ParameterStore::read_masters(int64_t start, int64_t count, float* out) const {
  for (int64_t done = 0; done < count; done += kChunk) {
    const int64_t piece = std::min(kChunk, count - done);
    const at::Tensor host = host_.narrow(0, 0, piece);
    const at::Tensor stage = stage_.narrow(0, 0, piece);
    operators_.join_masters(weights_of(start + done, piece), remainders_of(start + done, piece), stage);
    if (!host.is_alias_of(stage)) host.copy_(stage);
    std::memcpy(out + done, host.data_ptr(), static_cast<size_t>(host.nbytes()));
  }
}

void ParameterStore::write_masters(int64_t start, int64_t count, const float* values) const {
  changed();
  for (int64_t done = 0; done < count; done += kChunk) {
    const int64_t piece = std::min(kChunk, count - done);
    const at::Tensor host = host_.narrow(0, 0, piece);
    const at::Tensor stage = stage_.narrow(0, 0, piece);
    std::memcpy(host.data_ptr(), values + done, static_cast<size_t>(host.nbytes()));
    if (!host.is_alias_of(stage)) stage.copy_(host);
    operators_.split_masters(stage, weights_of(start + done, piece), remainders_of(start + done, piece));
  }
}

void ParameterStore::follow(const ParameterStore& other, float rate) const {
  changed();
  if (other.device() == device() && other.dtype() == dtype()) {
    operators_.follow(weights_, remainders_, other.weights_, other.remainders_, rate);
    return;
  }
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

}  // namespace zero_rl
