// The operator set of a device.
#pragma once

#include <memory>
#include <string>

#include "operators/operators.h"

namespace zero_rl {

// `device`: `cpu` or `cuda:N`. `on_device`: the operators of devices on the CPU too, for tests.
std::unique_ptr<Operators> make_operators(const std::string& device, bool on_device, at::ScalarType dtype);

}  // namespace zero_rl
