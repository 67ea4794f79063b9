#include "model/rope_table.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zero_rl {

namespace {

constexpr int64_t kLeastPositions = 8192;  // growing changes what graphs have recorded

double scaled_frequency(const RopeConfig& config, double frequency) {
  switch (config.scaling) {
    case RopeConfig::Scaling::kNone:
      return frequency;
    case RopeConfig::Scaling::kLinear:
      return frequency / config.factor;
    case RopeConfig::Scaling::kLlama3: {
      const double wavelength = 2 * std::numbers::pi / frequency;
      const double low_wavelength = config.original_max_positions / config.low_freq_factor;
      const double high_wavelength = config.original_max_positions / config.high_freq_factor;
      if (wavelength > low_wavelength) return frequency / config.factor;
      if (wavelength < high_wavelength) return frequency;
      const double smooth = (config.original_max_positions / wavelength - config.low_freq_factor) /
                            (config.high_freq_factor - config.low_freq_factor);
      return (1 - smooth) * frequency / config.factor + smooth * frequency;
    }
  }
  return frequency;
}

}  // namespace

RopeTable::RopeTable(const RopeConfig& config, int64_t head_dim, int64_t most, at::Device device)
    : most_(most), device_(device) {
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    const double frequency = std::pow(config.theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
    inverse_frequencies_.push_back(static_cast<float>(scaled_frequency(config, frequency)));
  }
}

void RopeTable::reserve(int64_t count) {
  const int64_t held = cosines_.defined() ? cosines_.size(0) : 0;
  if (count <= held) return;
  const int64_t positions = std::max(count, std::min(std::max(2 * held, kLeastPositions), most_));
  const auto half = static_cast<int64_t>(inverse_frequencies_.size());
  const at::Tensor host = at::empty({2, positions, half}, at::TensorOptions().dtype(at::kFloat));
  float* cosines = host.data_ptr<float>();
  float* sines = cosines + positions * half;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < half; ++i) {
      // The angle is rounded to float32 as transformers does, so that long contexts agree.
      const float angle = static_cast<float>(position) * inverse_frequencies_[i];
      cosines[position * half + i] = static_cast<float>(std::cos(static_cast<double>(angle)));
      sines[position * half + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
  const at::Tensor both = host.to(device_);
  cosines_ = both.select(0, 0);
  sines_ = both.select(0, 1);
}

}  // namespace zero_rl
