#include "runtime/workspace.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <tuple>

#include "runtime/huge_pages.h"

namespace zero_rl {

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMinimumBlock = size_t{1} << 22;
constexpr size_t kMostExtra = size_t{1} << 28;
// Passes have to write this many times what is held before half of it or more is given back, so that page faults of a large
// pass that comes after them are few beside what they did.
constexpr size_t kPatience = 16;

}  // namespace

at::Tensor Workspace::take(at::IntArrayRef sizes, at::ScalarType dtype) {
  size_t bytes = c10::elementSize(dtype);
  for (const int64_t size : sizes) bytes *= static_cast<size_t>(size);
  bytes = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (block_ == blocks_.size() || used_ + bytes > blocks_[block_].size) enter_block(bytes);
  const Block& block = blocks_[block_];
  void* data = static_cast<std::byte*>(block.memory.get()) + used_;
  used_ += bytes;
  peak_ = std::max(peak_, block.before + used_);
  return at::from_blob(data, sizes, at::TensorOptions().dtype(dtype));
}

// Goes on to the next block with room; makes one where there is none.
void Workspace::enter_block(size_t bytes) {
  const size_t before = block_ == blocks_.size() ? 0 : blocks_[block_].before + used_;
  size_t next = blocks_.empty() ? 0 : block_ + 1;
  while (next < blocks_.size() && bytes > blocks_[next].size) ++next;
  if (next == blocks_.size()) {
    const size_t doubled = blocks_.empty() ? next_size_ : std::min(blocks_.back().size * 2, kMostExtra);
    const size_t size = std::max({bytes, kMinimumBlock, doubled});
    blocks_.push_back({c10::GetCPUAllocator()->allocate(size), size, 0});
    prefer_huge_pages(blocks_.back().memory.get(), size);
  }
  block_ = next;
  used_ = 0;
  blocks_[block_].before = before;
}

void Workspace::release(const Mark& mark) {
  std::tie(block_, used_) = mark;
  if (block_ == 0 && used_ == 0) end_pass();
}

void Workspace::end_pass() {
  const size_t held = held_bytes();
  if (blocks_.size() > 1) {
    replace_by(peak_);
  } else if (peak_ >= held / 2) {
    small_peak_ = small_bytes_ = 0;
  } else {
    small_peak_ = std::max(small_peak_, peak_);
    small_bytes_ += peak_;
    if (held > kMinimumBlock && small_bytes_ / kPatience > held) replace_by(small_peak_);
  }
  peak_ = 0;
}

// By one block with some room for passes that are a little larger; the next pass makes it.
void Workspace::replace_by(size_t bytes) {
  blocks_.clear();
  next_size_ = bytes + bytes / 8;
  small_peak_ = small_bytes_ = 0;
}

void Workspace::trim(size_t keep_bytes) {
  const size_t needed = block_ == 0 && used_ == 0 ? 0 : block_ + 1;
  size_t held = held_bytes();
  for (; blocks_.size() > needed && held > keep_bytes; blocks_.pop_back()) held -= blocks_.back().size;
  if (blocks_.empty()) next_size_ = 0;
}

size_t Workspace::held_bytes() const {
  size_t bytes = 0;
  for (const Block& block : blocks_) bytes += block.size;
  return bytes;
}

}  // namespace zero_rl
