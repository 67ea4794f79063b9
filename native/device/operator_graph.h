// Graphs of the operators of devices where they run on the CPU: what a device's graphs ask of a step is asked of it here too. While a
// step is recorded the dispatcher's calls are kept and none is run that writes to memory; a replay makes them anew, with the
// very addresses, sizes and numbers that they had. So a step that is not made of the dispatcher's operators alone, that
// needs a value on the host, or that uses memory which is gone or which it has not written, fails or gives wrong results.
#pragma once

#include <functional>
#include <memory>

#include "device/runtime.h"

namespace zero_rl {

// Throws c10::Error for a step that asks for a tensor's value or moves one between devices; replay() throws where a tensor
// that the step did not make itself is gone.
std::unique_ptr<Graph> record_operators(const std::function<void()>& step);

}  // namespace zero_rl
