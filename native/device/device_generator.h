// Continuous batching on a device: as generate/generator.h, but the host looks at the rows only every few steps. Completions
// are those of the CPU engine for the same seeds, but for rounding.
#pragma once

#include <memory>
#include <optional>

#include "device/device_decode_step.h"
#include "generate/generator.h"

namespace zero_rl {

// Caches, buffers and graphs, kept between requests.
class DeviceGenerator {
 public:
  explicit DeviceGenerator(DeviceModel& model) : model_(model) {}

  // `budget`: bytes for caches and buffers, those that are kept included.
  GenerateStats generate(const GenerateRequest& request, int64_t budget, const CompletionSink& sink,
                         const AbortFlag& abort);

  // Bytes kept between requests.
  int64_t held_bytes() const;
  void release() { memory_.reset(); }

 private:
  struct Memory {
    Memory(DeviceModel& model, const DecodePlan& plan) : state(model, plan), step(model, state) {}
    DecodeState state;
    DeviceDecodeStep step;
  };

  DeviceModel& model_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace zero_rl
