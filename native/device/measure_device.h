// What a device can do at best, to state a share of.
#pragma once

#include <string>

namespace zero_rl {

struct DeviceCeilings {
  double copy;     // bytes per second of a copy on the device, read and written
  double product;  // FLOP/s of bfloat16 products of large square matrices of random values
};

DeviceCeilings measure_device(const std::string& device);

}  // namespace zero_rl
