#include "generate/kv_cache.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "runtime/huge_pages.h"

namespace zero_rl {

namespace {

constexpr int64_t kSlabBytes = int64_t{64} << 20;
constexpr int64_t kAlignment = 64;  // elements

int64_t key_elements(const ModelConfig& config, int64_t capacity) {
  return config.layers * config.kv_heads * config.head_dim * kernels::key_tiles(capacity) * kernels::kKeyTile;
}

int64_t value_elements(const ModelConfig& config, int64_t capacity) {
  return config.layers * config.kv_heads * config.head_dim * capacity + kernels::kValueSlack;
}

}  // namespace

int64_t KvBlock::elements(const ModelConfig& config, int64_t capacity) {
  const int64_t both = key_elements(config, capacity) + value_elements(config, capacity);
  return (both + kAlignment - 1) / kAlignment * kAlignment;
}

KvBlock::KvBlock(const ModelConfig& config, at::ScalarType dtype, int64_t capacity)
    : KvBlock(config, at::empty({elements(config, capacity)}, at::TensorOptions().dtype(dtype)), capacity) {}

KvBlock::KvBlock(const ModelConfig& config, const at::Tensor& memory, int64_t capacity)
    : keys(memory.narrow(0, 0, key_elements(config, capacity))),
      values(memory.narrow(0, key_elements(config, capacity), value_elements(config, capacity))),
      capacity(capacity) {}

SlotPool::SlotPool(const ModelConfig& config, at::ScalarType dtype, int64_t capacity, int64_t slots)
    : config_(config), dtype_(dtype), capacity_(capacity), slots_(slots) {}

std::unique_ptr<KvBlock> SlotPool::take() {
  if (free_.empty()) make();
  std::unique_ptr<KvBlock> block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void SlotPool::make() {
  const int64_t elements = KvBlock::elements(config_, capacity_);
  const int64_t bytes = elements * static_cast<int64_t>(c10::elementSize(dtype_));
  const int64_t count = std::min(slots_ - made_, std::max<int64_t>(1, kSlabBytes / bytes));
  const at::Tensor slab = at::empty({count * elements}, at::TensorOptions().dtype(dtype_));
  prefer_huge_pages(slab.data_ptr(), static_cast<size_t>(count * bytes));
  for (int64_t i = count - 1; i >= 0; --i) {
    free_.push_back(std::make_unique<KvBlock>(config_, slab.narrow(0, i * elements, elements), capacity_));
  }
  made_ += count;
}

}  // namespace zero_rl
