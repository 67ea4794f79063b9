#include "model/weight_panels.h"

#include <c10/core/CPUAllocator.h>

#include <algorithm>

#include "runtime/huge_pages.h"

namespace zero_rl {

namespace {

constexpr int64_t kAlignment = 64;

int64_t panel_bytes(const kernels::Table& kernels, const at::Tensor& weight) {
  const int64_t bytes =
      kernels.panel_elements(weight.size(0), weight.size(1)) * static_cast<int64_t>(weight.element_size());
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

c10::DataPtr allocate(int64_t bytes) {
  c10::DataPtr memory = c10::GetCPUAllocator()->allocate(static_cast<size_t>(bytes));
  prefer_huge_pages(memory.get(), static_cast<size_t>(bytes));
  return memory;
}

void pack_weight(const kernels::Table& kernels, const at::Tensor& weight, bool paired, void* panels) {
  kernels.pack_panels({.matrix = weight.data_ptr(),
                       .stride = weight.size(1),
                       .depth_stride = 1,
                       .panels = panels,
                       .n = weight.size(0),
                       .k = weight.size(1),
                       .paired = paired});
}

}  // namespace

WeightPanels::WeightPanels(const kernels::Table& kernels, const ParameterStore& parameters)
    : kernels_(kernels), parameters_(parameters) {
  for (const LayerTensors& layer : parameters.tensors().layers) {
    for (const at::Tensor& weight : {layer.qkv, layer.output, layer.gate_up, layer.down}) {
      layer_bytes_ += panel_bytes(kernels, weight);
    }
  }
  head_bytes_ = panel_bytes(kernels, parameters.tensors().head);
}

void WeightPanels::prepare_layers() {
  if (layers_ready()) return;
  if (layers_memory_.get() == nullptr) layers_memory_ = allocate(layer_bytes_);
  auto* next = static_cast<std::byte*>(layers_memory_.get());
  const auto pack = [&](const at::Tensor& weight, bool paired) -> const void* {
    void* panels = next;
    pack_weight(kernels_, weight, paired, panels);
    next += panel_bytes(kernels_, weight);
    return panels;
  };
  layers_.clear();
  for (const LayerTensors& layer : parameters_.tensors().layers) {
    Layer packed{};
    packed.qkv = pack(layer.qkv, false);
    packed.output = pack(layer.output, false);
    packed.gate_up = pack(layer.gate_up, true);
    packed.down = pack(layer.down, false);
    layers_.push_back(packed);
  }
  layers_version_ = parameters_.version();
}

void WeightPanels::release_large_layers() {
  if (layer_bytes_ > kCachedBytes) layers_memory_.clear();
}

void WeightPanels::prepare_head() {
  const bool made = head_memory_.get() != nullptr;
  if (made && head_version_ == parameters_.version()) return;
  if (!made) head_memory_ = allocate(head_bytes_);
  pack_weight(kernels_, parameters_.tensors().head, false, head_memory_.get());
  head_version_ = parameters_.version();
}

PassPanels::PassPanels(const kernels::Table& kernels, const ParameterStore& parameters, const WeightPanels& panels,
                       Workspace& workspace)
    : kernels_(kernels), weights_(parameters.tensors()), panels_(panels) {
  if (panels.layers_ready()) return;
  int64_t most = 0;
  for (const LayerTensors& layer : weights_.layers) {
    for (const at::Tensor& weight : {layer.qkv, layer.output, layer.gate_up, layer.down}) {
      most = std::max(most, panel_bytes(kernels, weight));
    }
  }
  buffer_ = workspace.take({most}, at::kByte);
}

const void* PassPanels::pack(const at::Tensor& weight, bool paired) {
  pack_weight(kernels_, weight, paired, buffer_.data_ptr());
  return buffer_.data_ptr();
}

const void* PassPanels::qkv(int64_t layer) {
  return buffer_.defined() ? pack(weights_.layers[layer].qkv, false) : panels_.layer(layer).qkv;
}
const void* PassPanels::output(int64_t layer) {
  return buffer_.defined() ? pack(weights_.layers[layer].output, false) : panels_.layer(layer).output;
}
const void* PassPanels::gate_up(int64_t layer) {
  return buffer_.defined() ? pack(weights_.layers[layer].gate_up, true) : panels_.layer(layer).gate_up;
}
const void* PassPanels::down(int64_t layer) {
  return buffer_.defined() ? pack(weights_.layers[layer].down, false) : panels_.layer(layer).down;
}

}  // namespace zero_rl
