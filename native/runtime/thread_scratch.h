// Memory for one task of a kernel. A thread keeps what it borrowed last, so that the system does not hand out and clear the same
// pages at every call.
#pragma once

#include <cstddef>

namespace zero_rl {

// At least `bytes`, aligned to 64. Throws std::bad_alloc.
void* borrow_scratch(size_t bytes);

// By the thread that borrowed it.
void return_scratch(void* data);

}  // namespace zero_rl
