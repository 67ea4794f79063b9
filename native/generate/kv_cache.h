// Keys and values during generation: one prefix per prompt, shared by its samples, and one suffix slot
// per live sequence. See KvSequence for the layouts.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "model/model_config.h"

namespace zero_rl {

// Keys and values of `capacity` tokens in all layers.
struct KvBlock {
  KvBlock(const ModelConfig& config, at::ScalarType dtype, int64_t capacity);
  // In `memory`, which holds `elements(config, capacity)`.
  KvBlock(const ModelConfig& config, const at::Tensor& memory, int64_t capacity);
  static int64_t elements(const ModelConfig& config, int64_t capacity);
  at::Tensor keys;
  at::Tensor values;
  int64_t capacity;
};

// The prompt's cache and the logits that its first new tokens are drawn from.
struct Prefix {
  Prefix(const ModelConfig& config, at::ScalarType dtype, int64_t length)
      : cache(config, dtype, length), first_logits(config.vocab_size) {}
  KvBlock cache;
  std::vector<float> first_logits;  // [V]
};

// Suffix blocks, made when first needed, several at a time in one piece of memory, and reused by later sequences.
class SlotPool {
 public:
  SlotPool(const ModelConfig& config, at::ScalarType dtype, int64_t capacity, int64_t slots);
  int64_t available() const { return static_cast<int64_t>(free_.size()) + (slots_ - made_); }
  int64_t slots() const { return slots_; }
  std::unique_ptr<KvBlock> take();
  void give_back(std::unique_ptr<KvBlock> block) { free_.push_back(std::move(block)); }

 private:
  void make();

  const ModelConfig& config_;
  at::ScalarType dtype_;
  int64_t capacity_;
  int64_t slots_;
  int64_t made_ = 0;
  std::vector<std::unique_ptr<KvBlock>> free_;
};

}  // namespace zero_rl
