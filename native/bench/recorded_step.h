// Steps that a graph can hold, and steps that it must refuse, for the tests of runtimes.
#pragma once

#include <string>
#include <vector>

namespace zero_rl::bench {

// Records the step and replays it, twice from the start, and returns the three values that it works on after each of the four.
std::vector<double> run_recorded_step(const std::string& device, const std::string& name);

}  // namespace zero_rl::bench
