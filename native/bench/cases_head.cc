// What follows the logits (softmax, gradient, sampler), and the optimizer.
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <memory>

#include "bench/kernel_case.h"
#include "generate/draw_token.h"
#include "kernels/reference.h"
#include "runtime/parallel.h"
#include "runtime/philox.h"

namespace zero_rl::bench {

namespace {

const auto kFloatOptions = at::TensorOptions().dtype(at::kFloat);
constexpr float kInverseTemperature = 1.25F;
constexpr double kLogitScale = 12;

double elements(int64_t rows, int64_t vocab) { return static_cast<double>(rows) * static_cast<double>(vocab); }

// What the gradients of the logits take and leave.
struct LogitGradient {
  LogitGradient(at::ScalarType dtype, const Sizes& sizes, uint64_t seed)
      : exponentials(random_tensor({sizes.at("rows"), sizes.at("vocab")}, at::kFloat, seed).abs().clamp_min_(1e-30)),
        sums(exponentials.sum(at::IntArrayRef{1})),
        coefficients(random_tensor({sizes.at("rows")}, at::kFloat, seed + 1, 2)),
        targets(random_integers(sizes.at("rows"), sizes.at("vocab"), seed + 2)),
        in_place(sizes.get("in_place", 0) != 0) {
    const auto options = at::TensorOptions().dtype(dtype);
    const int64_t stride = exponentials.size(1) * 4 / static_cast<int64_t>(c10::elementSize(dtype));
    dlogits = in_place ? at::from_blob(exponentials.data_ptr(), exponentials.sizes(), {stride, 1}, options)
                       : at::empty(exponentials.sizes(), options);
  }

  void track(KernelCase& result) const {
    if (in_place) result.restored.emplace_back(exponentials, exponentials.clone());
    result.track("dlogits", dlogits);
    result.bytes = static_cast<double>(exponentials.nbytes() + dlogits.nbytes());
  }

  at::Tensor exponentials;  // [R, V]
  at::Tensor sums;          // [R]
  at::Tensor coefficients;  // [R]
  std::vector<int32_t> targets;
  bool in_place;
  at::Tensor dlogits;  // [R, V]
};

}  // namespace

// Sizes rows and vocab.
KernelCase softmax_case(at::ScalarType, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t vocab = sizes.at("vocab");
  const at::Tensor logits = random_tensor({rows, vocab}, at::kFloat, seed, kLogitScale);
  const at::Tensor exponentials = at::empty({rows, vocab}, kFloatOptions);
  const at::Tensor values = at::empty({4, rows}, kFloatOptions);  // log-probs, entropies, maxima, sums
  const auto targets = random_integers(rows, vocab, seed + 1);
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    float* value = values.data_ptr<float>();
    table.softmax({.logits = logits.data_ptr<float>(),
                   .exponentials = exponentials.data_ptr<float>(),
                   .inverse_temperature = kInverseTemperature,
                   .targets = targets.data(),
                   .log_probs = value,
                   .entropies = value + rows,
                   .maxima = value + 2 * rows,
                   .sums = value + 3 * rows,
                   .rows = rows,
                   .vocab = vocab});
  };
  result.track("exponentials", exponentials);
  result.track("log_probs", values.select(0, 0));
  result.track("entropies", values.select(0, 1));
  result.track("maxima", values.select(0, 2));
  result.track("sums", values.select(0, 3));
  result.bytes = 2 * 4 * elements(rows, vocab);
  result.flops = 7 * elements(rows, vocab);
  return result;
}

// Sizes rows, vocab and in_place (0): whether dlogits take the place of the exponentials.
KernelCase log_prob_gradient_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const LogitGradient operands(dtype, sizes, seed);
  KernelCase result;
  result.run = [operands](const kernels::Table& table) {
    table.log_prob_gradient({.exponentials = operands.exponentials.data_ptr<float>(),
                             .sums = operands.sums.data_ptr<float>(),
                             .targets = operands.targets.data(),
                             .coefficients = operands.coefficients.data_ptr<float>(),
                             .inverse_temperature = kInverseTemperature,
                             .dlogits = operands.dlogits.data_ptr(),
                             .dlogits_stride = operands.dlogits.stride(0),
                             .rows = operands.dlogits.size(0),
                             .vocab = operands.dlogits.size(1)});
  };
  operands.track(result);
  result.flops = static_cast<double>(operands.dlogits.numel());
  return result;
}

// Sizes as of log_prob_gradient.
KernelCase entropy_gradient_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const LogitGradient operands(dtype, sizes, seed);
  const at::Tensor probabilities = operands.exponentials / operands.sums.unsqueeze(1);
  const at::Tensor entropies = -(probabilities * probabilities.log()).sum(at::IntArrayRef{1});
  const at::Tensor entropy_coefficients = random_tensor({probabilities.size(0)}, at::kFloat, seed + 3, 2);
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.entropy_gradient({.exponentials = operands.exponentials.data_ptr<float>(),
                            .sums = operands.sums.data_ptr<float>(),
                            .targets = operands.targets.data(),
                            .coefficients = operands.coefficients.data_ptr<float>(),
                            .entropies = entropies.data_ptr<float>(),
                            .entropy_coefficients = entropy_coefficients.data_ptr<float>(),
                            .inverse_temperature = kInverseTemperature,
                            .dlogits = operands.dlogits.data_ptr(),
                            .dlogits_stride = operands.dlogits.stride(0),
                            .rows = operands.dlogits.size(0),
                            .vocab = operands.dlogits.size(1)});
  };
  operands.track(result);
  result.flops = 6.0 * static_cast<double>(operands.dlogits.numel());
  return result;
}

// Sizes rows, vocab and top_k (0); top_p and min_p in thousandths (1000 and 0: off).
KernelCase sampler_case(at::ScalarType, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t vocab = sizes.at("vocab");
  const float temperature = 1.0F / kInverseTemperature;
  const Truncation truncation{.top_k = sizes.get("top_k", 0),
                              .top_p = static_cast<float>(sizes.get("top_p", 1000)) / 1000,
                              .min_p = static_cast<float>(sizes.get("min_p", 0)) / 1000};
  const at::Tensor logits = random_tensor({rows, vocab}, at::kFloat, seed, kLogitScale);
  const at::Tensor tokens = at::empty({rows}, at::TensorOptions().dtype(at::kInt));
  const at::Tensor log_probs = at::empty({rows}, kFloatOptions);
  const at::Tensor log_masses = at::empty({rows}, kFloatOptions);
  const at::Tensor masses = at::empty({rows}, kFloatOptions);
  std::vector<DrawKey> keys(rows);
  std::vector<double> uniforms(rows);
  for (int64_t row = 0; row < rows; ++row) {
    keys[row] = {.seed = seed, .uid = static_cast<uint64_t>(row), .sample = 1, .position = 2};
    const auto bits = philox(seed, {2, 1, static_cast<uint32_t>(row), 0});
    uniforms[row] = uniform_open(bits[0], bits[1]);
  }
  const at::Tensor exponentials = at::empty({rows, vocab}, kFloatOptions);
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    if (&table == &kernels::reference_set().float32 || &table == &kernels::reference_set().bfloat16) {
      kernels::sample_reference({.logits = logits.data_ptr<float>(),
                                 .uniforms = uniforms.data(),
                                 .inverse_temperature = 1.0F / temperature,
                                 .top_k = truncation.top_k,
                                 .top_p = truncation.top_p,
                                 .min_p = truncation.min_p,
                                 .tokens = tokens.data_ptr<int32_t>(),
                                 .log_probs = log_probs.data_ptr<float>(),
                                 .log_masses = log_masses.data_ptr<float>(),
                                 .kept = nullptr,
                                 .rows = rows,
                                 .vocab = vocab});
      masses.copy_(log_masses.exp());
      return;
    }
    parallel_ranges(rows, 1 + 4096 / vocab, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        const DrawnToken drawn =
            draw_token(table, logits.data_ptr<float>() + row * vocab, exponentials.data_ptr<float>() + row * vocab, vocab,
                       temperature, truncation, keys[row], nullptr);
        tokens.data_ptr<int32_t>()[row] = drawn.token;
        log_probs.data_ptr<float>()[row] = drawn.log_prob;
        log_masses.data_ptr<float>()[row] = drawn.log_mass;
      }
    });
    masses.copy_(log_masses.exp());
  };
  // As transformers does it; with a truncation the twin's own draw, which sorts, is as good.
  const bool truncated = truncation.cuts(vocab);
  if (!truncated) result.twin = [=] {
    const at::Tensor probabilities = at::softmax(logits.mul(kInverseTemperature), 1);
    const at::Tensor chosen = at::multinomial(probabilities, 1);
    static_cast<void>(probabilities.gather(1, chosen).log());
  };
  result.track("tokens", tokens);
  result.track("log_probs", log_probs);
  result.track("masses", masses);
  result.bytes = 4 * elements(rows, vocab);
  result.flops = 5 * elements(rows, vocab);
  return result;
}

// Sizes count; step (3); decay 1 for weight decay; scale in thousandths (1000: the gradient as it is).
KernelCase adamw_case(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t count = sizes.at("count");
  const double step = static_cast<double>(sizes.get("step", 3));
  constexpr double kLearningRate = 1e-3;
  constexpr double kBeta1 = 0.9;
  constexpr double kBeta2 = 0.95;
  const double weight_decay = sizes.get("decay", 0) == 1 ? 0.1 : 0;
  const float scale = static_cast<float>(sizes.get("scale", 1000)) / 1000;
  const bool split = dtype != at::kFloat && sizes.get("masters", 1) == 1;
  const at::ScalarType state = split ? at::kFloat : dtype;
  const at::Tensor weights = random_tensor({count}, dtype, seed);
  const at::Tensor remainders = split ? at::zeros({count}, at::TensorOptions().dtype(at::kShort)) : at::Tensor();
  const at::Tensor gradient = random_tensor({count}, at::kFloat, seed + 1);
  const at::Tensor exp_avg = random_tensor({count}, state, seed + 2);
  const at::Tensor exp_avg_sq = random_tensor({count}, state, seed + 3).abs_();
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    table.adamw({.weights = weights.data_ptr(),
                 .remainders = split ? remainders.data_ptr<int16_t>() : nullptr,
                 .gradient = gradient.data_ptr<float>(),
                 .exp_avg = exp_avg.data_ptr(),
                 .exp_avg_sq = exp_avg_sq.data_ptr(),
                 .noise = 7,
                 .count = count,
                 .gradient_scale = scale,
                 .beta1 = kBeta1,
                 .beta2 = kBeta2,
                 .eps = 1e-8F,
                 .step_size = static_cast<float>(kLearningRate / (1 - std::pow(kBeta1, step))),
                 .inverse_sqrt_correction = static_cast<float>(1 / std::sqrt(1 - std::pow(kBeta2, step))),
                 .decay = static_cast<float>(1 - kLearningRate * weight_decay)});
  };
  result.track_in_place("weights", weights);
  result.track_in_place("exp_avg", exp_avg);
  result.track_in_place("exp_avg_sq", exp_avg_sq);
  result.bytes = bytes_of({gradient}) + 2 * bytes_of({weights, exp_avg, exp_avg_sq});
  if (split) {
    result.track_in_place("remainders", remainders);
    result.bytes += 2 * bytes_of({remainders});
  }
  result.flops = 16.0 * static_cast<double>(count);
  return result;
}

// Sizes count.
KernelCase squared_norm_case(at::ScalarType, const Sizes& sizes, uint64_t seed) {
  const at::Tensor values = random_tensor({sizes.at("count")}, at::kFloat, seed);
  const at::Tensor sum = at::empty({1}, at::TensorOptions().dtype(at::kDouble));
  KernelCase result;
  result.run = [=](const kernels::Table& table) {
    *sum.data_ptr<double>() = table.squared_norm(values.data_ptr<float>(), values.numel());
  };
  result.track("sum", sum);
  result.bytes = static_cast<double>(values.nbytes());
  result.flops = 2.0 * static_cast<double>(values.numel());
  return result;
}

}  // namespace zero_rl::bench
