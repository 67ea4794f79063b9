// Sampling and the head, whatever runs their kernels (device/row_operators.h says what Launch is).
#pragma once

#include "device/row_operators.h"
#include "kernels/head.cuh"
#include "kernels/sampler.cuh"

namespace zero_rl::operators {

template <class Launch>
struct TokenOperators {
  static void sample(const at::Tensor& logits, const at::Tensor& settings, const at::Tensor& seeds,
                     const at::Tensor& uids, const at::Tensor& samples, const at::Tensor& counts,
                     const at::Tensor& tokens, const at::Tensor& log_probs, const at::Tensor& log_masses,
                     const at::Tensor& entropies, const OptionalTensor& kept) {
    const auto [rows, vocab] = check_logits(logits);
    check(settings, "settings", at::kDouble, {rows, device::kDrawSettings}, logits);
    check(seeds, "seeds", at::kLong, {rows}, logits);
    check(uids, "uids", at::kLong, {rows}, logits);
    check(samples, "samples", at::kInt, {rows}, logits);
    check(counts, "counts", at::kInt, {rows}, logits);
    check(tokens, "tokens", at::kInt, {rows}, logits);
    check(log_probs, "log_probs", at::kFloat, {rows}, logits);
    check(log_masses, "log_masses", at::kFloat, {rows}, logits);
    check(entropies, "entropies", at::kFloat, {rows}, logits);
    const int64_t words = kept_words(vocab);
    const int64_t ring = kept.has_value() && kept->dim() == 3 ? kept->size(1) : 1;
    if (kept.has_value()) check(*kept, "kept", at::kInt, {rows, ring, words}, logits);
    constexpr int64_t most_tokens = int64_t{1} << 21;  // their segments fit the shared memory of every device
    TORCH_CHECK(vocab <= most_tokens, "Expected at most ", most_tokens, " tokens but received ", vocab);
    with_pack<float>(vocab, {&logits}, [&, vocab = vocab, rows = rows](auto pack) {
      const device::SampleBody<decltype(pack)::value> body{
          data<float>(logits),      data<double>(settings),  data<int64_t>(seeds),  data<int64_t>(uids),
          data<int32_t>(samples),   data<int32_t>(counts),   data<int32_t>(tokens), data<float>(log_probs),
          data<float>(log_masses),  data<float>(entropies),  data<uint32_t>(kept),  ring,
          words,                    vocab};
      Launch::blocks(logits, rows, body.kMaxThreads, device::sampler_shared_bytes(vocab), body);
    });
  }

  static void keep_tokens(const at::Tensor& logits, const at::Tensor& words) {
    const auto [rows, vocab] = check_logits(logits);
    const int64_t count = kept_words(vocab);
    check(words, "words", at::kInt, {rows, count}, logits);
    Launch::elements(logits, rows * count,
                     device::KeepTokensBody{data<uint32_t>(words), data<float>(logits), count, vocab});
  }

  static void advance(const at::Tensor& tokens, const at::Tensor& log_probs, const at::Tensor& log_masses,
                      const at::Tensor& entropies, const at::Tensor& stop_tokens, const at::Tensor& limits,
                      const at::Tensor& positions, const at::Tensor& counts, const at::Tensor& out_tokens,
                      const at::Tensor& out_log_probs, const at::Tensor& out_log_masses,
                      const at::Tensor& out_entropies) {
    const int64_t rows = tokens.numel();
    TORCH_CHECK(out_tokens.dim() == 2, "Expected two dimensions for out_tokens but received ", out_tokens.sizes());
    TORCH_CHECK(stop_tokens.dim() == 2, "Expected two dimensions for stop_tokens but received ", stop_tokens.sizes());
    const int64_t capacity = out_tokens.size(1);
    check(tokens, "tokens", at::kInt, {rows}, tokens);
    check(log_probs, "log_probs", at::kFloat, {rows}, tokens);
    check(log_masses, "log_masses", at::kFloat, {rows}, tokens);
    check(entropies, "entropies", at::kFloat, {rows}, tokens);
    check(stop_tokens, "stop_tokens", at::kInt, {rows, stop_tokens.size(1)}, tokens);
    check(limits, "limits", at::kInt, {rows}, tokens);
    check(positions, "positions", at::kInt, {rows}, tokens);
    check(counts, "counts", at::kInt, {rows}, tokens);
    check(out_tokens, "out_tokens", at::kInt, {rows, capacity}, tokens);
    check(out_log_probs, "out_log_probs", at::kFloat, {rows, capacity}, tokens);
    check(out_log_masses, "out_log_masses", at::kFloat, {rows, capacity}, tokens);
    check(out_entropies, "out_entropies", at::kFloat, {rows, capacity}, tokens);
    Launch::elements(tokens, rows,
                     device::AdvanceBody{data<int32_t>(tokens), data<float>(log_probs), data<float>(log_masses),
                                         data<float>(entropies), data<int32_t>(stop_tokens), data<int32_t>(limits),
                                         data<int32_t>(positions), data<int32_t>(counts), data<int32_t>(out_tokens),
                                         data<float>(out_log_probs), data<float>(out_log_masses),
                                         data<float>(out_entropies), stop_tokens.size(1), capacity});
  }

  static void log_probs(const at::Tensor& logits, const at::Tensor& targets, double inverse_temperature,
                        const at::Tensor& log_probs, const OptionalTensor& entropies) {
    const auto [rows, vocab] = check_logits(logits);
    check(targets, "targets", at::kInt, {rows}, logits);
    check(log_probs, "log_probs", at::kFloat, {rows}, logits);
    if (entropies.has_value()) check(*entropies, "entropies", at::kFloat, {rows}, logits);
    with_pack<float>(vocab, {&logits}, [&, vocab = vocab, rows = rows](auto pack) {
      const device::LogProbsBody<decltype(pack)::value> body{
          data<float>(logits), data<int32_t>(targets), data<float>(log_probs), data<float>(entropies), vocab,
          static_cast<float>(inverse_temperature)};
      Launch::blocks(logits, rows, body.kMaxThreads, 0, body);
    });
  }

  static void head_loss(const at::Tensor& logits, const at::Tensor& targets, double inverse_temperature,
                        const at::Tensor& objective, const at::Tensor& advantages, const at::Tensor& weights,
                        const OptionalTensor& old_log_probs, const OptionalTensor& reference_log_probs,
                        const OptionalTensor& sequence_log_ratios, const OptionalTensor& loss_shares,
                        const at::Tensor& log_probs, const at::Tensor& entropies, const at::Tensor& losses,
                        const at::Tensor& clipped, const at::Tensor& dlogits) {
    const auto [rows, vocab] = check_logits(logits);
    const auto check_row_values = [&, rows = rows](const at::Tensor& operand, const char* name) {
      check(operand, name, at::kFloat, {rows}, logits);
    };
    check(targets, "targets", at::kInt, {rows}, logits);
    check_row_values(advantages, "advantages");
    check_row_values(weights, "weights");
    if (old_log_probs.has_value()) check_row_values(*old_log_probs, "old_log_probs");
    if (reference_log_probs.has_value()) check_row_values(*reference_log_probs, "reference_log_probs");
    if (sequence_log_ratios.has_value()) check_row_values(*sequence_log_ratios, "sequence_log_ratios");
    if (loss_shares.has_value()) check_row_values(*loss_shares, "loss_shares");
    check_row_values(log_probs, "log_probs");
    check_row_values(entropies, "entropies");
    check_row_values(losses, "losses");
    check_row_values(clipped, "clipped");
    check_compute_dtype(dlogits, "dlogits");
    check(dlogits, "dlogits", dlogits.scalar_type(), {rows, vocab}, logits);
    TORCH_CHECK(dlogits.scalar_type() == at::kFloat || dlogits.data_ptr() != logits.data_ptr() || rows == 0,
                "Expected dlogits of bfloat16 to have memory of their own");
    const device::LossInputs inputs{data<float>(advantages),         data<float>(weights),
                                    data<float>(old_log_probs),      data<float>(reference_log_probs),
                                    data<float>(sequence_log_ratios), data<float>(loss_shares)};
    const device::LossResults results{data<float>(log_probs), data<float>(entropies), data<float>(losses),
                                      data<float>(clipped)};
    with_dtype(dlogits, [&, vocab = vocab, rows = rows](auto type) {
      using T = typename decltype(type)::type;
      // Four at once, whatever the dtype: logits are float32.
      const auto run = [&](auto pack) {
        const device::HeadLossBody<T, decltype(pack)::value> body{data<float>(logits),
                                                                  data<int32_t>(targets),
                                                                  inputs,
                                                                  results,
                                                                  objective_of(objective),
                                                                  data<T>(dlogits),
                                                                  vocab,
                                                                  static_cast<float>(inverse_temperature)};
        Launch::blocks(logits, rows, body.kMaxThreads, 0, body);
      };
      with_pack<float>(vocab, {&logits, &dlogits}, run);
    });
  }

  static void implement(torch::Library& library) {
    library.impl("sample", &sample);
    library.impl("keep_tokens", &keep_tokens);
    library.impl("advance", &advance);
    library.impl("log_probs", &log_probs);
    library.impl("head_loss", &head_loss);
  }

 private:
  static std::pair<int64_t, int64_t> check_logits(const at::Tensor& logits) {
    TORCH_CHECK(logits.dim() == 2 && logits.size(1) > 0, "Expected rows of logits but received ", logits.sizes());
    check(logits, "logits", at::kFloat, logits.sizes(), logits);
    return {logits.size(0), logits.size(1)};
  }

  // From the values on the CPU, in the order of the members.
  static Objective objective_of(const at::Tensor& values) {
    TORCH_CHECK(values.is_cpu(), "Expected objective on the CPU but received it on ", values.device());
    check(values, "objective", at::kDouble, {kObjectiveValues}, values);
    const double* v = data<double>(values);
    Objective objective;
    static_assert(kObjectiveValues == 9);
    objective.kind = static_cast<ObjectiveKind>(static_cast<int>(v[0]));
    objective.clip_low = static_cast<float>(v[1]);
    objective.clip_high = static_cast<float>(v[2]);
    objective.dual_clip = static_cast<float>(v[3]);
    objective.product_ratio = v[4] != 0;
    objective.kl_coefficient = static_cast<float>(v[5]);
    objective.kl_estimator = static_cast<KlEstimator>(static_cast<int>(v[6]));
    objective.kl_corrected = v[7] != 0;
    objective.entropy_coefficient = static_cast<float>(v[8]);
    return objective;
  }
};

}  // namespace zero_rl::operators
