// How much of a device's memory generation takes, and for what.
#pragma once

#include "device/device_model.h"
#include "generate/generator.h"

namespace zero_rl {

// Draws of a row whose kept tokens wait for the host.
constexpr int64_t kKeptRing = 16;

struct DecodePlan {
  int64_t rows = 1;             // sequences decoded together, each with a slot for its new tokens
  int64_t capacity = 1;         // L, tokens of a slot
  int64_t prefixes = 1;         // prompts whose keys and values are held, each once for all its samples
  int64_t prefix_capacity = 1;  // Lp, tokens of a prompt
  int64_t new_tokens = 1;       // M, of one sequence
  int64_t stop_tokens = 1;
  int64_t kept_words = 0;       // of the tokens that a truncated draw keeps, where they are recorded

  // Whether memory made for this plan serves the other too.
  bool covers(const DecodePlan& other) const;
  int64_t bytes(const ModelConfig& config, at::ScalarType dtype) const;
};

// The largest batch that the request asks for and `budget` bytes hold.
DecodePlan plan_decode(const DeviceModel& model, const GenerateRequest& request, int64_t budget);

// The number of rows that a step of `rows` live sequences runs with: few numbers, since each is a graph.
int64_t batch_bucket(int64_t rows, int64_t most_rows);

}  // namespace zero_rl
