// The head and its loss, draws and parameters.
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "generate/draw_token.h"
#include "learn/token_losses.h"
#include "model/description.h"
#include "model/kept_sets.h"
#include "operators/cpu/cpu_operators.h"
#include "runtime/parallel.h"
#include "runtime/thread_scratch.h"

namespace zero_rl {

namespace {

constexpr int64_t kRowGrain = 4096;  // logits worth a thread

template <class T>
T* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<T>() : nullptr;
}

// Rows of `width` elements, each to or from the place that `rows` says.
void move_rows(const at::Tensor& from, const at::Tensor& to, const int64_t* from_rows, const int64_t* to_rows,
               int64_t count) {
  const auto bytes = static_cast<size_t>(to.size(1)) * to.element_size();
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(static_cast<char*>(to.data_ptr()) + (to_rows == nullptr ? i : to_rows[i]) * bytes,
                static_cast<const char*>(from.data_ptr()) + (from_rows == nullptr ? i : from_rows[i]) * bytes, bytes);
  }
}

struct Scratch {
  explicit Scratch(int64_t floats) : data(static_cast<float*>(borrow_scratch(floats * sizeof(float)))) {}
  ~Scratch() { return_scratch(data); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* data;
};

// Draws the tokens of rows, appends them, and ends rows or moves their positions on.
class RowDraws {
 public:
  explicit RowDraws(const DrawState& state)
      : settings_(state.settings.data_ptr<double>()),
        seeds_(state.seeds.data_ptr<int64_t>()),
        uids_(state.uids.data_ptr<int64_t>()),
        samples_(state.samples.data_ptr<int32_t>()),
        counts_(state.counts.data_ptr<int32_t>()),
        tokens_(state.tokens.data_ptr<int32_t>()),
        log_probs_(state.log_probs.data_ptr<float>()),
        log_masses_(state.log_masses.data_ptr<float>()),
        entropies_(state.entropies.data_ptr<float>()),
        stop_tokens_(state.stop_tokens.data_ptr<int32_t>()),
        limits_(state.limits.data_ptr<int32_t>()),
        positions_(state.positions.data_ptr<int32_t>()),
        out_tokens_(state.out_tokens.data_ptr<int32_t>()),
        out_log_probs_(state.out_log_probs.data_ptr<float>()),
        out_log_masses_(state.out_log_masses.data_ptr<float>()),
        out_entropies_(state.out_entropies.data_ptr<float>()),
        kept_(data_or_null<int32_t>(state.kept)),
        stop_count_(state.stop_tokens.size(1)),
        ring_(state.out_tokens.size(1)),
        kept_ring_(state.kept.defined() ? state.kept.size(1) : 0),
        kept_words_(state.kept.defined() ? state.kept.size(2) : 0) {}

  void run(int64_t row, const kernels::Table& kernels, const float* logits, float* exponentials, int64_t vocab) const {
    const double* settings = settings_ + row * kSettings;
    const Truncation truncation{.top_k = static_cast<int64_t>(settings[1]),
                                .top_p = static_cast<float>(settings[2]),
                                .min_p = static_cast<float>(settings[3])};
    const DrawKey key{.seed = static_cast<uint64_t>(seeds_[row]),
                      .uid = static_cast<uint64_t>(uids_[row]),
                      .sample = static_cast<uint32_t>(samples_[row]),
                      .position = static_cast<uint32_t>(counts_[row])};
    const bool records = settings[4] != 0 && kept_ != nullptr && truncation.cuts(vocab);
    std::vector<int32_t> kept;
    const DrawnToken drawn = draw_token(kernels, logits, exponentials, vocab, static_cast<float>(settings[0]), truncation,
                                        key, records ? &kept : nullptr);
    if (records) record(row, kept, key.position);
    append(row, drawn);
  }

 private:
  static constexpr int64_t kSettings = 5;

  void record(int64_t row, const std::vector<int32_t>& tokens, uint32_t position) const {
    auto* bits = reinterpret_cast<uint32_t*>(kept_) + (row * kept_ring_ + position % kept_ring_) * kept_words_;
    std::fill_n(bits, kept_words_, 0U);
    for (const int32_t token : tokens) bits[token / 32] |= 1U << (token % 32);
  }

  void append(int64_t row, const DrawnToken& drawn) const {
    tokens_[row] = drawn.token;
    log_probs_[row] = drawn.log_prob;
    log_masses_[row] = drawn.log_mass;
    entropies_[row] = drawn.entropy;
    int32_t& position = positions_[row];
    if (position < 0) return;
    const int64_t place = row * ring_ + counts_[row] % ring_;
    out_tokens_[place] = drawn.token;
    out_log_probs_[place] = drawn.log_prob;
    out_log_masses_[place] = drawn.log_mass;
    out_entropies_[place] = drawn.entropy;
    const int32_t count = ++counts_[row];
    const int32_t* stops = stop_tokens_ + row * stop_count_;
    const bool over = count >= limits_[row] || !std::isfinite(drawn.log_prob) ||
                      std::find(stops, stops + stop_count_, drawn.token) != stops + stop_count_;
    position = over ? -1 - position : position + 1;
  }

  const double* settings_;
  const int64_t* seeds_;
  const int64_t* uids_;
  const int32_t* samples_;
  int32_t* counts_;
  int32_t* tokens_;
  float* log_probs_;
  float* log_masses_;
  float* entropies_;
  const int32_t* stop_tokens_;
  const int32_t* limits_;
  int32_t* positions_;
  int32_t* out_tokens_;
  float* out_log_probs_;
  float* out_log_masses_;
  float* out_entropies_;
  int32_t* kept_;
  int64_t stop_count_;
  int64_t ring_;
  int64_t kept_ring_;
  int64_t kept_words_;
};

}  // namespace

void CpuOperators::take_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) {
  move_rows(from, to, rows.data_ptr<int64_t>(), nullptr, rows.size(0));
}

void CpuOperators::put_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) {
  move_rows(from, to, nullptr, rows.data_ptr<int64_t>(), rows.size(0));
}

void CpuOperators::keep_tokens(const at::Tensor& logits, const KeptSets& kept, const int64_t* indices,
                               float temperature) {
  const int64_t vocab = logits.size(1);
  auto* values = logits.data_ptr<float>();
  parallel_ranges(logits.size(0), 1 + kRowGrain / vocab, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) kept.apply(indices[row], temperature, values + row * vocab, vocab);
  });
}

void CpuOperators::log_probs(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                             const at::Tensor& log_probs) {
  const int64_t rows = logits.size(0);
  const Scratch unused(2 * rows);
  kernels().softmax({.logits = logits.data_ptr<float>(),
                     .exponentials = logits.data_ptr<float>(),
                     .inverse_temperature = inverse_temperature,
                     .targets = targets.data_ptr<int32_t>(),
                     .log_probs = log_probs.data_ptr<float>(),
                     .entropies = nullptr,
                     .maxima = unused.data,
                     .sums = unused.data + rows,
                     .rows = rows,
                     .vocab = logits.size(1)});
}

at::Tensor CpuOperators::head_loss(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                                   const Objective& objective, const LossInputs& inputs, const LossResults& results,
                                   at::ScalarType dtype) {
  const int64_t rows = logits.size(0);
  const int64_t vocab = logits.size(1);
  const Scratch values(4 * rows);
  float* sums = values.data + rows;
  float* coefficients = values.data + 2 * rows;
  float* entropy_coefficients = values.data + 3 * rows;
  kernels().softmax({.logits = logits.data_ptr<float>(),
                     .exponentials = logits.data_ptr<float>(),
                     .inverse_temperature = inverse_temperature,
                     .targets = targets.data_ptr<int32_t>(),
                     .log_probs = results.log_probs.data_ptr<float>(),
                     .entropies = results.entropies.data_ptr<float>(),
                     .maxima = values.data,
                     .sums = sums,
                     .rows = rows,
                     .vocab = vocab});
  token_losses(objective, inputs, results, rows, coefficients, entropy_coefficients);
  // Each row at the front of its logits.
  const int64_t stride = vocab * static_cast<int64_t>(logits.element_size() / c10::elementSize(dtype));
  const at::Tensor dlogits = at::from_blob(logits.data_ptr(), {rows, vocab}, {stride, 1}, dtype);
  if (objective.entropy_coefficient != 0) {
    kernels().entropy_gradient({.exponentials = logits.data_ptr<float>(),
                                .sums = sums,
                                .targets = targets.data_ptr<int32_t>(),
                                .coefficients = coefficients,
                                .entropies = results.entropies.data_ptr<float>(),
                                .entropy_coefficients = entropy_coefficients,
                                .inverse_temperature = inverse_temperature,
                                .dlogits = dlogits.data_ptr(),
                                .dlogits_stride = stride,
                                .rows = rows,
                                .vocab = vocab});
  } else {
    kernels().log_prob_gradient({.exponentials = logits.data_ptr<float>(),
                                 .sums = sums,
                                 .targets = targets.data_ptr<int32_t>(),
                                 .coefficients = coefficients,
                                 .inverse_temperature = inverse_temperature,
                                 .dlogits = dlogits.data_ptr(),
                                 .dlogits_stride = stride,
                                 .rows = rows,
                                 .vocab = vocab});
  }
  return dlogits;
}

void CpuOperators::draw(const at::Tensor& logits, const DrawState& state) {
  const int64_t vocab = logits.size(1);
  const auto* values = logits.data_ptr<float>();
  const RowDraws draws(state);
  const kernels::Table& table = kernels();
  parallel_ranges(logits.size(0), 1 + kRowGrain / vocab, [&](int64_t begin, int64_t end, int) {
    const Scratch exponentials(vocab);
    for (int64_t row = begin; row < end; ++row) draws.run(row, table, values + row * vocab, exponentials.data, vocab);
  });
}

int64_t CpuOperators::head_row_bytes(const Description& description, at::ScalarType dtype) const {
  return 4 * description.hidden_size * static_cast<int64_t>(c10::elementSize(dtype));
}

double CpuOperators::squared_norm(const at::Tensor& x) {
  return kernels().squared_norm(x.data_ptr<float>(), x.numel());
}

void CpuOperators::adamw(const AdamWUpdate& update) {
  kernels().adamw({.weights = update.weights.data_ptr(),
                   .remainders = data_or_null<int16_t>(update.remainders),
                   .gradient = update.gradient.data_ptr<float>(),
                   .exp_avg = update.exp_avg.data_ptr(),
                   .exp_avg_sq = update.exp_avg_sq.data_ptr(),
                   .noise = static_cast<uint32_t>(update.noise),
                   .count = update.weights.numel(),
                   .gradient_scale = static_cast<float>(update.gradient_scale),
                   .beta1 = static_cast<float>(update.beta1),
                   .beta2 = static_cast<float>(update.beta2),
                   .eps = static_cast<float>(update.eps),
                   .step_size = static_cast<float>(update.step_size),
                   .inverse_sqrt_correction = static_cast<float>(update.inverse_sqrt_correction),
                   .decay = static_cast<float>(update.decay)});
}

}  // namespace zero_rl
