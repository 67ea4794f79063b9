#include "runtime/thread_scratch.h"

#include <cstdlib>
#include <new>

namespace zero_rl {

namespace {

constexpr size_t kMostKept = size_t{8} << 20;
constexpr size_t kGrain = size_t{1} << 12;

void* allocate(size_t bytes) {
  void* data = std::aligned_alloc(64, bytes);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

struct Kept {
  Kept() = default;
  ~Kept() { clear(); }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  void clear() {
    std::free(data);
    data = nullptr;
    size = 0;
  }

  void* data = nullptr;
  size_t size = 0;
  bool lent = false;
};

// Two, for a task that borrows while its caller does.
thread_local Kept kept[2];

}  // namespace

void* borrow_scratch(size_t bytes) {
  const size_t size = (bytes + kGrain) / kGrain * kGrain;
  if (size > kMostKept) return allocate(size);
  for (Kept& one : kept) {
    if (one.lent) continue;
    if (one.size < size) {
      one.clear();
      one.data = allocate(size);
      one.size = size;
    }
    one.lent = true;
    return one.data;
  }
  return allocate(size);
}

void return_scratch(void* data) {
  for (Kept& one : kept) {
    if (one.data != data) continue;
    one.lent = false;
    return;
  }
  std::free(data);
}

}  // namespace zero_rl
