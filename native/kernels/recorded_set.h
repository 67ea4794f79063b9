// The kernels with a recorder around each: what the engine calls while a profile is taken.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "runtime/profiler.h"

namespace zero_rl::kernels {

// The entries of instruction_set(), each of which hands its time and least work to the profiler.
const InstructionSet& recorded_set();

// As the tables name it; `id` is that of a profiler's event.
const char* kernel_name(uint8_t id);
uint8_t kernel_count();

// What the engine is to call now.
inline const InstructionSet& active_set() { return profiler::on() ? recorded_set() : instruction_set(); }

}  // namespace zero_rl::kernels
