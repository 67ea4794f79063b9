#include "device/operators.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "device/flash_attention.h"

namespace zero_rl::operators {

namespace {

// The dispatcher's entry of an operator, for the signature of its C++ function.
template <class Function>
c10::TypedOperatorHandle<Function> handle(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").template typed<Function>();
}

}  // namespace

TORCH_LIBRARY(zero_rl, library) {
  library.def("embedding(Tensor table, Tensor tokens, Tensor(a!) out) -> ()");
  library.def("embedding_backward(Tensor dx, Tensor tokens, Tensor order, Tensor(a!) dtable) -> ()");
  library.def("rms_norm(Tensor x, Tensor weight, float eps, Tensor(a!) y, Tensor(b!)? rstd) -> ()");
  library.def(
      "rms_norm_backward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor(a!) dx, bool accumulate, "
      "Tensor(b!) dweight) -> ()");
  library.def(
      "rotate(Tensor(a!) qkv, Tensor positions, Tensor cosines, Tensor sines, bool rotated, int heads, int kv_heads, "
      "Tensor? q_norm, Tensor? k_norm, float eps, Tensor(b!)? raw_qk, Tensor(c!)? q_rstd, Tensor(d!)? k_rstd, "
      "Tensor? tables, Tensor? table_rows, Tensor(e!)? keys, Tensor(f!)? values) -> ()");
  library.def(
      "rotate_backward(Tensor(a!) dqkv, Tensor positions, Tensor cosines, Tensor sines, bool rotated, int heads, int kv_heads, "
      "Tensor? q_norm, Tensor? k_norm, Tensor? raw_qk, Tensor? q_rstd, Tensor? k_rstd, Tensor(b!)? dq_norm, "
      "Tensor(c!)? dk_norm) -> ()");
  library.def(
      "attention(Tensor qkv, Tensor segments, int heads, int kv_heads, Tensor? keys, Tensor? values, Tensor? tables, "
      "Tensor(a!) out, Tensor(b!) lse) -> ()");
  library.def(
      "attention_backward(Tensor dout, Tensor qkv, Tensor out, Tensor lse, Tensor segments, int heads, int kv_heads, "
      "Tensor(a!) dqkv) -> ()");
  library.def(
      "varlen_attention(Tensor query, Tensor key, Tensor value, Tensor query_offsets, Tensor key_offsets, "
      "int most_queries, int most_keys, bool causal, float scale, Tensor(a!) out, Tensor(b!) lse) -> ()");
  library.def(
      "varlen_attention_backward(Tensor dout, Tensor query, Tensor key, Tensor value, Tensor out, Tensor lse, "
      "Tensor query_offsets, Tensor key_offsets, int most_queries, int most_keys, bool causal, float scale, "
      "Tensor(a!) dquery, Tensor(b!) dkey, Tensor(c!) dvalue) -> ()");
  library.def("merge_attention(Tensor part, Tensor part_lse, Tensor rows, Tensor(a!) out, Tensor(b!) lse) -> ()");
  library.def(
      "gather_context(Tensor keys, Tensor values, Tensor tables, Tensor places, Tensor(a!) out_keys, "
      "Tensor(b!) out_values) -> ()");
  library.def(
      "decode_attention(Tensor qkv, Tensor keys, Tensor values, Tensor tables, Tensor positions, int heads, "
      "int kv_heads, Tensor(a!) partials, Tensor(b!) out) -> ()");
  library.def("swiglu(Tensor gate_up, Tensor(a!) act) -> ()");
  library.def("swiglu_backward(Tensor(a!) gate_up, Tensor(b!) dact) -> ()");
  library.def("column_sums(Tensor x, Tensor(a!) sums) -> ()");
  library.def(
      "sample(Tensor logits, Tensor settings, Tensor seeds, Tensor uids, Tensor samples, Tensor counts, "
      "Tensor(a!) tokens, Tensor(b!) log_probs, Tensor(c!) log_masses, Tensor(d!) entropies, Tensor(e!)? kept) -> ()");
  library.def("keep_tokens(Tensor(a!) logits, Tensor words) -> ()");
  library.def(
      "advance(Tensor tokens, Tensor log_probs, Tensor log_masses, Tensor entropies, Tensor stop_tokens, Tensor limits, "
      "Tensor(a!) positions, Tensor(b!) counts, Tensor(c!) out_tokens, Tensor(d!) out_log_probs, "
      "Tensor(e!) out_log_masses, Tensor(f!) out_entropies) -> ()");
  library.def(
      "log_probs(Tensor logits, Tensor targets, float inverse_temperature, Tensor(a!) log_probs, "
      "Tensor(b!)? entropies) -> ()");
  library.def(
      "head_loss(Tensor logits, Tensor targets, float inverse_temperature, Tensor objective, Tensor advantages, "
      "Tensor weights, Tensor? old_log_probs, Tensor? reference_log_probs, Tensor? sequence_log_ratios, "
      "Tensor? loss_shares, Tensor(a!) log_probs, Tensor(b!) entropies, Tensor(c!) losses, Tensor(d!) clipped, "
      "Tensor(e!) dlogits) -> ()");
  library.def("squared_norm(Tensor x, Tensor(a!) sum) -> ()");
  library.def(
      "adamw(Tensor(a!) weights, Tensor(b!)? remainders, Tensor gradient, Tensor(c!) exp_avg, Tensor(d!) exp_avg_sq, "
      "int noise, int first, float gradient_scale, float beta1, float beta2, float eps, float step_size, "
      "float inverse_sqrt_correction, float decay) -> ()");
  library.def(
      "follow(Tensor(a!) weights, Tensor(b!)? remainders, Tensor other_weights, Tensor? other_remainders, float rate) "
      "-> ()");
  library.def("join_masters(Tensor weights, Tensor? remainders, Tensor(a!) masters) -> ()");
  library.def("split_masters(Tensor masters, Tensor(a!) weights, Tensor(b!)? remainders) -> ()");
}

void embedding(const at::Tensor& table, const at::Tensor& tokens, const at::Tensor& out) {
  static const auto call = handle<decltype(embedding)>("zero_rl::embedding");
  call.call(table, tokens, out);
}

void embedding_backward(const at::Tensor& dx, const at::Tensor& tokens, const at::Tensor& order,
                        const at::Tensor& dtable) {
  static const auto call = handle<decltype(embedding_backward)>("zero_rl::embedding_backward");
  call.call(dx, tokens, order, dtable);
}

void rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
              const OptionalTensor& rstd) {
  static const auto call = handle<decltype(rms_norm)>("zero_rl::rms_norm");
  call.call(x, weight, eps, y, rstd);
}

void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                       const at::Tensor& dx, bool accumulate, const at::Tensor& dweight) {
  static const auto call = handle<decltype(rms_norm_backward)>("zero_rl::rms_norm_backward");
  call.call(dy, x, weight, rstd, dx, accumulate, dweight);
}

void rotate(const at::Tensor& qkv, const at::Tensor& positions, const at::Tensor& cosines, const at::Tensor& sines,
            bool rotated, int64_t heads, int64_t kv_heads, const OptionalTensor& q_norm, const OptionalTensor& k_norm,
            double eps, const OptionalTensor& raw_qk, const OptionalTensor& q_rstd, const OptionalTensor& k_rstd,
            const OptionalTensor& tables, const OptionalTensor& table_rows, const OptionalTensor& keys,
            const OptionalTensor& values) {
  static const auto call = handle<decltype(rotate)>("zero_rl::rotate");
  call.call(qkv, positions, cosines, sines, rotated, heads, kv_heads, q_norm, k_norm, eps, raw_qk, q_rstd, k_rstd,
            tables, table_rows, keys, values);
}

void rotate_backward(const at::Tensor& dqkv, const at::Tensor& positions, const at::Tensor& cosines,
                     const at::Tensor& sines, bool rotated, int64_t heads, int64_t kv_heads,
                     const OptionalTensor& q_norm, const OptionalTensor& k_norm, const OptionalTensor& raw_qk,
                     const OptionalTensor& q_rstd, const OptionalTensor& k_rstd, const OptionalTensor& dq_norm,
                     const OptionalTensor& dk_norm) {
  static const auto call = handle<decltype(rotate_backward)>("zero_rl::rotate_backward");
  call.call(dqkv, positions, cosines, sines, rotated, heads, kv_heads, q_norm, k_norm, raw_qk, q_rstd, k_rstd, dq_norm,
            dk_norm);
}

void attention(const at::Tensor& qkv, const Segments& segments, int64_t heads, int64_t kv_heads,
               const OptionalTensor& keys, const OptionalTensor& values, const OptionalTensor& tables,
               const at::Tensor& out, const at::Tensor& lse) {
  if (takes_flash_attention(qkv, segments, heads, kv_heads)) {
    flash_attention(qkv, segments, heads, kv_heads, keys, values, tables, out, lse);
    return;
  }
  static const auto call =
      handle<void(const at::Tensor&, const at::Tensor&, int64_t, int64_t, const OptionalTensor&, const OptionalTensor&,
                  const OptionalTensor&, const at::Tensor&, const at::Tensor&)>("zero_rl::attention");
  call.call(qkv, segments.table, heads, kv_heads, keys, values, tables, out, lse);
}

void attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out, const at::Tensor& lse,
                        const Segments& segments, int64_t heads, int64_t kv_heads, const at::Tensor& dqkv) {
  if (takes_flash_attention(qkv, segments, heads, kv_heads)) {
    flash_attention_backward(dout, qkv, out, lse, segments, heads, kv_heads, dqkv);
    return;
  }
  static const auto call =
      handle<void(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t,
                  int64_t, const at::Tensor&)>("zero_rl::attention_backward");
  call.call(dout, qkv, out, lse, segments.table, heads, kv_heads, dqkv);
}

void varlen_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                      const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                      int64_t most_keys, bool causal, double scale, const at::Tensor& out, const at::Tensor& lse) {
  static const auto call = handle<decltype(varlen_attention)>("zero_rl::varlen_attention");
  call.call(query, key, value, query_offsets, key_offsets, most_queries, most_keys, causal, scale, out, lse);
}

void varlen_attention_backward(const at::Tensor& dout, const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const at::Tensor& out, const at::Tensor& lse,
                               const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                               int64_t most_keys, bool causal, double scale, const at::Tensor& dquery,
                               const at::Tensor& dkey, const at::Tensor& dvalue) {
  static const auto call = handle<decltype(varlen_attention_backward)>("zero_rl::varlen_attention_backward");
  call.call(dout, query, key, value, out, lse, query_offsets, key_offsets, most_queries, most_keys, causal, scale, dquery,
            dkey, dvalue);
}

void merge_attention(const at::Tensor& part, const at::Tensor& part_lse, const at::Tensor& rows, const at::Tensor& out,
                     const at::Tensor& lse) {
  static const auto call = handle<decltype(merge_attention)>("zero_rl::merge_attention");
  call.call(part, part_lse, rows, out, lse);
}

void gather_context(const at::Tensor& keys, const at::Tensor& values, const at::Tensor& tables, const at::Tensor& places,
                    const at::Tensor& out_keys, const at::Tensor& out_values) {
  static const auto call = handle<decltype(gather_context)>("zero_rl::gather_context");
  call.call(keys, values, tables, places, out_keys, out_values);
}

void decode_attention(const at::Tensor& qkv, const at::Tensor& keys, const at::Tensor& values, const at::Tensor& tables,
                      const at::Tensor& positions, int64_t heads, int64_t kv_heads, const at::Tensor& partials,
                      const at::Tensor& out) {
  static const auto call = handle<decltype(decode_attention)>("zero_rl::decode_attention");
  call.call(qkv, keys, values, tables, positions, heads, kv_heads, partials, out);
}

void swiglu(const at::Tensor& gate_up, const at::Tensor& act) {
  static const auto call = handle<decltype(swiglu)>("zero_rl::swiglu");
  call.call(gate_up, act);
}

void swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dact) {
  static const auto call = handle<decltype(swiglu_backward)>("zero_rl::swiglu_backward");
  call.call(gate_up, dact);
}

void column_sums(const at::Tensor& x, const at::Tensor& sums) {
  static const auto call = handle<decltype(column_sums)>("zero_rl::column_sums");
  call.call(x, sums);
}

void sample(const at::Tensor& logits, const at::Tensor& settings, const at::Tensor& seeds, const at::Tensor& uids,
            const at::Tensor& samples, const at::Tensor& counts, const at::Tensor& tokens, const at::Tensor& log_probs,
            const at::Tensor& log_masses, const at::Tensor& entropies, const OptionalTensor& kept) {
  static const auto call = handle<decltype(sample)>("zero_rl::sample");
  call.call(logits, settings, seeds, uids, samples, counts, tokens, log_probs, log_masses, entropies, kept);
}

void keep_tokens(const at::Tensor& logits, const at::Tensor& words) {
  static const auto call = handle<decltype(keep_tokens)>("zero_rl::keep_tokens");
  call.call(logits, words);
}

void advance(const at::Tensor& tokens, const at::Tensor& log_probs, const at::Tensor& log_masses,
                  const at::Tensor& entropies, const at::Tensor& stop_tokens, const at::Tensor& limits,
                  const at::Tensor& positions, const at::Tensor& counts, const at::Tensor& out_tokens,
                  const at::Tensor& out_log_probs, const at::Tensor& out_log_masses, const at::Tensor& out_entropies) {
  static const auto call = handle<decltype(advance)>("zero_rl::advance");
  call.call(tokens, log_probs, log_masses, entropies, stop_tokens, limits, positions, counts, out_tokens, out_log_probs,
            out_log_masses, out_entropies);
}

void log_probs(const at::Tensor& logits, const at::Tensor& targets, double inverse_temperature,
               const at::Tensor& log_probs, const OptionalTensor& entropies) {
  static const auto call = handle<decltype(operators::log_probs)>("zero_rl::log_probs");
  call.call(logits, targets, inverse_temperature, log_probs, entropies);
}

void head_loss(const at::Tensor& logits, const at::Tensor& targets, double inverse_temperature,
               const at::Tensor& objective, const at::Tensor& advantages, const at::Tensor& weights,
               const OptionalTensor& old_log_probs, const OptionalTensor& reference_log_probs,
               const OptionalTensor& sequence_log_ratios, const OptionalTensor& loss_shares,
               const at::Tensor& log_probs, const at::Tensor& entropies, const at::Tensor& losses,
               const at::Tensor& clipped, const at::Tensor& dlogits) {
  static const auto call = handle<decltype(head_loss)>("zero_rl::head_loss");
  call.call(logits, targets, inverse_temperature, objective, advantages, weights, old_log_probs, reference_log_probs,
            sequence_log_ratios, loss_shares, log_probs, entropies, losses, clipped, dlogits);
}

void squared_norm(const at::Tensor& x, const at::Tensor& sum) {
  static const auto call = handle<decltype(squared_norm)>("zero_rl::squared_norm");
  call.call(x, sum);
}

void adamw(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& gradient,
           const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq, int64_t noise, int64_t first,
           double gradient_scale, double beta1, double beta2, double eps, double step_size,
           double inverse_sqrt_correction, double decay) {
  static const auto call = handle<decltype(adamw)>("zero_rl::adamw");
  call.call(weights, remainders, gradient, exp_avg, exp_avg_sq, noise, first, gradient_scale, beta1, beta2, eps,
            step_size, inverse_sqrt_correction, decay);
}

void follow(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& other_weights,
            const OptionalTensor& other_remainders, double rate) {
  static const auto call = handle<decltype(follow)>("zero_rl::follow");
  call.call(weights, remainders, other_weights, other_remainders, rate);
}

void join_masters(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& masters) {
  static const auto call = handle<decltype(join_masters)>("zero_rl::join_masters");
  call.call(weights, remainders, masters);
}

void split_masters(const at::Tensor& masters, const at::Tensor& weights, const OptionalTensor& remainders) {
  static const auto call = handle<decltype(split_masters)>("zero_rl::split_masters");
  call.call(masters, weights, remainders);
}

}  // namespace zero_rl::operators
