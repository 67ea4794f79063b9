#include "generate/kv_cache.h"

#include <ATen/ops/empty.h>

namespace zero_rl {

KvBlock::KvBlock(const ModelConfig& config, at::ScalarType dtype, int64_t capacity) : capacity(capacity) {
  const auto options = at::TensorOptions().dtype(dtype);
  const int64_t planes = config.layers * config.kv_heads * config.head_dim;
  keys = at::empty({planes * kernels::key_tiles(capacity) * kernels::kKeyTile}, options);
  values = at::empty({planes * capacity + kernels::kValueSlack}, options);
}

SlotPool::SlotPool(const ModelConfig& config, at::ScalarType dtype, int64_t capacity, int64_t slots)
    : config_(config), dtype_(dtype), capacity_(capacity), slots_(slots) {}

std::unique_ptr<KvBlock> SlotPool::take() {
  if (!free_.empty()) {
    std::unique_ptr<KvBlock> block = std::move(free_.back());
    free_.pop_back();
    return block;
  }
  ++made_;
  return std::make_unique<KvBlock>(config_, dtype_, capacity_);
}

}  // namespace zero_rl
