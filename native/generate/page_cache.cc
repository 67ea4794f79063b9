#include "generate/page_cache.h"

#include <algorithm>

namespace zero_rl {

namespace {

// Memory of the host is taken when it is first written, and clearing it costs time. So pages that nobody holds give way before
// more of it is taken, once there are as many times those that were ever held at once, and this much.
constexpr int64_t kIdlePerHeld = 2;
constexpr int64_t kIdleBytes = int64_t{16} << 20;
constexpr int64_t kEvictions = 16;  // at a time

}  // namespace

PageCache::PageCache(const Model& model, int64_t pages)
    : model_(model),
      page_bytes_(model.operators.page_bytes(model.description, model.dtype())),
      memory_(model.operators.make_cache(model.description, model.dtype(), pages)),
      pool_(pages),
      tree_(pool_) {}

int32_t PageCache::take() {
  if (model_.operators.device().is_cpu() && pool_.recycled() == 0 &&
      pool_.idle() > std::max(kIdlePerHeld * most_held_, kIdleBytes / page_bytes_)) {
    tree_.evict(kEvictions);
  }
  most_held_ = std::max(most_held_, pool_.held() + 1);
  const int32_t page = pool_.take();
  if (page >= 0) return page;
  tree_.evict(kEvictions);
  return pool_.take();
}

void PageCache::release(std::vector<int32_t>& pages) {
  for (const int32_t page : pages) pool_.release(page);
  pages.clear();
}

int32_t PageCache::take_copy(int32_t page) {
  const int32_t copy = take();
  if (copy < 0) return -1;
  copy_from_.push_back(page);
  copy_to_.push_back(copy);
  return copy;
}

void PageCache::copy_pages() {
  if (copy_from_.empty()) return;
  model_.operators.copy_pages(model_.description, memory_, copy_from_, copy_to_);
  for (const int32_t page : copy_from_) pool_.release(page);
  copy_from_.clear();
  copy_to_.clear();
}

}  // namespace zero_rl
