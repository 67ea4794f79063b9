// Memory of the host from which copies need not wait.
#pragma once

#include <c10/core/Allocator.h>

namespace zero_rl::fake {

c10::Allocator* pinned_allocator();
bool is_pinned(const void* address);

}  // namespace zero_rl::fake
