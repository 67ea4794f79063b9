#include "operators/make_operators.h"

#include "operators/cpu/cpu_operators.h"
#include "operators/device/device_operators.h"

namespace zero_rl {

std::unique_ptr<Operators> make_operators(const std::string& device, bool on_device, at::ScalarType dtype) {
  if (device == "cpu" && !on_device) return std::make_unique<CpuOperators>(dtype);
  return std::make_unique<DeviceOperators>(make_runtime(device));
}

}  // namespace zero_rl
