#include "device/decode_plan.h"

#include <algorithm>
#include <bit>

#include "device/operators.h"

namespace zero_rl {

namespace {

constexpr int64_t kStopTile = 16;

int64_t round_up(int64_t value, int64_t tile) { return (value + tile - 1) / tile * tile; }

}  // namespace

bool DecodePlan::covers(const DecodePlan& other) const {
  return rows >= other.rows && capacity >= other.capacity && prefixes >= other.prefixes &&
         prefix_capacity >= other.prefix_capacity && new_tokens >= other.new_tokens && stop_tokens >= other.stop_tokens &&
         kept_words >= other.kept_words;
}

int64_t DecodePlan::bytes(const ModelConfig& config, at::ScalarType dtype) const {
  const auto element = static_cast<int64_t>(c10::elementSize(dtype));
  const int64_t caches = config.kv_elements() * element * (rows * capacity + prefixes * prefix_capacity);
  const int64_t partials =
      4 * config.heads * operators::decode_splits(prefix_capacity, capacity) * (config.head_dim + 2);
  const int64_t activations =
      element * (2 * config.hidden_size + config.qkv_width() + config.query_width() + 3 * config.intermediate_size);
  // A row's logits once more while first tokens are drawn.
  const int64_t per_row = partials + activations + 8 * config.vocab_size + 12 * new_tokens +
                          4 * kKeptRing * kept_words;
  return caches + rows * per_row + prefixes * 4 * config.vocab_size;
}

DecodePlan plan_decode(const DeviceModel& model, const GenerateRequest& request, int64_t budget) {
  const int64_t longest = std::max<int64_t>(1, request.longest_prompt());
  const int64_t new_tokens = std::min(request.max_tokens, model.config.max_positions);
  const auto sized = [&](int64_t rows) {
    // Groups that decode, as many whose last samples linger, and one that is being admitted.
    const int64_t groups = (rows + request.samples - 1) / request.samples;
    return DecodePlan{.rows = rows,
                      .capacity = round_up(new_tokens, operators::kDecodeSplit),
                      .prefixes = std::min(request.prompts(), 2 * groups + 1),
                      .prefix_capacity = round_up(longest, operators::kDecodeSplit),
                      .new_tokens = round_up(new_tokens, operators::kDecodeSplit),
                      .stop_tokens = round_up(std::max<int64_t>(1, request.stop_tokens.size()), kStopTile),
                      .kept_words = request.sampler.records_kept(model.config.vocab_size)
                                        ? operators::kept_words(model.config.vocab_size)
                                        : 0};
  };
  const int64_t most = request.max_batch > 0 ? request.max_batch : model.runtime.default_batch();
  int64_t rows = std::min(most, request.prompts() * request.samples);
  while (rows > 1 && sized(rows).bytes(model.config, model.parameters.dtype()) > budget) rows -= (rows + 7) / 8;
  return sized(rows);
}

int64_t batch_bucket(int64_t rows, int64_t most_rows) {
  const auto power = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rows)));
  const int64_t bucket = rows <= 8 ? power : round_up(rows, std::max<int64_t>(16, power / 8));
  return std::min(bucket, most_rows);
}

}  // namespace zero_rl
