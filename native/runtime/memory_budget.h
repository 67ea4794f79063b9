// How much memory of the host this process may use and how much of that is left: the least of what the machine has, the
// control groups of the process and their ancestors allow (v2 and v1), and RLIMIT_AS and RLIMIT_DATA leave.
#pragma once

#include <cstdint>
#include <string>

namespace zero_rl {

struct MemoryBudget {
  int64_t limit;      // bytes that the process may use in all
  int64_t available;  // of these, what nobody uses now: page cache that gives way counts as free
};

// Reads a dozen small files of /proc and /sys (some tens of microseconds): once a job, not once a decode step. `root`: of
// the file system, for tests.
MemoryBudget machine_memory(const std::string& root = "");

// Bytes of the host that a policy which holds `held` may take besides. `allowed`: most that the policy may hold in all,
// 0 for what the machine gives, of which a tenth is left to the other memory of the process. Never negative.
int64_t memory_left(int64_t allowed, int64_t held);

}  // namespace zero_rl
