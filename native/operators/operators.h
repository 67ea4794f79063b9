// What the decoder, its training and its sampling compute with. There are two sets: operators/cpu, kernels over raw pointers for
// five instruction sets, and operators/device, ATen's products and the operators of device/operators.h, which run on CUDA
// devices and, for tests, on the CPU. Everything above this interface is written once.
//
// Letters: T tokens, R rows, B sequences, H hidden, D head_dim, Hq and Hk query and key/value heads, I intermediate, V
// vocabulary, M pages of a sequence. Tensors lie where the set computes and are contiguous unless said otherwise; `dtype` is the
// compute dtype, float32 or bfloat16; arithmetic is float32. Token ids, positions and page ids are int32. What a row becomes
// does not depend on the other rows. Results go into tensors that are given.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "learn/objective.h"
#include "model/parameter_store.h"

namespace zero_rl {

class KeptSets;
struct Model;
struct PackedBatch;

// Tokens of a page.
constexpr int64_t kPageTokens = 32;

// Keys and values of `pages` pages in all layers, in the layout of the set that made it.
struct Cache {
  int64_t pages = 0;
  at::Tensor keys;    // CPU: keys and values as kernels::PagedCache has them; device: [layers, pages, Hk, kPageTokens, D]
  at::Tensor values;  // device only
};

// The tokens that a decode step runs, and where their sequences lie.
struct DecodeRows {
  at::Tensor tokens;     // [B]
  at::Tensor positions;  // [B]: absolute; negative: the row is empty
  at::Tensor tables;     // [B, M], with any stride between rows: pages of tokens [32m, 32m + 32)
};

// Queries and keys on their way to attention.
struct Rotation {
  const at::Tensor& qkv;        // [T, (Hq + 2Hk)·D], in place
  const at::Tensor& positions;  // [T]
  bool rotary;
  at::Tensor q_norm;  // [D]: the norm of each head before the rotation; undefined: none
  at::Tensor k_norm;
  at::Tensor raw_qk;  // [T, (Hq + Hk)·D]: what they were before the norm; undefined: not kept
  at::Tensor q_rstd;  // [T, Hq]
  at::Tensor k_rstd;  // [T, Hk]
};

// What the loss reads of each row, float32 [R]; undefined where the objective does not.
struct LossInputs {
  at::Tensor advantages;
  at::Tensor weights;
  at::Tensor old_log_probs;
  at::Tensor reference_log_probs;
  at::Tensor sequence_log_ratios;
  at::Tensor loss_shares;
};

// One value per row, float32 [R].
struct LossResults {
  at::Tensor log_probs;  // a critic's values
  at::Tensor entropies;
  at::Tensor losses;   // weight · loss, without the entropy bonus
  at::Tensor clipped;  // 0 or 1
};

// Draws, one per row; what device/operators.h says of sample and advance. Columns of these are the rows of a batch.
struct DrawState {
  at::Tensor settings;    // [B, 5] float64: temperature, top-k, top-p, min-p, 1 where kept tokens are recorded
  at::Tensor seeds;       // [B] int64
  at::Tensor uids;        // [B] int64
  at::Tensor samples;     // [B]
  at::Tensor counts;      // [B]: new tokens so far
  at::Tensor tokens;      // [B]: the tokens drawn
  at::Tensor log_probs;   // [B] float32, like the next two
  at::Tensor log_masses;
  at::Tensor entropies;
  at::Tensor kept;        // [B, K, ⌈V / 32⌉] bits of kept tokens at counts % K; undefined: not recorded
  at::Tensor stop_tokens;  // [B, S], −1: none
  at::Tensor limits;      // [B]: most new tokens
  at::Tensor positions;   // [B]
  at::Tensor out_tokens;  // [B, N]: draws at counts % N
  at::Tensor out_log_probs;
  at::Tensor out_log_masses;
  at::Tensor out_entropies;
};

// One update of AdamW over elements [first, first + N) of the flat buffers; tensors are [N].
struct AdamWUpdate {
  at::Tensor weights;
  at::Tensor remainders;  // undefined: none
  at::Tensor gradient;    // float32
  at::Tensor exp_avg;
  at::Tensor exp_avg_sq;
  int64_t noise;  // key of the stochastic rounding
  int64_t first;
  double gradient_scale;
  double beta1;
  double beta2;
  double eps;
  double step_size;
  double inverse_sqrt_correction;
  double decay;
};

// Limits within which work runs well.
struct Limits {
  int64_t batch;            // sequences decoded together unless told otherwise
  int64_t steps_per_poll;   // decode steps between two looks at what was drawn
  int64_t pass_tokens;      // most of a packed pass
  int64_t prefill_tokens;   // of a prefill pass between decode steps
  int64_t step_tokens;      // of a micro-batch: more run no faster
  int64_t few_step_tokens;  // with fewer, computing gates and ups again for more of them is cheaper
  int64_t chunk_rows;       // that go through the head together
  int64_t pass_bytes;       // of activations and of the head, where none are asked for
};

// A recorded sequence of operators.
class Graph {
 public:
  virtual ~Graph() = default;
  virtual void replay() = 0;
};

class Operators {
 public:
  virtual ~Operators() = default;

  // ---- Where and with what memory

  // While it lives the device and the engine's stream are current on the thread that made it.
  class Scope {
   public:
    virtual ~Scope() = default;
  };
  virtual std::unique_ptr<Scope> enter() { return nullptr; }
  virtual at::Device device() const = 0;
  virtual Limits limits() const = 0;
  // Bytes that can still be taken, those that an allocator holds unused included.
  virtual int64_t available_bytes() = 0;
  // Gives unused memory back.
  virtual void release_unused() = 0;

  // An uninitialised tensor for the time of the innermost frame.
  virtual at::Tensor take(at::IntArrayRef sizes, at::ScalarType dtype) = 0;
  class Frame {
   public:
    explicit Frame(Operators& operators) : operators_(operators), mark_(operators.mark()) {}
    ~Frame() { operators_.release(mark_); }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    Operators& operators_;
    std::pair<size_t, size_t> mark_;
  };
  // An uninitialised tensor that lasts.
  at::Tensor empty(at::IntArrayRef sizes, at::ScalarType dtype) const;
  // [size], on huge pages where the system has them.
  at::Tensor flat_buffer(int64_t size, at::ScalarType dtype) const;
  // Uninitialised memory of the host from which copies are fast.
  virtual at::Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType dtype) const = 0;
  // A copy of host values.
  template <class T>
  at::Tensor upload(const std::vector<T>& values) const {
    return upload(values.data(), static_cast<int64_t>(values.size()), c10::CppTypeToScalarType<T>::value);
  }
  at::Tensor upload(const void* values, int64_t count, at::ScalarType dtype) const;
  // Records what `step` does without doing it; its tensors must outlive the graph. Null where there are no graphs.
  virtual std::unique_ptr<Graph> capture(const std::function<void()>& step) { return nullptr; }

  // ---- Weights

  // The parameters that linears are of; once.
  virtual void attach(const ParameterStore& parameters) {}
  // Before decode steps over the weights as they are now.
  virtual void prepare_decoding() {}
  // Before the weights change: memory that holds large copies of them is free for other use.
  virtual void release_copies() {}
  // Bytes of the copies that decoding needs.
  virtual int64_t copy_bytes() const { return 0; }
  // body(begin, count) over disjoint ranges of rows that make up [0, count), maybe at once: how a decode step is shared out.
  virtual void over_rows(int64_t count, const std::function<void(int64_t begin, int64_t count)>& body) { body(0, count); }
  // The ranges that over_rows makes, so that views of them can be kept.
  virtual std::vector<std::pair<int64_t, int64_t>> row_ranges(int64_t count) const { return {{0, count}}; }

  // ---- Layers

  // out[t] = table[tokens[t]]; dtable[tokens[t]] += dx[t] in the order of t.
  virtual void embedding(const at::Tensor& table, const at::Tensor& tokens, const at::Tensor& out) = 0;
  virtual void embedding_backward(const at::Tensor& dx, const at::Tensor& tokens, const at::Tensor& dtable) = 0;
  // y = weight · x · rstd over rows of any stride; rstd [T] float32 may be undefined (RMSNorm, arXiv 1910.07467).
  virtual void rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
                        const at::Tensor& rstd) = 0;
  // dx (+)= gradient of rms_norm at x, dweight [H] float32 += its gradient.
  virtual void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& rstd, const at::Tensor& dx, bool accumulate,
                                 const at::Tensor& dweight) = 0;
  // x += delta
  virtual void add(const at::Tensor& x, const at::Tensor& delta) = 0;
  // The first columns of rows.
  virtual void copy_columns(const at::Tensor& from, const at::Tensor& to) = 0;

  // out [R, N] = x [R, K] Wᵀ (+ bias)
  virtual void linear(const at::Tensor& x, const Linear& linear, const at::Tensor& out) = 0;
  // residual += x Wᵀ (+ bias)
  virtual void linear_add(const at::Tensor& x, const Linear& linear, const at::Tensor& residual) = 0;
  // act [R, I] = silu(gate) · up, gate | up = x Wᵀ (+ bias), which goes to gate_up [R, 2I] too where that is defined.
  virtual void linear_swiglu(const at::Tensor& x, const Linear& linear, const at::Tensor& gate_up,
                             const at::Tensor& act) = 0;
  // logits [R, V] float32 = x Wᵀ
  virtual void logits(const at::Tensor& x, const Linear& head, const at::Tensor& logits) = 0;
  // out = x Wᵀ (+ bias) in a backward pass, where no copy of the weights in another layout is at hand.
  virtual void linear_again(const at::Tensor& x, const Linear& linear, const at::Tensor& out) = 0;
  // dx [R, K] = dy [R, N] W
  virtual void linear_backward_input(const at::Tensor& dy, const Linear& linear, const at::Tensor& dx) = 0;
  // dW += dyᵀ x; db (float32) += Σ dy
  virtual void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const Linear& gradient) = 0;
  // gate_up becomes its gradient, dact becomes act.
  virtual void swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dact) = 0;

  // ---- Attention. `use` of the batch: keys and values go to its pages, contexts come from them.

  // Adds to a new batch what attention over it reads.
  virtual void bind(PackedBatch& batch) const = 0;
  virtual void rotate(const Model& model, const PackedBatch& batch, int64_t layer, const Rotation& rotation) = 0;
  // In place on the gradient rotation.qkv; dq_norm and dk_norm [D] float32 gain those of the weights.
  virtual void rotate_backward(const Model& model, const Rotation& rotation, const at::Tensor& dq_norm,
                               const at::Tensor& dk_norm) = 0;
  // The log-sum-exps of scores that attention leaves to its backward pass.
  virtual at::Tensor take_lse(int64_t tokens, int64_t heads) = 0;
  // out [T, Hq·D]; lse may be undefined.
  virtual void attention(const Model& model, const PackedBatch& batch, int64_t layer, const at::Tensor& qkv,
                         const at::Tensor& out, const at::Tensor& lse) = 0;
  // Without contexts.
  virtual void attention_backward(const Model& model, const PackedBatch& batch, const at::Tensor& dout,
                                  const at::Tensor& qkv, const at::Tensor& out, const at::Tensor& lse,
                                  const at::Tensor& dqkv) = 0;

  virtual Cache make_cache(const Description& description, at::ScalarType dtype, int64_t pages) = 0;
  virtual int64_t page_bytes(const Description& description, at::ScalarType dtype) const = 0;
  virtual void copy_pages(const Description& description, const Cache& cache, const std::vector<int32_t>& from,
                  const std::vector<int32_t>& to) = 0;
  // Bytes beside the caches that decode_attention takes per row whose table has `pages`, given to it as `scratch`.
  virtual at::Tensor decode_scratch(const Description& description, int64_t rows, int64_t pages) const = 0;
  // Norms, rotates and stores the keys of each row's token, then attends over positions [0, position]: rotation.qkv [B, ...].
  virtual void decode_attention(const Model& model, const DecodeRows& rows, const Cache& cache, int64_t layer,
                                const Rotation& rotation, const at::Tensor& scratch, const at::Tensor& out) = 0;

  // ---- Head and draws

  // to [R, W] = from [rows[i]]; to [rows[i]] = from [R, W]. rows: int64.
  virtual void take_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) = 0;
  virtual void put_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) = 0;
  // Lowers the logits of tokens that draws `indices` [R] of the sets did not keep so far that they have no probability.
  virtual void keep_tokens(const at::Tensor& logits, const KeptSets& kept, const int64_t* indices, float temperature) = 0;
  // Of targets [R] under softmax(logits · inverse_temperature). May overwrite the logits.
  virtual void log_probs(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                         const at::Tensor& log_probs) = 0;
  // Through the loss: d loss / d logits [R, V] of dtype, with any stride between rows, in memory of the frame or of the logits.
  virtual at::Tensor head_loss(const at::Tensor& logits, const at::Tensor& targets, float inverse_temperature,
                               const Objective& objective, const LossInputs& inputs, const LossResults& results,
                               at::ScalarType dtype) = 0;
  // Draws a token of every row of logits [B, V]; then appends it, and ends rows or moves their positions on.
  virtual void draw(const at::Tensor& logits, const DrawState& state) = 0;
  // Bytes of a row of the head's chunk besides its logits.
  virtual int64_t head_row_bytes(const Description& description, at::ScalarType dtype) const = 0;

  // ---- Parameters

  // Σ x² of float32, in one order.
  virtual double squared_norm(const at::Tensor& x) = 0;
  virtual void adamw(const AdamWUpdate& update) = 0;
  // masters += rate · (other masters − masters)
  void follow(const at::Tensor& weights, const at::Tensor& remainders, const at::Tensor& other_weights,
              const at::Tensor& other_remainders, double rate) const;
  // masters [N] float32 of weights and remainders (native/kernels/rounding.h), and back.
  void join_masters(const at::Tensor& weights, const at::Tensor& remainders, const at::Tensor& masters) const;
  void split_masters(const at::Tensor& masters, const at::Tensor& weights, const at::Tensor& remainders) const;

 private:
  virtual std::pair<size_t, size_t> mark() const { return {}; }
  virtual void release(const std::pair<size_t, size_t>&) {}
};

}  // namespace zero_rl
