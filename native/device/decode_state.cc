#include "device/decode_state.h"

#include <ATen/ops/index_select.h>

#include <algorithm>

#include "device/operators.h"

namespace zero_rl {

DecodeState::DecodeState(const DeviceModel& model, const DecodePlan& plan) : model_(model), plan_(plan) {
  const ModelConfig& config = model.config;
  settings = model.empty({5}, at::kDouble);
  seed = model.empty({1}, at::kLong);
  stops = model.empty({plan.stop_tokens}, at::kInt);
  const auto cache = [&](int64_t count, int64_t capacity) {
    return model.empty({config.layers, count, config.kv_heads, capacity, config.head_dim});
  };
  keys = cache(plan.rows, plan.capacity);
  values = cache(plan.rows, plan.capacity);
  prefix_keys = cache(plan.prefixes, plan.prefix_capacity);
  prefix_values = cache(plan.prefixes, plan.prefix_capacity);
  prefix_logits = model.empty({plan.prefixes, config.vocab_size}, at::kFloat);
  fields_ = model.empty({kFields, plan.rows}, at::kInt);
  uids_ = model.empty({plan.rows}, at::kLong);
  out_tokens_ = model.empty({plan.rows, plan.new_tokens}, at::kInt);
  out_log_probs_ = model.empty({plan.rows, plan.new_tokens}, at::kFloat);
  out_log_masses_ = model.empty({plan.rows, plan.new_tokens}, at::kFloat);
  if (plan.kept_words > 0) kept_ = model.empty({plan.rows, kKeptRing, plan.kept_words}, at::kInt);
  polled_ = model.runtime.host_buffer({2, plan.rows}, at::kInt);
}

void DecodeState::begin(const GenerateRequest& request) {
  const SamplerOptions& options = request.sampler;
  settings.copy_(model_.upload(std::vector<double>{options.temperature, static_cast<double>(options.top_k),
                                                   options.top_p, options.min_p, options.record_kept ? 1.0 : 0.0}));
  seed.fill_(static_cast<int64_t>(options.seed));
  std::vector<int32_t> padded(request.stop_tokens);
  padded.resize(stops.numel(), -1);
  stops.copy_(model_.upload(padded));
  fields_.zero_();
  fields_.select(0, kSlot).fill_(-1);
  uids_.zero_();
}

void DecodeState::admit(const std::vector<NewRow>& rows, int64_t first) {
  const auto count = static_cast<int64_t>(rows.size());
  std::vector<int32_t> given(kFields * rows.size());
  std::vector<int64_t> uids(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto set = [&](Field field, int32_t value) { given[field * rows.size() + i] = value; };
    // As advance finds a row before its first token.
    set(kPosition, rows[i].prefix_length - 1);
    set(kSlot, rows[i].slot);
    set(kPrefix, rows[i].prefix);
    set(kPrefixLength, rows[i].prefix_length);
    set(kSample, rows[i].sample);
    set(kLimit, rows[i].limit);
    uids[i] = rows[i].uid;
  }
  fields_.narrow(1, first, count).copy_(model_.upload(given).view({kFields, count}));
  uids_.narrow(0, first, count).copy_(model_.upload(uids));
  const auto part = [&](Field field) { return fields_.select(0, field).narrow(0, first, count); };
  const at::Tensor logits = at::index_select(prefix_logits, 0, part(kPrefix));
  const at::Tensor log_probs = model_.empty({count}, at::kFloat);
  const at::Tensor log_masses = model_.empty({count}, at::kFloat);
  operators::sample(logits, settings, seed, uids_.narrow(0, first, count), part(kSample), part(kCount), part(kToken),
                    log_probs, log_masses, kept(first, count));
  operators::advance(part(kToken), log_probs, log_masses, stops, part(kLimit), part(kSlot), part(kPosition),
                     part(kLength), part(kCount), out_tokens_.narrow(0, first, count),
                     out_log_probs_.narrow(0, first, count), out_log_masses_.narrow(0, first, count));
}

DecodeState::Poll DecodeState::poll(int64_t rows) {
  polled_.select(0, 0).narrow(0, 0, rows).copy_(field(kSlot, rows), /*non_blocking=*/true);
  polled_.select(0, 1).narrow(0, 0, rows).copy_(field(kCount, rows));
  const auto* slots = polled_.data_ptr<int32_t>();
  const auto* counts = slots + plan_.rows;
  return {{slots, slots + rows}, {counts, counts + rows}};
}

at::Tensor DecodeState::fetch_kept(const std::vector<Draw>& draws) const {
  std::vector<int64_t> places(draws.size());
  for (size_t i = 0; i < draws.size(); ++i) places[i] = draws[i].row * kKeptRing + draws[i].count % kKeptRing;
  return at::index_select(kept_.flatten(0, 1), 0, model_.upload(places)).cpu();
}

void DecodeState::compact(const std::vector<int64_t>& kept, int64_t rows) {
  const auto left = static_cast<int64_t>(kept.size());
  if (left > 0) {
    const at::Tensor order = model_.upload(kept);
    fields_.narrow(1, 0, left).copy_(at::index_select(fields_, 1, order));
    uids_.narrow(0, 0, left).copy_(at::index_select(uids_, 0, order));
    out_tokens_.narrow(0, 0, left).copy_(at::index_select(out_tokens_, 0, order));
    out_log_probs_.narrow(0, 0, left).copy_(at::index_select(out_log_probs_, 0, order));
    out_log_masses_.narrow(0, 0, left).copy_(at::index_select(out_log_masses_, 0, order));
  }
  fields_.select(0, kSlot).narrow(0, left, rows - left).fill_(-1);
}

}  // namespace zero_rl
