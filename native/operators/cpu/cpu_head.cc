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

// Draws the token of a row, appends it, and ends the row or moves its position on.
class RowDraw {
 public:
  RowDraw(const DrawState& state, int64_t row) : state_(state), row_(row) {}

  void run(const kernels::Table& kernels, const float* logits, float* exponentials, int64_t vocab) const {
    const double* settings = state_.settings.data_ptr<double>() + row_ * state_.settings.size(1);
    const Truncation truncation{.top_k = static_cast<int64_t>(settings[1]),
                                .top_p = static_cast<float>(settings[2]),
                                .min_p = static_cast<float>(settings[3])};
    const DrawKey key{.seed = static_cast<uint64_t>(value<int64_t>(state_.seeds)),
                      .uid = static_cast<uint64_t>(value<int64_t>(state_.uids)),
                      .sample = static_cast<uint32_t>(value<int32_t>(state_.samples)),
                      .position = static_cast<uint32_t>(value<int32_t>(state_.counts))};
    const bool records = settings[4] != 0 && state_.kept.defined() && truncation.cuts(vocab);
    std::vector<int32_t> kept;
    const DrawnToken drawn = draw_token(kernels, logits, exponentials, vocab, static_cast<float>(settings[0]), truncation,
                                        key, records ? &kept : nullptr);
    if (records) record(kept, key.position);
    append(drawn);
  }

 private:
  template <class T>
  T& value(const at::Tensor& of_rows) const {
    return of_rows.data_ptr<T>()[row_];
  }
  template <class T>
  T* row(const at::Tensor& of_rows) const {
    return of_rows.data_ptr<T>() + row_ * of_rows.stride(0);
  }

  void record(const std::vector<int32_t>& tokens, uint32_t position) const {
    const int64_t words = state_.kept.size(2);
    auto* bits = reinterpret_cast<uint32_t*>(row<int32_t>(state_.kept)) + position % state_.kept.size(1) * words;
    std::fill_n(bits, words, 0U);
    for (const int32_t token : tokens) bits[token / 32] |= 1U << (token % 32);
  }

  void append(const DrawnToken& drawn) const {
    value<int32_t>(state_.tokens) = drawn.token;
    value<float>(state_.log_probs) = drawn.log_prob;
    value<float>(state_.log_masses) = drawn.log_mass;
    value<float>(state_.entropies) = drawn.entropy;
    int32_t& position = value<int32_t>(state_.positions);
    if (position < 0) return;
    int32_t& count = value<int32_t>(state_.counts);
    const int64_t place = count % state_.out_tokens.size(1);
    row<int32_t>(state_.out_tokens)[place] = drawn.token;
    row<float>(state_.out_log_probs)[place] = drawn.log_prob;
    row<float>(state_.out_log_masses)[place] = drawn.log_mass;
    row<float>(state_.out_entropies)[place] = drawn.entropy;
    ++count;
    const int32_t* stops = row<int32_t>(state_.stop_tokens);
    const int32_t* end = stops + state_.stop_tokens.size(1);
    const bool over = count >= value<int32_t>(state_.limits) || !std::isfinite(drawn.log_prob) ||
                      std::find(stops, end, drawn.token) != end;
    position = over ? -1 - position : position + 1;
  }

  const DrawState& state_;
  int64_t row_;
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
  parallel_ranges(logits.size(0), 1 + kRowGrain / vocab, [&](int64_t begin, int64_t end, int) {
    const Scratch exponentials(vocab);
    for (int64_t row = begin; row < end; ++row) {
      RowDraw(state, row).run(kernels(), values + row * vocab, exponentials.data, vocab);
    }
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
