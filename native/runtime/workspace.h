// A bump allocator for the intermediate tensors of a pass: memory is kept between passes, so that a
// step does not pay page faults, and is given back in one piece.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace zero_rl {

class Workspace {
 public:
  // An uninitialised contiguous tensor that lives until an earlier mark is released.
  at::Tensor take(at::IntArrayRef sizes, at::ScalarType dtype);

  // Everything taken since the mark is free again when it is released.
  std::pair<size_t, size_t> mark() const { return {block_, used_}; }
  void release(const std::pair<size_t, size_t>& mark) { std::tie(block_, used_) = mark; }

 private:
  struct Block {
    c10::DataPtr memory;
    size_t size;
  };
  std::vector<Block> blocks_;
  size_t block_ = 0;  // the block in use
  size_t used_ = 0;   // bytes of it
};

}  // namespace zero_rl
