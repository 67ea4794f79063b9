// The key/value cache: its memory, who holds its pages, and what they hold.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "generate/page_pool.h"
#include "generate/prefix_tree.h"
#include "model/model.h"

namespace zero_rl {

class PageCache {
 public:
  PageCache(const Model& model, int64_t pages);

  const Cache& memory() const { return memory_; }
  int64_t pages() const { return pool_.size(); }
  // Pages that take() can hand out.
  int64_t available() const { return pool_.free() + pool_.idle(); }
  // Bytes of pages that were ever handed out.
  int64_t touched_bytes() const { return (pool_.size() - pool_.fresh()) * page_bytes_; }

  // A page with one holder, for which others may be forgotten; −1 where all are held.
  int32_t take();
  void hold(int32_t page) { pool_.hold(page); }
  void release(int32_t page) { pool_.release(page); }
  void release(std::vector<int32_t>& pages);

  PrefixTree& tree() { return tree_; }

  // A page with the contents of another one, which the caller holds and gives up; −1 where all are held. copy_pages does it.
  int32_t take_copy(int32_t page);
  void copy_pages();

 private:
  const Model& model_;
  int64_t page_bytes_;
  Cache memory_;
  PagePool pool_;
  int64_t most_held_ = 0;  // at once
  PrefixTree tree_;
  std::vector<int32_t> copy_from_;
  std::vector<int32_t> copy_to_;
};

}  // namespace zero_rl
