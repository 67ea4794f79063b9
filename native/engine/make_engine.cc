#include "device/device_engine.h"
#include "engine/cpu_engine.h"
#include "engine/engine.h"

namespace zero_rl {

std::unique_ptr<Engine> make_engine(const ModelConfig& config, const EngineOptions& options) {
  if (options.device == "cpu" && !options.on_device) {
    return std::make_unique<CpuEngine>(config, options.dtype, options.masters);
  }
  return std::make_unique<DeviceEngine>(config, options);
}

}  // namespace zero_rl
