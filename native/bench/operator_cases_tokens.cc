// Sampling and the head beside their twins.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>

#include "bench/operator_case.h"
#include "device/operators.h"
#include "kernels/reference.h"
#include "learn/token_loss.h"
#include "runtime/philox.h"

namespace zero_rl::bench {

namespace {

constexpr double kLogitScale = 12;
const auto kFloatOptions = at::TensorOptions().dtype(at::kFloat);
const auto kIntOptions = at::TensorOptions().dtype(at::kInt);

double permille(const Sizes& sizes, const char* name, double fallback) {
  const int64_t value = sizes.get(name, -1);
  return value < 0 ? fallback : static_cast<double>(value) / 1000;
}

// The bits of kept [R, V] at place positions[r] % ring of words [R, ring, ⌈V / 32⌉].
void write_bits(const at::Tensor& kept, const at::Tensor& positions, const at::Tensor& words) {
  const int64_t vocab = kept.size(1);
  for (int64_t row = 0; row < kept.size(0); ++row) {
    const int64_t place = positions.data_ptr<int32_t>()[row] % words.size(1);
    auto* bits = words.data_ptr<int32_t>() + (row * words.size(1) + place) * words.size(2);
    std::fill_n(bits, words.size(2), 0);
    for (int64_t j = 0; j < vocab; ++j) {
      if (kept.data_ptr<bool>()[row * vocab + j]) bits[j / 32] |= static_cast<int32_t>(1U << (j % 32));
    }
  }
}

struct DrawSettings {
  double temperature;
  int64_t top_k;
  double top_p;
  double min_p;
};

// Sizes rows, vocab, top_k (0); temperature (1250), top_p (1000) and min_p (0) in thousandths; ties (0): logits that many
// tokens share; ring (0): draws whose kept tokens are recorded; mixed (0): every second row has temperature 0, every third
// no truncation, every fifth another temperature, and every seventh its draw not recorded.
OperatorCase sample(at::ScalarType, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t vocab = sizes.at("vocab");
  at::Tensor logits = random_tensor({rows, vocab}, at::kFloat, seed, kLogitScale);
  if (sizes.get("ties", 0) == 1) logits = (logits / 4).round() * 4;
  const bool mixed = sizes.get("mixed", 0) == 1;
  std::vector<DrawSettings> draws(rows, {permille(sizes, "temperature", 1.25), sizes.get("top_k", 0),
                                         permille(sizes, "top_p", 1), permille(sizes, "min_p", 0)});
  const at::Tensor settings = at::empty({rows, 5}, at::TensorOptions().dtype(at::kDouble));
  const auto recorded = [=](int64_t row) { return !mixed || row % 7 != 0; };
  for (int64_t row = 0; row < rows; ++row) {
    DrawSettings& draw = draws[row];
    if (mixed && row % 5 == 0) draw.temperature = 0.7;
    if (mixed && row % 3 == 0) draw = {draw.temperature, 0, 1, 0};
    if (mixed && row % 2 == 0) draw.temperature = 0;
    double* to = settings.data_ptr<double>() + row * 5;
    const double values[] = {draw.temperature, static_cast<double>(draw.top_k), draw.top_p, draw.min_p,
                             recorded(row) ? 1.0 : 0.0};
    std::copy(std::begin(values), std::end(values), to);
  }
  const at::Tensor seeds = integer_tensor(rows, 1 << 30, seed + 4).to(at::kLong) * 7'000'000'000;
  const at::Tensor uids = integer_tensor(rows, 1 << 30, seed + 1).to(at::kLong) * 5'000'000'000;
  const at::Tensor samples = integer_tensor(rows, 100, seed + 2);
  const at::Tensor counts = integer_tensor(rows, 100, seed + 3);
  const at::Tensor tokens = at::empty({rows}, kIntOptions);
  const at::Tensor log_probs = at::empty({rows}, kFloatOptions);
  const at::Tensor log_masses = at::empty({rows}, kFloatOptions);
  const at::Tensor masses = at::empty({rows}, kFloatOptions);
  const at::Tensor entropies = at::empty({rows}, kFloatOptions);
  const int64_t ring = sizes.get("ring", 0);
  std::optional<at::Tensor> words;
  if (ring > 0) words = at::full({rows, ring, operators::kept_words(vocab)}, 7, kIntOptions);
  OperatorCase result;
  result.run = [=] {
    operators::sample(logits, settings, seeds, uids, samples, counts, tokens, log_probs, log_masses, entropies, words);
    for (int64_t row = 0; row < rows; ++row) masses.data_ptr<float>()[row] = std::exp(log_masses.data_ptr<float>()[row]);
  };
  result.twin = [=] {
    const at::Tensor kept = at::zeros({rows, vocab}, at::TensorOptions().dtype(at::kBool));
    for (int64_t row = 0; row < rows; ++row) {
      const DrawSettings& draw = draws[row];
      const at::Tensor own = logits.select(0, row);
      const at::Tensor scaled = (own.to(at::kDouble) / (draw.temperature == 0 ? 1 : draw.temperature)).log_softmax(0);
      entropies.select(0, row).copy_(-(scaled.exp() * scaled).sum());
      if (draw.temperature == 0) {
        const float* at = own.data_ptr<float>();
        tokens.data_ptr<int32_t>()[row] = static_cast<int32_t>(std::max_element(at, at + vocab) - at);
        log_probs.select(0, row).copy_(scaled.max());
        masses.data_ptr<float>()[row] = 1;
        continue;
      }
      const auto uid = static_cast<uint64_t>(uids.data_ptr<int64_t>()[row]);
      const auto bits = philox(static_cast<uint64_t>(seeds.data_ptr<int64_t>()[row]),
                               {static_cast<uint32_t>(counts.data_ptr<int32_t>()[row]),
                                static_cast<uint32_t>(samples.data_ptr<int32_t>()[row]), static_cast<uint32_t>(uid),
                                static_cast<uint32_t>(uid >> 32)});
      const double uniform = uniform_open(bits[0], bits[1]);
      kernels::sample_reference({.logits = own.data_ptr<float>(),
                                 .uniforms = &uniform,
                                 .inverse_temperature = 1 / static_cast<float>(draw.temperature),
                                 .top_k = draw.top_k,
                                 .top_p = draw.top_p,
                                 .min_p = draw.min_p,
                                 .tokens = tokens.data_ptr<int32_t>() + row,
                                 .log_probs = log_probs.data_ptr<float>() + row,
                                 .log_masses = log_masses.data_ptr<float>() + row,
                                 .kept = kept.data_ptr<bool>() + row * vocab,
                                 .rows = 1,
                                 .vocab = vocab});
      masses.data_ptr<float>()[row] = std::exp(log_masses.data_ptr<float>()[row]);
      const bool truncated = draw.top_p < 1 || draw.min_p > 0 || (draw.top_k > 0 && draw.top_k < vocab);
      if (words && truncated && recorded(row)) write_bits(kept.narrow(0, row, 1), counts.narrow(0, row, 1), words->narrow(0, row, 1));
    }
  };
  result.track("tokens", tokens);
  result.track("log_probs", log_probs);
  result.track("masses", masses);
  result.track("entropies", entropies);
  if (words) result.track_in_place("kept", *words);
  return result;
}

// Sizes rows, vocab.
OperatorCase keep_tokens(at::ScalarType, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t vocab = sizes.at("vocab");
  const at::Tensor logits = random_tensor({rows, vocab}, at::kFloat, seed, kLogitScale);
  const at::Tensor kept = random_tensor({rows, vocab}, at::kFloat, seed + 1) > 0;
  const at::Tensor words = at::empty({rows, 1, operators::kept_words(vocab)}, kIntOptions);
  write_bits(kept, at::full({rows}, 0, kIntOptions), words);
  OperatorCase result;
  result.run = [=] { operators::keep_tokens(logits, words.select(1, 0)); };
  result.twin = [=] { logits.masked_fill_(kept.logical_not(), -1e30); };
  result.track_in_place("logits", logits);
  return result;
}

// Sizes rows, capacity, stops; broken (0): every second log-prob is not finite.
OperatorCase advance(at::ScalarType, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t capacity = sizes.at("capacity");
  const at::Tensor tokens = integer_tensor(rows, 9, seed);
  const at::Tensor log_probs = random_tensor({rows}, at::kFloat, seed + 1);
  if (sizes.get("broken", 0) == 1) log_probs.slice(0, 0, rows, 2).fill_(-std::numeric_limits<float>::infinity());
  const at::Tensor log_masses = random_tensor({rows}, at::kFloat, seed + 10);
  const at::Tensor entropies = random_tensor({rows}, at::kFloat, seed + 12);
  const int64_t stops = sizes.at("stops");
  const at::Tensor stop_tokens = integer_tensor(rows * stops, 12, seed + 2).view({rows, stops}) - 1;
  const at::Tensor counts = integer_tensor(rows, 3 * capacity, seed + 3);
  const at::Tensor limits = counts + 1 + integer_tensor(rows, 2, seed + 4);
  const at::Tensor positions = integer_tensor(rows, 12, seed + 5) - 2;
  const at::Tensor out_tokens = integer_tensor(rows * capacity, 9, seed + 8).view({rows, capacity});
  const at::Tensor out_log_probs = random_tensor({rows, capacity}, at::kFloat, seed + 9);
  const at::Tensor out_log_masses = random_tensor({rows, capacity}, at::kFloat, seed + 11);
  const at::Tensor out_entropies = random_tensor({rows, capacity}, at::kFloat, seed + 13);
  OperatorCase result;
  result.run = [=] {
    operators::advance(tokens, log_probs, log_masses, entropies, stop_tokens, limits, positions, counts, out_tokens,
                            out_log_probs, out_log_masses, out_entropies);
  };
  result.twin = [=] {
    const at::Tensor running = positions.ge(0);
    const at::Tensor places = counts.remainder(capacity).to(at::kLong).unsqueeze(1);
    const auto append = [&](const at::Tensor& to, const at::Tensor& values) {
      const at::Tensor chosen = at::where(running, values, to.gather(1, places).squeeze(1));
      to.scatter_(1, places, chosen.unsqueeze(1));
    };
    append(out_tokens, tokens);
    append(out_log_probs, log_probs);
    append(out_log_masses, log_masses);
    append(out_entropies, entropies);
    const at::Tensor stopped = tokens.unsqueeze(1).eq(stop_tokens).any(1);
    counts.add_(running.to(at::kInt));
    const at::Tensor over = running & (stopped | counts.ge(limits) | log_probs.isfinite().logical_not());
    positions.copy_(at::where(over, -1 - positions, positions + (running & ~over).to(at::kInt)));
  };
  for (const auto& [name, tensor] : {std::pair("positions", positions), std::pair("counts", counts),
                                     std::pair("out_tokens", out_tokens), std::pair("out_log_probs", out_log_probs),
                                     std::pair("out_log_masses", out_log_masses),
                                     std::pair("out_entropies", out_entropies)}) {
    result.track_in_place(name, tensor);
  }
  return result;
}

// Sizes rows, vocab; masked (0): every token but each fifth has a logit of −∞.
OperatorCase log_probs(at::ScalarType, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t vocab = sizes.at("vocab");
  const at::Tensor logits = random_tensor({rows, vocab}, at::kFloat, seed, kLogitScale);
  if (sizes.get("masked", 0) == 1) {
    logits.masked_fill_(at::arange(vocab).remainder(5).ne(4), -std::numeric_limits<float>::infinity());
  }
  at::Tensor targets = integer_tensor(rows, vocab, seed + 1);
  if (sizes.get("masked", 0) == 1) targets = targets.div(5, "floor").mul(5).add(4).clamp_max(vocab - 1).to(at::kInt);
  const at::Tensor found = at::empty({rows}, kFloatOptions);
  const at::Tensor entropies = at::empty({rows}, kFloatOptions);
  OperatorCase result;
  result.run = [=] { operators::log_probs(logits, targets, 1.25, found, entropies); };
  result.twin = [=] {
    const at::Tensor all = (logits.to(at::kDouble) * 1.25).log_softmax(1);
    found.copy_(all.gather(1, targets.to(at::kLong).unsqueeze(1)).squeeze(1));
    entropies.copy_(-at::where(all.isinf(), 0, all.exp() * all).sum(1));
  };
  result.track("log_probs", found);
  result.track("entropies", entropies);
  return result;
}

// The order of operators::head_loss.
at::Tensor values_of(const Objective& o) {
  return at::tensor({static_cast<double>(o.kind), static_cast<double>(o.clip_low), static_cast<double>(o.clip_high),
                     static_cast<double>(o.dual_clip), static_cast<double>(o.product_ratio),
                     static_cast<double>(o.kl_coefficient), static_cast<double>(o.kl_estimator),
                     static_cast<double>(o.kl_corrected), static_cast<double>(o.entropy_coefficient)},
                    at::kDouble);
}

Objective objective_of(const Sizes& sizes) {
  Objective objective;
  objective.kind = static_cast<ObjectiveKind>(sizes.get("kind", 0));
  objective.dual_clip = sizes.get("dual", 0) == 1 ? 3.0F : 0.0F;
  objective.product_ratio = sizes.get("product", 0) == 1;
  objective.kl_coefficient = sizes.get("kl", 0) == 0 ? 0.0F : 0.1F;
  objective.kl_estimator = sizes.get("kl", 0) == 2 ? KlEstimator::kK3 : KlEstimator::kK2;
  objective.kl_corrected = sizes.get("corrected", 0) == 1;
  objective.entropy_coefficient = sizes.get("entropy", 0) == 1 ? 0.3F : 0.0F;
  return objective;
}

// Sizes rows, vocab, and an objective: kind (0), dual (0), product (0), kl (0; 1: k2, 2: k3), corrected (0), entropy (0).
// float32 gradients take the place of the logits.
OperatorCase head_loss(at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  const int64_t rows = sizes.at("rows");
  const int64_t vocab = sizes.at("vocab");
  const Objective objective = objective_of(sizes);
  const at::Tensor logits = random_tensor({rows, vocab}, at::kFloat, seed, kLogitScale);
  const at::Tensor targets = integer_tensor(rows, vocab, seed + 1);
  const at::Tensor advantages = random_tensor({rows}, at::kFloat, seed + 2, 2);
  // Some rows are not trained.
  const at::Tensor weights = random_tensor({rows}, at::kFloat, seed + 3).clamp_min(0);
  const at::Tensor all = (logits * 0.8).log_softmax(1).gather(1, targets.to(at::kLong).unsqueeze(1)).squeeze(1);
  const at::Tensor old = all + random_tensor({rows}, at::kFloat, seed + 4, 0.6);
  const at::Tensor reference = all + random_tensor({rows}, at::kFloat, seed + 5);
  const at::Tensor ratios = random_tensor({rows}, at::kFloat, seed + 6, 0.6);
  const at::Tensor shares = random_tensor({rows}, at::kFloat, seed + 7).abs();
  const at::Tensor values = at::empty({4, rows}, kFloatOptions);  // log-probs, entropies, losses, clipped
  const at::Tensor dlogits = dtype == at::kFloat ? logits : at::empty(logits.sizes(), logits.options().dtype(dtype));
  const at::Tensor coefficients = values_of(objective);
  const std::vector<at::Tensor> rows_of = values.unbind(0);
  OperatorCase result;
  result.run = [=] {
    operators::head_loss(logits, targets, 0.8, coefficients, advantages, weights, old, reference, ratios, shares,
                         rows_of[0], rows_of[1], rows_of[2], rows_of[3], dlogits);
  };
  result.twin = [=] {
    const at::Tensor exponentials = at::empty({rows, vocab}, kFloatOptions);
    const at::Tensor sums = at::empty({4, rows}, kFloatOptions);  // maxima, sums, coefficients, entropy coefficients
    float* found = values.data_ptr<float>();
    float* sum = sums.data_ptr<float>();
    kernels::reference_table(at::kFloat).softmax({.logits = logits.data_ptr<float>(),
                                              .exponentials = exponentials.data_ptr<float>(),
                                              .inverse_temperature = 0.8F,
                                              .targets = targets.data_ptr<int32_t>(),
                                              .log_probs = found,
                                              .entropies = found + rows,
                                              .maxima = sum,
                                              .sums = sum + rows,
                                              .rows = rows,
                                              .vocab = vocab});
    for (int64_t i = 0; i < rows; ++i) {
      const double weight = weights.data_ptr<float>()[i];
      TokenLoss loss{};
      if (weight != 0) {
        loss = token_loss(objective, {.log_prob = found[i],
                                      .advantage = advantages.data_ptr<float>()[i],
                                      .old_log_prob = old.data_ptr<float>()[i],
                                      .reference_log_prob = reference.data_ptr<float>()[i],
                                      .sequence_log_ratio = ratios.data_ptr<float>()[i],
                                      .loss_share = shares.data_ptr<float>()[i]});
      }
      found[2 * rows + i] = static_cast<float>(weight * loss.loss);
      found[3 * rows + i] = loss.clipped ? 1.0F : 0.0F;
      sum[2 * rows + i] = static_cast<float>(weight * loss.derivative);
      sum[3 * rows + i] = static_cast<float>(-weight * objective.entropy_coefficient);
    }
    kernels::reference_table(dtype).entropy_gradient({.exponentials = exponentials.data_ptr<float>(),
                                                      .sums = sum + rows,
                                                      .targets = targets.data_ptr<int32_t>(),
                                                      .coefficients = sum + 2 * rows,
                                                      .entropies = found + rows,
                                                      .entropy_coefficients = sum + 3 * rows,
                                                      .inverse_temperature = 0.8F,
                                                      .dlogits = dlogits.data_ptr(),
                                                      .dlogits_stride = vocab,
                                                      .rows = rows,
                                                      .vocab = vocab});
  };
  result.track("log_probs", values.select(0, 0));
  result.track("entropies", values.select(0, 1));
  result.track("losses", values.select(0, 2));
  result.track("clipped", values.select(0, 3));
  if (dtype == at::kFloat) {
    result.track_in_place("dlogits", dlogits);
  } else {
    result.track("dlogits", dlogits);
  }
  return result;
}

}  // namespace

OperatorMakers token_operator_makers() {
  return {{"sample", sample}, {"keep_tokens", keep_tokens}, {"advance", advance}, {"log_probs", log_probs}, {"head_loss", head_loss}};
}

}  // namespace zero_rl::bench
