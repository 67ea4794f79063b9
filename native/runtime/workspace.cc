#include "runtime/workspace.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>

#include "runtime/huge_pages.h"

namespace zero_rl {

namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kMinimumBlock = size_t{1} << 22;
}  // namespace

at::Tensor Workspace::take(at::IntArrayRef sizes, at::ScalarType dtype) {
  size_t bytes = c10::elementSize(dtype);
  for (const int64_t size : sizes) bytes *= static_cast<size_t>(size);
  bytes = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t previous = blocks_.empty() ? 0 : blocks_.back().size;
    const size_t size = std::max({bytes, kMinimumBlock, std::min(previous * 2, size_t{1} << 28)});
    blocks_.push_back({c10::GetCPUAllocator()->allocate(size), size});
    prefer_huge_pages(blocks_.back().memory.get(), size);
    used_ = 0;
  }
  void* data = static_cast<std::byte*>(blocks_[block_].memory.get()) + used_;
  used_ += bytes;
  return at::from_blob(data, sizes, at::TensorOptions().dtype(dtype));
}

}  // namespace zero_rl
