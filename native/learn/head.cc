#include "learn/head.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "model/decoder_steps.h"
#include "runtime/parallel.h"

namespace zero_rl {

namespace {

constexpr int64_t kChunkLogits = int64_t{30} << 20;  // 120 MiB
constexpr int64_t kMaxChunkRows = 2048;
constexpr int64_t kRowTile = 32;  // products are fastest with whole ones

int64_t chunk_rows(int64_t vocab) {
  return std::clamp<int64_t>(kChunkLogits / vocab / kRowTile * kRowTile, kRowTile, kMaxChunkRows);
}

// The buffers of one chunk and the forward pass over it.
class Chunk {
 public:
  Chunk(Model& model, int64_t most_rows)
      : model_(model),
        dtype_(model.parameters.dtype()),
        input_(model.workspace.take({most_rows, model.config.hidden_size}, dtype_)),
        normed_(model.workspace.take({most_rows, model.config.hidden_size}, dtype_)),
        logits_(model.workspace.take({most_rows, model.config.vocab_size}, at::kFloat)),
        rstd_(model.workspace.take({most_rows}, at::kFloat)),
        values_(model.workspace.take({6, most_rows}, at::kFloat)) {
    model.panels.prepare_head();
  }

  // Rows [start, start + count). Leaves exponentials in logits and fills the log-probs and entropies.
  void forward(const Activations& saved, const MicroBatch& batch, int64_t start, int64_t count, float temperature) {
    const int64_t* rows = batch.rows.data() + start;
    const int32_t* targets = batch.targets.data() + start;
    count_ = count;
    const at::Tensor x = input();
    take_rows(saved.output, rows, x);
    at::Tensor y = normed();
    norm_rows(model_, x, model_.parameters.tensors().final_norm, y, rstd());
    const at::Tensor logits = logits_.narrow(0, 0, count);
    linear(model_.kernels(), y, model_.panels.head(), at::Tensor(), logits);
    if (batch.kept != nullptr) keep(*batch.kept, batch.first_response + start, temperature);
    model_.kernels().softmax({.logits = logits.data_ptr<float>(),
                              .exponentials = logits.data_ptr<float>(),
                              .inverse_temperature = 1.0F / temperature,
                              .targets = targets,
                              .log_probs = value(0),
                              .entropies = value(1),
                              .maxima = value(2),
                              .sums = value(3),
                              .rows = count,
                              .vocab = model_.config.vocab_size});
  }

  // Overwrites the logits buffer with dlogits, each row at the front of its logits.
  at::Tensor gradient(const int32_t* targets, float temperature, bool with_entropy) {
    const int64_t vocab = model_.config.vocab_size;
    const int64_t stride = vocab * logits_.element_size() / static_cast<int64_t>(c10::elementSize(dtype_));
    const at::Tensor dlogits = at::from_blob(logits_.data_ptr(), {count_, vocab}, {stride, 1}, dtype_);
    if (with_entropy) {
      model_.kernels().entropy_gradient({.exponentials = logits_.data_ptr<float>(),
                                         .sums = value(3),
                                         .targets = targets,
                                         .coefficients = value(4),
                                         .entropies = value(1),
                                         .entropy_coefficients = value(5),
                                         .inverse_temperature = 1.0F / temperature,
                                         .dlogits = dlogits.data_ptr(),
                                         .dlogits_stride = stride,
                                         .rows = count_,
                                         .vocab = vocab});
      return dlogits;
    }
    model_.kernels().log_prob_gradient({.exponentials = logits_.data_ptr<float>(),
                                        .sums = value(3),
                                        .targets = targets,
                                        .coefficients = value(4),
                                        .inverse_temperature = 1.0F / temperature,
                                        .dlogits = dlogits.data_ptr(),
                                        .dlogits_stride = stride,
                                        .rows = count_,
                                        .vocab = vocab});
    return dlogits;
  }

  at::Tensor input() const { return input_.narrow(0, 0, count_); }
  at::Tensor normed() const { return normed_.narrow(0, 0, count_); }
  at::Tensor rstd() const { return rstd_.narrow(0, 0, count_); }
  const float* log_probs() const { return value(0); }
  const float* entropies() const { return value(1); }
  float* coefficients() const { return value(4); }
  float* entropy_coefficients() const { return value(5); }

 private:
  // Takes the tokens that the draws from `first` on did not keep out of the logits.
  void keep(const KeptSets& kept, int64_t first, float temperature) {
    const int64_t vocab = model_.config.vocab_size;
    float* logits = logits_.data_ptr<float>();
    parallel_ranges(count_, 1 + 4096 / vocab, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) kept.apply(first + row, temperature, logits + row * vocab, vocab);
    });
  }
  float* value(int64_t index) const { return values_.data_ptr<float>() + index * values_.size(1); }

  Model& model_;
  at::ScalarType dtype_;
  at::Tensor input_;    // [C, H] rows of the residual stream
  at::Tensor normed_;   // [C, H]
  at::Tensor logits_;   // [C, V] float32, then dlogits
  at::Tensor rstd_;     // [C]
  at::Tensor values_;   // [6, C] log-probs, entropies, maxima, sums, coefficients of the first two
  int64_t count_ = 0;
};

int64_t row_count(const MicroBatch& batch) { return static_cast<int64_t>(batch.rows.size()); }

}  // namespace

void head_log_probs(Model& model, const Activations& saved, const MicroBatch& batch, float temperature,
                    float* log_probs, const AbortFlag& abort) {
  const Workspace::Frame frame(model.workspace);
  const int64_t step = chunk_rows(model.config.vocab_size);
  Chunk chunk(model, std::min(step, row_count(batch)));
  for (int64_t start = 0; start < row_count(batch); start += step) {
    abort.check();
    const int64_t count = std::min(step, row_count(batch) - start);
    chunk.forward(saved, batch, start, count, temperature);
    std::copy_n(chunk.log_probs(), count, log_probs + start);
  }
}

void head_backward(Model& model, const Activations& saved, const MicroBatch& batch, float temperature,
                   const HeadLoss& loss, bool with_entropy, DecoderTensors& gradients, at::Tensor& dx,
                   const AbortFlag& abort) {
  const Workspace::Frame frame(model.workspace);
  const DecoderTensors& weights = model.parameters.tensors();
  const int64_t hidden = model.config.hidden_size;
  const int64_t step = chunk_rows(model.config.vocab_size);
  const int64_t most_rows = std::min(step, row_count(batch));
  Chunk chunk(model, most_rows);
  at::Tensor dnormed = model.workspace.take({most_rows, hidden}, model.parameters.dtype());
  at::Tensor dinput = model.workspace.take({most_rows, hidden}, model.parameters.dtype());
  dx.zero_();
  for (int64_t start = 0; start < row_count(batch); start += step) {
    abort.check();
    const int64_t count = std::min(step, row_count(batch) - start);
    const int64_t* rows = batch.rows.data() + start;
    const int32_t* targets = batch.targets.data() + start;
    chunk.forward(saved, batch, start, count, temperature);
    loss(start, count, chunk.log_probs(), chunk.entropies(), chunk.coefficients(), chunk.entropy_coefficients());
    const at::Tensor dlogits = chunk.gradient(targets, temperature, with_entropy);
    at::Tensor dy = dnormed.narrow(0, 0, count);
    at::Tensor dout = dinput.narrow(0, 0, count);
    linear_backward_weight(model.kernels(), dlogits, chunk.normed(), gradients.head, at::Tensor());
    linear_backward_input(model.kernels(), dlogits, weights.head, dy);
    norm_rows_backward(model, dy, chunk.input(), weights.final_norm, chunk.rstd(), dout, /*accumulate=*/false,
                       gradients.final_norm);
    put_rows(dout, rows, dx);
  }
}

int64_t head_chunk_bytes(const ModelConfig& config, at::ScalarType dtype) {
  const int64_t bytes = dtype == at::kFloat ? 4 : 2;
  const int64_t per_row = config.vocab_size * 4 + 4 * config.hidden_size * bytes;
  return chunk_rows(config.vocab_size) * per_row;
}

}  // namespace zero_rl
