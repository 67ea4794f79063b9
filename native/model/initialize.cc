#include "model/initialize.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/philox.h"

namespace zero_rl {

void initialize(const ParameterStore& store, const Description& description, uint64_t seed, double std) {
  store.clear();
  std::vector<float> values;
  uint32_t tensor = 0;
  for (const Parameter& parameter : store.parameters()) {
    ++tensor;
    values.resize(static_cast<size_t>(parameter.size));
    const bool bias = parameter.name.ends_with(".bias");
    if (bias || parameter.shape.size() == 1) {
      std::fill(values.begin(), values.end(), bias ? 0.0F : 1.0F);
      store.write_masters(parameter.offset, parameter.size, values.data());
      continue;
    }
    const bool residual = parameter.role == Role::kAttentionOutput || parameter.role == Role::kDown;
    const double scale = residual ? std / std::sqrt(2.0 * static_cast<double>(description.layer_count())) : std;
    const auto fill = [&](int64_t i) {
      const auto bits = philox(seed, {static_cast<uint32_t>(i), static_cast<uint32_t>(i >> 32), tensor, 0x1417});
      // Box–Muller
      const double radius = std::sqrt(-2 * std::log(uniform_open(bits[0], bits[1])));
      const double angle = 2 * std::numbers::pi * uniform_open(bits[2], bits[3]);
      values[i] = static_cast<float>(scale * radius * std::cos(angle));
      if (i + 1 < parameter.size) values[i + 1] = static_cast<float>(scale * radius * std::sin(angle));
    };
    parallel_ranges((parameter.size + 1) / 2, 4096, [&](int64_t begin, int64_t end, int) {
      for (int64_t pair = begin; pair < end; ++pair) fill(2 * pair);
    });
    store.write_masters(parameter.offset, parameter.size, values.data());
  }
}

}  // namespace zero_rl
