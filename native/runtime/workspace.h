// A bump allocator for the intermediate tensors of a pass: memory is kept between passes, so that a
// step does not pay page faults, and is given back in one piece by `Frame`.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero_rl {

class Workspace {
 public:
  // An uninitialised contiguous tensor that lives until the enclosing frame ends.
  at::Tensor take(at::IntArrayRef sizes, at::ScalarType dtype);

  // Everything taken while the frame lives is free again when it ends.
  class Frame {
   public:
    explicit Frame(Workspace& workspace);
    ~Frame();
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    Workspace& workspace_;
    size_t block_;
    size_t used_;
  };

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
