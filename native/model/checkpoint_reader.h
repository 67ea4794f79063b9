// Fills parameters from mapped safetensors files. The headers were checked by the caller; the ranges are
// checked again here against the file as it is now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/parameter_store.h"

namespace zero_rl {

enum class StoredDtype { kFloat32, kBfloat16, kFloat16 };

at::ScalarType scalar_type(StoredDtype dtype);

struct TensorSource {
  std::string name;
  std::string file;
  StoredDtype dtype;
  int64_t byte_offset;
  int64_t byte_length;
};

void load_checkpoint(const ParameterStore& store, const std::vector<TensorSource>& sources);

}  // namespace zero_rl
