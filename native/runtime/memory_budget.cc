#include "runtime/memory_budget.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace zero_rl {

namespace {

std::optional<std::string> read(const std::string& file) {
  std::ifstream stream(file);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return std::nullopt;
  return text;
}

// The number that a text begins with; none for "max" and "unlimited".
std::optional<int64_t> number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // A number beyond int64 is what v1 says for no limit.
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::optional<int64_t> number_in(const std::string& file) {
  const auto text = read(file);
  return text.has_value() ? number(*text) : std::nullopt;
}

// The number behind the name that begins a line.
std::optional<int64_t> entry(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return number(std::string_view(line).substr(name.size()));
  }
  return std::nullopt;
}

void restrict_to(MemoryBudget& budget, std::optional<int64_t> limit, int64_t used) {
  if (!limit.has_value()) return;
  budget.limit = std::min(budget.limit, *limit);
  budget.available = std::min(budget.available, *limit - used);
}

MemoryBudget physical_memory(const std::string& root) {
  const std::string text = read(root + "/proc/meminfo").value_or("");
  const auto total = entry(text, "MemTotal:");
  const auto available = entry(text, "MemAvailable:");
  if (total.has_value()) return {*total * 1024, available.value_or(*total) * 1024};
  const int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGE_SIZE);
  return {bytes, bytes};
}

// What the group uses, without the page cache that it would give up first.
int64_t working_set(const std::string& folder, const char* usage, const char* inactive) {
  const int64_t cache = entry(read(folder + "/memory.stat").value_or(""), inactive).value_or(0);
  return number_in(folder + "/" + usage).value_or(0) - cache;
}

void restrict_to_group_v2(MemoryBudget& budget, const std::string& folder) {
  const int64_t used = working_set(folder, "memory.current", "inactive_file ");
  restrict_to(budget, number_in(folder + "/memory.max"), used);
  // Beyond it processes are slowed down to a crawl.
  restrict_to(budget, number_in(folder + "/memory.high"), used);
}

void restrict_to_group_v1(MemoryBudget& budget, const std::string& folder) {
  restrict_to(budget, number_in(folder + "/memory.limit_in_bytes"),
              working_set(folder, "memory.usage_in_bytes", "total_inactive_file "));
}

// The group and its ancestors, "" the root; "/../a", seen from within a container, is "/a".
std::vector<std::string> with_ancestors(const std::string& group) {
  std::vector<std::string> groups = {""};
  std::istringstream names(group);
  for (std::string name; std::getline(names, name, '/');) {
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      groups.push_back(groups.back() + "/" + name);
    } else if (groups.size() > 1) {
      groups.pop_back();
    }
  }
  return groups;
}

void restrict_to_groups(MemoryBudget& budget, const std::string& root) {
  std::istringstream lines(read(root + "/proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(lines, line);) {  // hierarchy:controllers:path
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && ("," + controllers + ",").find(",memory,") == std::string::npos) continue;
    for (const std::string& group : with_ancestors(line.substr(second + 1))) {
      if (v2) {
        restrict_to_group_v2(budget, root + "/sys/fs/cgroup" + group);
      } else {
        restrict_to_group_v1(budget, root + "/sys/fs/cgroup/memory" + group);
      }
    }
  }
}

void restrict_to_process_limits(MemoryBudget& budget, const std::string& root) {
  const std::string limits = read(root + "/proc/self/limits").value_or("");
  const std::string status = read(root + "/proc/self/status").value_or("");
  restrict_to(budget, entry(limits, "Max address space"), entry(status, "VmSize:").value_or(0) * 1024);
  restrict_to(budget, entry(limits, "Max data size"), entry(status, "VmData:").value_or(0) * 1024);
}

}  // namespace

MemoryBudget machine_memory(const std::string& root) {
  MemoryBudget budget = physical_memory(root);
  restrict_to_groups(budget, root);
  restrict_to_process_limits(budget, root);
  budget.available = std::max<int64_t>(budget.available, 0);
  return budget;
}

int64_t memory_left(int64_t allowed, int64_t held) {
  const int64_t free = machine_memory().available / 10 * 9;
  return std::max<int64_t>(0, allowed > 0 ? std::min(allowed - held, free) : free);
}

}  // namespace zero_rl
