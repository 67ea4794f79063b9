// A bump allocator for the intermediate tensors of a pass. Memory is kept between passes, so that equal passes pay no page
// faults, in one block as large as they need; what a large pass left is given back once much smaller ones have gone on long
// enough that taking it again costs little beside them, or when trim() says so.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace zero_rl {

class Workspace {
 public:
  using Mark = std::pair<size_t, size_t>;

  // An uninitialised contiguous tensor that lives until an earlier mark is released.
  at::Tensor take(at::IntArrayRef sizes, at::ScalarType dtype);

  // Everything taken since the mark is free again when it is released. A pass ends when all is free.
  Mark mark() const { return {block_, used_}; }
  void release(const Mark& mark);

  // Gives blocks that hold nothing back to the system, the last ones first, until at most so many bytes are left.
  void trim(size_t keep_bytes);
  size_t held_bytes() const;

 private:
  struct Block {
    c10::DataPtr memory;
    size_t size;
    size_t before;  // bytes taken from earlier blocks when this one was begun
  };
  void enter_block(size_t bytes);
  void end_pass();
  void replace_by(size_t bytes);

  std::vector<Block> blocks_;
  size_t block_ = 0;  // the block in use
  size_t used_ = 0;   // bytes of it

  size_t peak_ = 0;       // most bytes taken at once in this pass
  size_t next_size_ = 0;  // of the first block
  // Since the last pass that needed at least half of what is held:
  size_t small_peak_ = 0;   // the largest pass
  size_t small_bytes_ = 0;  // the sum of passes
};

}  // namespace zero_rl
