// What the operators of devices are made of besides ATen's matrix products: declared here once, defined as operators
// of the namespace `zero_rl` in operators.cc, implemented for CPU tensors in operators_cpu.cc and for CUDA tensors in
// libzero_rl_cuda.so, which registers its kernels when it is loaded. Both run the same host-device bodies.
//
// Every operator writes into tensors that it is given and returns none, so that a step can be captured in a CUDA graph. The
// sums over many rows (embedding_backward excepted) take scratch memory from ATen's allocator, which a capture may too.
// Unless said otherwise tensors are contiguous and on one device; "rows" may have any stride between rows. Letters: T
// tokens, R rows, B sequences, H hidden, D head_dim, Hq and Hk query and key/value heads, I intermediate, V vocabulary, M
// pages of a sequence. `dtype` is the compute dtype, float32 or bfloat16; arithmetic is float32. Token ids, positions, pages
// and lengths are int32. What a row becomes does not depend on the other rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "device/segments.h"

namespace zero_rl::operators {

using OptionalTensor = std::optional<at::Tensor>;

// out[t] = table[tokens[t]]; table [V, H], tokens [T], out [T, H].
void embedding(const at::Tensor& table, const at::Tensor& tokens, const at::Tensor& out);

// dtable[tokens[t]] += dx[t], in the order of t. `order` [T] int64 sorts the tokens, equal ones in the order of t.
// dtable [V, H] is float32 or dtype; one of dtype gains the float32 sum of each token.
void embedding_backward(const at::Tensor& dx, const at::Tensor& tokens, const at::Tensor& order, const at::Tensor& dtable);

// y = weight · x · rstd, rstd = 1 / sqrt(mean(x²) + eps), over rows x [T, H]; y [T, H], weight [H], rstd [T] float32. x and
// y are rows.
void rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y, const OptionalTensor& rstd);

// dx (+)= gradient of rms_norm at x, dweight [H] float32 += its gradient. dy, x, dx: rows [T, H].
void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                       const at::Tensor& dx, bool accumulate, const at::Tensor& dweight);

// Caches hold keys and values in pages of kPageTokens tokens at absolute positions: keys, values [P, Hk, kPageTokens, D] of one
// layer. A row of tables [rows, M] int32, rows of any stride, names the pages of a sequence: entry m that of tokens
// [32m, 32m + 32). Entries behind a sequence's length are not read.
constexpr int64_t kPageTokens = 32;

// In place on qkv [T, (Hq + 2Hk)·D]: where q_norm [D] and k_norm [D] are given, the RMS norm of each query and key head,
// then, where `rotated`, their rotation by cosines and sines [positions, D / 2] float32 at positions [T]. raw_qk
// [T, (Hq + Hk)·D] keeps what they were, q_rstd [T, Hq] and k_rstd [T, Hk] float32 the norms, where given. Where keys and
// values are given, token t's key and value go to the page of position positions[t] in row table_rows[t] of tables, or in row
// t without table_rows. A token at a negative position is left alone.
void rotate(const at::Tensor& qkv, const at::Tensor& positions, const at::Tensor& cosines, const at::Tensor& sines,
            bool rotated, int64_t heads, int64_t kv_heads, const OptionalTensor& q_norm, const OptionalTensor& k_norm,
            double eps, const OptionalTensor& raw_qk, const OptionalTensor& q_rstd, const OptionalTensor& k_rstd,
            const OptionalTensor& tables, const OptionalTensor& table_rows, const OptionalTensor& keys,
            const OptionalTensor& values);

// The gradient of rotate in place on dqkv; dq_norm and dk_norm [D] float32 gain those of the weights.
void rotate_backward(const at::Tensor& dqkv, const at::Tensor& positions, const at::Tensor& cosines,
                     const at::Tensor& sines, bool rotated, int64_t heads, int64_t kv_heads,
                     const OptionalTensor& q_norm, const OptionalTensor& k_norm, const OptionalTensor& raw_qk,
                     const OptionalTensor& q_rstd, const OptionalTensor& k_rstd, const OptionalTensor& dq_norm,
                     const OptionalTensor& dk_norm);

// Attention of packed segments: a token sees the context of its segment in the cache, then its prefix, then causally its own
// segment. qkv [T, (Hq + 2Hk)·D] rotated, out [T, Hq·D], lse [Hq, T] float32, the log-sum-exp of the scores. A row of tables
// [S, M] for each segment, with keys and values, where segments have contexts.
void attention(const at::Tensor& qkv, const Segments& segments, int64_t heads, int64_t kv_heads,
               const OptionalTensor& keys, const OptionalTensor& values, const OptionalTensor& tables,
               const at::Tensor& out, const at::Tensor& lse);
// Without contexts. Keys and values of a prefix gain from all its segments, in their order.
void attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out, const at::Tensor& lse,
                        const Segments& segments, int64_t heads, int64_t kv_heads, const at::Tensor& dqkv);

// What attention is composed of where flash attention does it. Sequence i has queries query_offsets[i] to query_offsets[i + 1]
// of query [Q, Hq, D] and keys likewise of key, value [K, Hk, D], rows of any stride; none is empty. Where `causal`, the last
// query sees all keys and each before it one fewer. out [Q, Hq, D], lse [Hq, Q] float32; scale of the scores. On CUDA
// bfloat16 with D a multiple of 8.
void varlen_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                      const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                      int64_t most_keys, bool causal, double scale, const at::Tensor& out, const at::Tensor& lse);
// out and lse may be those of attention to more keys than these.
void varlen_attention_backward(const at::Tensor& dout, const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const at::Tensor& out, const at::Tensor& lse,
                               const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t most_queries,
                               int64_t most_keys, bool causal, double scale, const at::Tensor& dquery,
                               const at::Tensor& dkey, const at::Tensor& dvalue);
// out [T, Hq, D] and lse [Hq, T] of tokens rows [Q], each once, become those of attention to the keys of part [Q, Hq, D] and
// part_lse [Hq, Q] too.
void merge_attention(const at::Tensor& part, const at::Tensor& part_lse, const at::Tensor& rows, const at::Tensor& out,
                     const at::Tensor& lse);
// Rows [K, Hk, D] of the cached tokens at places [K, 2]: row of tables, position.
void gather_context(const at::Tensor& keys, const at::Tensor& values, const at::Tensor& tables, const at::Tensor& places,
                    const at::Tensor& out_keys, const at::Tensor& out_values);

// Keys of one split of decode_attention, and the number of splits that M pages take.
constexpr int64_t kDecodeSplit = 256;
constexpr int64_t decode_splits(int64_t pages) { return (pages * kPageTokens + kDecodeSplit - 1) / kDecodeSplit; }

// Attention of one new token of each of B sequences over positions 0 to positions[b], its own, whose key is in the cache
// already; at a negative position there is no token, and its out becomes 0. qkv [B, (Hq + 2Hk)·D] rotated, out [B, Hq·D].
// tables [B, M] cover every position; blocks run for all M pages, so the caller narrows tables to what the longest row needs.
// partials: float32 [B, Hq, decode_splits(M), D + 2]. Keys are split at multiples of kDecodeSplit and merged in order, so
// that a row's out depends neither on M nor on which pages it has.
void decode_attention(const at::Tensor& qkv, const at::Tensor& keys, const at::Tensor& values, const at::Tensor& tables,
                      const at::Tensor& positions, int64_t heads, int64_t kv_heads, const at::Tensor& partials,
                      const at::Tensor& out);

// act = silu(gate) · up; gate_up [T, 2I] gates first, act [T, I].
void swiglu(const at::Tensor& gate_up, const at::Tensor& act);
// gate_up becomes its gradient, dact becomes act.
void swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dact);

// sums[j] += Σ_t x[t, j]; x: rows [T, N], sums [N] float32.
void column_sums(const at::Tensor& x, const at::Tensor& sums);

// One token per row of logits [B, V] float32, as native/generate/draw_token.h draws it. settings [B, 5] float64: temperature (0:
// the most likely token), top-k (0: off), top-p, min-p, 1 where kept tokens are recorded; seeds, uids [B] int64; samples,
// counts [B], the tokens of the sequence before this one: all on the device, so that a captured graph serves every batch.
// tokens [B]; float32 [B]: log_probs; log_masses, the log of the probability of the tokens that a truncation keeps;
// entropies in nats of the distribution at the temperature (0: at 1) without truncation. kept [B, K, ⌈V / 32⌉] int32 gets a
// bit for each token kept at place counts[b] % K of its row.
void sample(const at::Tensor& logits, const at::Tensor& settings, const at::Tensor& seeds, const at::Tensor& uids,
            const at::Tensor& samples, const at::Tensor& counts, const at::Tensor& tokens, const at::Tensor& log_probs,
            const at::Tensor& log_masses, const at::Tensor& entropies, const OptionalTensor& kept);

// Words of bits for a vocabulary.
constexpr int64_t kept_words(int64_t vocab) { return (vocab + 31) / 32; }

// Logits [R, V] float32 of tokens whose bit in words [R, kept_words(V)] int32 is 0 become so low that they have no probability.
void keep_tokens(const at::Tensor& logits, const at::Tensor& words);

// What follows a draw. For each row with positions[b] >= 0: the token, its log-prob, the mass it was drawn from and the entropy
// go to out_tokens, out_log_probs, out_log_masses and out_entropies [B, C] at place counts[b] % C, and counts[b] grows by
// one; a row whose token is among its stop_tokens [B, K] (−1: none), whose log-prob is not finite, or whose count reaches
// limits[b], is over: positions[b] = −1 − positions[b]; the others' positions, those of the token to be read next, grow by one.
// Before its first token a row's position is that of its prompt's last token. All but the floats int32.
void advance(const at::Tensor& tokens, const at::Tensor& log_probs, const at::Tensor& log_masses,
             const at::Tensor& entropies, const at::Tensor& stop_tokens, const at::Tensor& limits,
             const at::Tensor& positions, const at::Tensor& counts, const at::Tensor& out_tokens,
             const at::Tensor& out_log_probs, const at::Tensor& out_log_masses, const at::Tensor& out_entropies);

// Log-probs of targets [R] under softmax(logits · inverse_temperature), and entropies in nats; logits [R, V] float32.
void log_probs(const at::Tensor& logits, const at::Tensor& targets, double inverse_temperature,
               const at::Tensor& log_probs, const OptionalTensor& entropies);

constexpr int64_t kObjectiveValues = 9;
// The numbers of an Objective (native/learn/objective.h) in the order of its members, kObjectiveValues of float64 on the CPU.
// Per row, all [R] float32: advantages, weights (0: not trained), old and reference log-probs, sequence log-ratios and loss
// shares where the objective reads them. Fills log_probs, entropies, losses (weight · loss, without the entropy bonus) and
// clipped (0 or 1), and dlogits [R, V] of dtype, which may be the memory of logits when both are float32.
void head_loss(const at::Tensor& logits, const at::Tensor& targets, double inverse_temperature,
               const at::Tensor& objective, const at::Tensor& advantages, const at::Tensor& weights,
               const OptionalTensor& old_log_probs, const OptionalTensor& reference_log_probs,
               const OptionalTensor& sequence_log_ratios, const OptionalTensor& loss_shares,
               const at::Tensor& log_probs, const at::Tensor& entropies, const at::Tensor& losses,
               const at::Tensor& clipped, const at::Tensor& dlogits);

// sum [1] float64 = Σ x²; x [N] float32 or bfloat16; in one order whatever N is split into.
void squared_norm(const at::Tensor& x, const at::Tensor& sum);

// AdamW as native/kernels/kernels.h describes it, over elements [first, first + N) of the flat buffers: all tensors are [N],
// and `first` is what the noise of stochastic rounding is keyed by.
void adamw(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& gradient,
           const at::Tensor& exp_avg, const at::Tensor& exp_avg_sq, int64_t noise, int64_t first, double gradient_scale,
           double beta1, double beta2, double eps, double step_size, double inverse_sqrt_correction, double decay);

// masters += rate · (other masters − masters); all [N] of dtype, remainders int16.
void follow(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& other_weights,
            const OptionalTensor& other_remainders, double rate);
// masters [N] float32 of weights and remainders (native/kernels/rounding.h), and back.
void join_masters(const at::Tensor& weights, const OptionalTensor& remainders, const at::Tensor& masters);
void split_masters(const at::Tensor& masters, const at::Tensor& weights, const OptionalTensor& remainders);

}  // namespace zero_rl::operators
