#include "runtime/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace zero_rl {

namespace {
constexpr uintptr_t kHugePage = uintptr_t{1} << 21;
}

void prefer_huge_pages(void* data, size_t bytes) {
  const auto address = reinterpret_cast<uintptr_t>(data);
  const uintptr_t begin = (address + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t end = (address + bytes) / kHugePage * kHugePage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace zero_rl
