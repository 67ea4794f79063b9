#include "generate/decode_state.h"

#include <ATen/ops/index_select.h>

#include <algorithm>
#include <cstring>

namespace zero_rl {

namespace {

constexpr int64_t kSettings = 5;
constexpr int64_t kAlignment = 64;

int64_t kept_words(const Model& model) { return (model.description.vocab_size + 31) / 32; }

// A step more than is polled for: the draw of a row's first token.
int64_t ring_of(const Operators& operators) { return operators.limits().steps_per_poll + 1; }

}  // namespace

// Lays out the fields of a section, and binds them once its size is known.
class DecodeState::Layout {
 public:
  Layout(const Operators& operators, Section& section) : operators_(operators), section_(section) {}

  template <class T>
  void add(Field<T>& field, std::vector<int64_t> sizes) {
    int64_t bytes = sizeof(T);
    for (const int64_t size : sizes) bytes *= size;
    const int64_t begin = section_.size;
    section_.size += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    binds_.push_back([&field, sizes = std::move(sizes), begin, bytes](const Section& section) {
      field.operand = section.operand.narrow(0, begin, bytes).view(c10::CppTypeToScalarType<T>::value).view(sizes);
      field.mirror = reinterpret_cast<T*>(section.mirror.data_ptr<uint8_t>() + begin);
    });
  }

  void bind() {
    section_.operand = operators_.empty({section_.size}, at::kByte);
    section_.mirror =
        section_.operand.is_cpu() ? section_.operand : operators_.host_buffer({section_.size}, at::kByte);
    std::memset(section_.mirror.data_ptr(), 0, section_.mirror.nbytes());
    for (const auto& bind : binds_) bind(section_);
  }

 private:
  const Operators& operators_;
  Section& section_;
  std::vector<std::function<void(const Section&)>> binds_;
};

DecodeState::DecodeState(const Model& model, const BatchShape& shape)
    : operators_(model.operators), shape_(shape), ring_(ring_of(operators_)) {
  const int64_t rows = shape.rows;
  Layout given(operators_, given_);
  given.add(settings_, {rows, kSettings});
  given.add(seeds_, {rows});
  given.add(uids_, {rows});
  given.add(samples_, {rows});
  given.add(limits_, {rows});
  given.add(stop_tokens_, {rows, shape.stop_tokens});
  given.add(tables_, {rows, shape.pages});
  given.bind();
  Layout live(operators_, live_);
  live.add(tokens_, {rows});
  live.add(positions_, {rows});
  live.add(counts_, {rows});
  moved_ = live_.size;
  live.add(out_tokens_, {rows, ring_});
  live.add(out_log_probs_, {rows, ring_});
  live.add(out_log_masses_, {rows, ring_});
  live.add(out_entropies_, {rows, ring_});
  live.bind();
  log_probs_ = operators_.empty({rows}, at::kFloat);
  log_masses_ = operators_.empty({rows}, at::kFloat);
  entropies_ = operators_.empty({rows}, at::kFloat);
  if (shape.kept) kept_ = operators_.empty({rows, ring_, kept_words(model)}, at::kInt);
  for (int64_t row = 0; row < rows; ++row) clear(row);
}

int64_t DecodeState::row_bytes(const Model& model, const BatchShape& shape) {
  const int64_t ring = ring_of(model.operators);
  const int64_t kept = shape.kept ? 4 * ring * kept_words(model) : 0;
  return 8 * (kSettings + 2) + 4 * (2 + shape.stop_tokens + shape.pages + 3 + 4 * ring + 3) + kept;
}

void DecodeState::set(int64_t row, const Row& values) {
  const SamplerOptions& sampler = *values.sampler;
  const double settings[kSettings] = {sampler.temperature, static_cast<double>(sampler.top_k), sampler.top_p,
                                      sampler.min_p, sampler.record_kept ? 1.0 : 0.0};
  std::copy_n(settings, kSettings, settings_.mirror + row * kSettings);
  seeds_.mirror[row] = static_cast<int64_t>(sampler.seed);
  uids_.mirror[row] = static_cast<int64_t>(values.uid);
  samples_.mirror[row] = values.sample;
  limits_.mirror[row] = values.limit;
  int32_t* stops = stop_tokens_.mirror + row * shape_.stop_tokens;
  std::fill(std::copy(values.stop_tokens.begin(), values.stop_tokens.end(), stops), stops + shape_.stop_tokens, -1);
  std::copy(values.pages.begin(), values.pages.end(), tables_.mirror + row * shape_.pages);
  tokens_.mirror[row] = values.token;
  positions_.mirror[row] = values.position;
  counts_.mirror[row] = values.count;
  given_changed_ = true;
  moved_changed_ = true;
}

void DecodeState::set_page(int64_t row, int64_t index, int32_t page) {
  tables_.mirror[row * shape_.pages + index] = page;
  given_changed_ = true;
}

void DecodeState::move(int64_t from, int64_t to) {
  const auto copy = [&](auto& field, int64_t width) {
    std::copy_n(field.mirror + from * width, width, field.mirror + to * width);
  };
  copy(settings_, kSettings);
  copy(seeds_, 1);
  copy(uids_, 1);
  copy(samples_, 1);
  copy(limits_, 1);
  copy(stop_tokens_, shape_.stop_tokens);
  const int64_t tokens = std::max(0, positions_.mirror[from]) + 1;
  std::copy_n(tables_.mirror + from * shape_.pages, std::min(shape_.pages, pages_of(tokens) + 1),
              tables_.mirror + to * shape_.pages);
  copy(tokens_, 1);
  copy(positions_, 1);
  copy(counts_, 1);
  given_changed_ = true;
  moved_changed_ = true;
}

void DecodeState::clear(int64_t row) {
  positions_.mirror[row] = -1;
  moved_changed_ = true;
}

DecodeState::Draw DecodeState::draw(int64_t row, int64_t count) const {
  const int64_t place = row * ring_ + count % ring_;
  return {out_tokens_.mirror[place], out_log_probs_.mirror[place], out_log_masses_.mirror[place],
          out_entropies_.mirror[place]};
}

at::Tensor DecodeState::kept(const std::vector<Place>& draws) const {
  std::vector<int64_t> places(draws.size());
  for (size_t i = 0; i < draws.size(); ++i) places[i] = draws[i].row * ring_ + draws[i].count % ring_;
  return at::index_select(kept_.flatten(0, 1), 0, operators_.upload(places)).cpu();
}

void DecodeState::upload() {
  if (!given_.operand.is_cpu()) {
    if (given_changed_) given_.operand.copy_(given_.mirror, /*non_blocking=*/true);
    if (moved_changed_) {
      live_.operand.narrow(0, 0, moved_).copy_(live_.mirror.narrow(0, 0, moved_), /*non_blocking=*/true);
    }
  }
  given_changed_ = false;
  moved_changed_ = false;
}

void DecodeState::poll() {
  if (!live_.operand.is_cpu()) live_.mirror.copy_(live_.operand);
}

DecodeRows DecodeState::rows(int64_t first, int64_t count, int64_t pages) const {
  return {.tokens = tokens_.operand.narrow(0, first, count),
          .positions = positions_.operand.narrow(0, first, count),
          .tables = tables_.operand.narrow(0, first, count).narrow(1, 0, pages)};
}

DrawState DecodeState::draws(int64_t first, int64_t count) const {
  const auto part = [&](const at::Tensor& all) { return all.narrow(0, first, count); };
  return {.settings = part(settings_.operand),
          .seeds = part(seeds_.operand),
          .uids = part(uids_.operand),
          .samples = part(samples_.operand),
          .counts = part(counts_.operand),
          .tokens = part(tokens_.operand),
          .log_probs = part(log_probs_),
          .log_masses = part(log_masses_),
          .entropies = part(entropies_),
          .kept = kept_.defined() ? part(kept_) : at::Tensor(),
          .stop_tokens = part(stop_tokens_.operand),
          .limits = part(limits_.operand),
          .positions = part(positions_.operand),
          .out_tokens = part(out_tokens_.operand),
          .out_log_probs = part(out_log_probs_.operand),
          .out_log_masses = part(out_log_masses_.operand),
          .out_entropies = part(out_entropies_.operand)};
}

}  // namespace zero_rl
