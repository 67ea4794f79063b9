#include "operators/cpu/weight_panels.h"

#include <c10/core/CPUAllocator.h>

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

// In the order of their indices.
template <class Visit>
void for_linears(const ParameterStore& parameters, const Visit& visit) {
  for (const LayerTensors& layer : parameters.tensors().layers) {
    for (const Linear* linear : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) {
      visit(linear->weight, /*paired=*/linear == &layer.gate_up);
    }
  }
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
    : kernels_(kernels), parameters_(parameters), head_bytes_(panel_bytes(kernels, parameters.tensors().head.weight)) {
  for_linears(parameters, [&](const at::Tensor& weight, bool) { layer_bytes_ += panel_bytes(kernels, weight); });
}

void WeightPanels::prepare() {
  head();
  if (layers_ready()) return;
  if (layers_memory_.get() == nullptr) layers_memory_ = allocate(layer_bytes_);
  auto* next = static_cast<std::byte*>(layers_memory_.get());
  layers_.clear();
  for_linears(parameters_, [&](const at::Tensor& weight, bool paired) {
    pack_weight(kernels_, weight, paired, next);
    layers_.push_back(next);
    next += panel_bytes(kernels_, weight);
  });
  layers_version_ = parameters_.version();
}

void WeightPanels::release_large_layers() {
  if (!cached()) layers_memory_.clear();
}

const void* WeightPanels::layer(const Linear& linear, bool paired) {
  if (layers_ready()) return layers_[linear.index];
  const int64_t bytes = panel_bytes(kernels_, linear.weight);
  if (bytes > single_bytes_) {
    single_memory_.clear();
    single_memory_ = allocate(bytes);
    single_bytes_ = bytes;
  }
  pack_weight(kernels_, linear.weight, paired, single_memory_.get());
  return single_memory_.get();
}

const void* WeightPanels::head() {
  const at::Tensor& weight = parameters_.tensors().head.weight;
  const bool made = head_memory_.get() != nullptr;
  if (made && head_version_ == parameters_.version()) return head_memory_.get();
  if (!made) head_memory_ = allocate(head_bytes_);
  pack_weight(kernels_, weight, false, head_memory_.get());
  head_version_ = parameters_.version();
  return head_memory_.get();
}

}  // namespace zero_rl
