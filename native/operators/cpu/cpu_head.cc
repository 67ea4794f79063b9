// The head and its loss, draws and parameters.
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "generate/truncated_draw.h"
#include "learn/token_losses.h"
#include "model/description.h"
#include "model/kept_sets.h"
#include "operators/cpu/cpu_operators.h"
#include "runtime/parallel.h"
#include "runtime/philox.h"
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

// A row's draw: its settings, and where its results go.
class RowDraw {
 public:
  RowDraw(const DrawState& state, int64_t row, int64_t vocab) : state_(state), row_(row), vocab_(vocab) {
    const double* settings = state.settings.data_ptr<double>() + row * state.settings.size(1);
    temperature_ = static_cast<float>(settings[0]);
    truncation_ = {.top_k = static_cast<int64_t>(settings[1]),
                   .top_p = static_cast<float>(settings[2]),
                   .min_p = static_cast<float>(settings[3])};
    records_ = settings[4] != 0 && state.kept.defined();
  }

  void run(const kernels::Table& kernels, const float* logits, float* exponentials) const {
    const float inverse_temperature = temperature_ == 0 ? 1.0F : 1.0F / temperature_;
    float maximum = 0;
    float sum = 0;
    float entropy = 0;
    kernels.softmax({.logits = logits,
                     .exponentials = exponentials,
                     .inverse_temperature = inverse_temperature,
                     .targets = nullptr,
                     .log_probs = nullptr,
                     .entropies = &entropy,
                     .maxima = &maximum,
                     .sums = &sum,
                     .rows = 1,
                     .vocab = vocab_});
    float log_mass = 0;
    const int32_t token = temperature_ == 0
                              ? static_cast<int32_t>(std::max_element(logits, logits + vocab_) - logits)
                              : draw(exponentials, sum, log_mass);
    append(token, kernels::log_prob(logits[token], inverse_temperature, maximum, sum), log_mass, entropy);
  }

 private:
  int32_t draw(const float* exponentials, double sum, float& log_mass) const {
    const auto uid = static_cast<uint64_t>(state_.uids.data_ptr<int64_t>()[row_]);
    const auto position = static_cast<uint32_t>(state_.counts.data_ptr<int32_t>()[row_]);
    const auto sample = static_cast<uint32_t>(state_.samples.data_ptr<int32_t>()[row_]);
    const auto bits = philox(static_cast<uint64_t>(state_.seeds.data_ptr<int64_t>()[row_]),
                             {position, sample, static_cast<uint32_t>(uid), static_cast<uint32_t>(uid >> 32)});
    const double uniform = uniform_open(bits[0], bits[1]);
    const bool truncated = truncation_.top_p < 1 || (truncation_.top_k > 0 && truncation_.top_k < vocab_) ||
                           truncation_.min_p > 0;
    if (!truncated) return invert(exponentials, uniform * sum);
    TruncatedDraw kept(truncation_);
    const int32_t token = kept.draw(exponentials, vocab_, uniform);
    log_mass = std::min(0.0F, static_cast<float>(std::log(kept.kept_mass() / sum)));
    if (records_) record(kept.kept_tokens(), position);
    return token;
  }

  // Inverse of the cumulative distribution in token order.
  int32_t invert(const float* exponentials, double target) const {
    double cumulative = 0;
    int32_t last = 0;
    for (int64_t j = 0; j < vocab_; ++j) {
      cumulative += exponentials[j];
      if (exponentials[j] > 0) last = static_cast<int32_t>(j);
      if (cumulative > target) return static_cast<int32_t>(j);
    }
    return last;  // the sums differ by rounding
  }

  void record(const std::vector<int32_t>& tokens, uint32_t position) const {
    const int64_t ring = state_.kept.size(1);
    const int64_t words = state_.kept.size(2);
    auto* bits = reinterpret_cast<uint32_t*>(state_.kept.data_ptr<int32_t>()) + (row_ * ring + position % ring) * words;
    std::fill_n(bits, words, 0U);
    for (const int32_t token : tokens) bits[token / 32] |= 1U << (token % 32);
  }

  void append(int32_t token, float log_prob, float log_mass, float entropy) const {
    state_.tokens.data_ptr<int32_t>()[row_] = token;
    state_.log_probs.data_ptr<float>()[row_] = log_prob;
    state_.log_masses.data_ptr<float>()[row_] = log_mass;
    state_.entropies.data_ptr<float>()[row_] = entropy;
    int32_t& position = state_.positions.data_ptr<int32_t>()[row_];
    if (position < 0) return;
    int32_t& count = state_.counts.data_ptr<int32_t>()[row_];
    const int64_t ring = state_.out_tokens.size(1);
    const int64_t place = row_ * ring + count % ring;
    state_.out_tokens.data_ptr<int32_t>()[place] = token;
    state_.out_log_probs.data_ptr<float>()[place] = log_prob;
    state_.out_log_masses.data_ptr<float>()[place] = log_mass;
    state_.out_entropies.data_ptr<float>()[place] = entropy;
    ++count;
    const int32_t* stops = state_.stop_tokens.data_ptr<int32_t>() + row_ * state_.stop_tokens.stride(0);
    const bool over = count >= state_.limits.data_ptr<int32_t>()[row_] || !std::isfinite(log_prob) ||
                      std::find(stops, stops + state_.stop_tokens.size(1), token) != stops + state_.stop_tokens.size(1);
    position = over ? -1 - position : position + 1;
  }

  const DrawState& state_;
  int64_t row_;
  int64_t vocab_;
  float temperature_;
  Truncation truncation_;
  bool records_;
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
      RowDraw(state, row, vocab).run(kernels(), values + row * vocab, exponentials.data);
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
