// Memory that is read from end to end again and again, on pages large enough that finding them costs nothing.
#pragma once

#include <cstddef>

namespace zero_rl {

// Asks the system for huge pages behind [data, data + bytes) as far as whole ones fit; to be called before the memory is
// first written. Where the system has none, nothing changes.
void prefer_huge_pages(void* data, size_t bytes);

}  // namespace zero_rl
