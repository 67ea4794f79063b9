// The CPU kernels: plain functions over raw pointers, compiled once per instruction set and chosen at
// run time. T is the compute dtype (float or bfloat16); arithmetic is float32 throughout.
// Letters: T tokens, H hidden, D head_dim, Hq and Hk query and key/value heads, I intermediate, V vocabulary.
#pragma once

#include <cmath>
#include <cstdint>

namespace zero_rl::kernels {

// c[i, j] = Σ_k a[i, k] · b[j, k] (+ bias[j]) (+ c[i, j]), accumulated in float32. Element (i, k) of a lies at
// a + i·a_stride + k·a_depth_stride, and likewise (j, k) of b.
struct Gemm {
  const void* a;
  int64_t a_stride;
  int64_t a_depth_stride;
  const void* b;
  int64_t b_stride;
  int64_t b_depth_stride;
  const void* bias;  // [n] or null
  void* c;
  int64_t c_stride;
  int64_t m;
  int64_t n;
  int64_t k;
  bool accumulate;
  bool float_out;  // c is float32 whatever T is; then without bias
};

// Copies B [n, k] into panels for PackedGemm, of T and in the layout of the instruction set. Element (j, k) of B lies at
// matrix + j·stride + k·depth_stride.
struct PackPanels {
  const void* matrix;
  int64_t stride;
  int64_t depth_stride;
  void* panels;  // panel_elements(n, k) elements, aligned to 64 bytes
  int64_t n;
  int64_t k;
  // Rows j and n/2 + j of B (a gate and its up) come to lie in one panel; n is even.
  bool paired;
};

// c[i, j] = Σ_k a[i, k] · b[j, k] (+ bias[j]) (+ c[i, j]), accumulated in float32 in one order over k whatever m, n, the
// threads and the row's place are, so that a row has the same bits in every batch.
struct PackedGemm {
  const void* a;  // [m, k]
  int64_t a_stride;
  const void* panels;
  const void* bias;  // [n] or null
  void* c;           // may be null when `activated` is not
  int64_t c_stride;
  int64_t m;
  int64_t n;
  int64_t k;
  bool accumulate;
  bool float_out;  // c is float32 whatever T is; then without bias
  // With paired panels: activated[i, j] = silu(c[i, j]) · c[i, n/2 + j], of T; c as T rounds it. c then has the columns in
  // the order of B, gates first. Null otherwise.
  void* activated;  // [m, n/2]
  int64_t activated_stride;
  bool paired;
  int64_t a_depth_stride = 1;         // 1, or that of columns that are contiguous: then a_stride is 1
  const PackPanels* source = nullptr;  // where `panels` is null: B, packed block by block as it is multiplied
  bool transposed = false;  // c[i, j] lies at c + j·c_stride + i; of bfloat16 with float_out and without bias, where tiles multiply
};

// y = weight · x / sqrt(mean(x²) + eps) over `dim`, for outer × inner vectors that lie
// at x + o·x_stride + i·dim (RMSNorm, Zhang & Sennrich, arXiv 1910.07467).
struct RmsNorm {
  const void* x;
  int64_t x_stride;
  const void* weight;  // [dim]
  void* y;
  int64_t y_stride;
  float* rstd;  // [outer, inner] or null
  int64_t outer;
  int64_t inner;
  int64_t dim;
  float eps;
};

struct RmsNormBackward {
  const void* dy;
  int64_t dy_stride;
  const void* x;
  int64_t x_stride;
  const void* weight;
  const float* rstd;
  void* dx;
  int64_t dx_stride;
  bool accumulate;  // dx += instead of dx =
  float* dweight;   // [dim], accumulated
  int64_t outer;
  int64_t inner;
  int64_t dim;
};

// Rotates `heads` vectors of D at x + t·stride in place; direction −1 is the backward pass.
struct Rope {
  void* x;
  int64_t stride;
  const int32_t* positions;  // [T]
  const float* cosines;      // [positions, D / 2]
  const float* sines;
  int64_t tokens;
  int64_t heads;
  int64_t head_dim;
  float direction;
};

// Gradients of act = silu(gate) · up and, for the product that follows it, act again.
struct SwiGluBackward {
  const void* gate_up;  // [T, 2I]
  const void* dact;     // [T, I]
  void* dgate_up;       // may be gate_up
  void* act;            // may be dact
  int64_t tokens;
  int64_t width;  // I
};

// sums[j] += Σ_t x[t, j], in one order whatever the threads are.
struct ColumnSums {
  const void* x;
  int64_t stride;
  float* sums;
  int64_t rows;
  int64_t width;
};

// Keys lie in tiles of this many tokens, so that scores vectorise over tokens.
constexpr int64_t kKeyTile = 32;
constexpr int64_t key_tiles(int64_t tokens) { return (tokens + kKeyTile - 1) / kKeyTile; }
// Elements behind the values of a cache that kernels may read.
constexpr int64_t kValueSlack = 32;

// Keys and values of many sequences in pages of kPageTokens tokens: [layers, pages], and of each page keys [Hk, D, kPageTokens],
// then values [Hk, kPageTokens, D], so that what a layer reads lies together. A sequence has a table of page numbers: its token at position t lies in page
// table[t / kPageTokens] at slot t % kPageTokens. What the slots behind its last token hold does not matter.
constexpr int64_t kPageTokens = kKeyTile;
struct PagedCache {
  void* pool = nullptr;  // elements() elements, and kValueSlack behind them
  int64_t pages = 0;
  int64_t layers = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;

  // From a page to the next one in the same layer, and the elements of all pages in all layers.
  constexpr int64_t page_stride() const { return 2 * kv_heads * head_dim * kPageTokens; }
  constexpr int64_t elements() const { return layers * pages * page_stride(); }
  // Where the keys and the values of a head begin in page 0.
  constexpr int64_t keys_at(int64_t layer, int64_t kv_head) const {
    return layer * pages * page_stride() + kv_head * head_dim * kPageTokens;
  }
  constexpr int64_t values_at(int64_t layer, int64_t kv_head) const { return keys_at(layer, kv_heads + kv_head); }
};

// A run of consecutive tokens that see those of a cached context, then the tokens of a prefix and then, causally, each other.
struct Segment {
  int64_t begin;
  int64_t length;
  int64_t prefix_begin;
  int64_t prefix_length;                   // 0: none
  const int32_t* context_table = nullptr;  // of the cache of the call; that of its prefix is the same
  int64_t context_length = 0;              // 0: none
};

// Causal attention of packed segments; qkv: [T, (Hq + 2Hk)·D], rotated. Segments that share a prefix follow the segment
// that is this prefix; that one has no prefix itself. No token belongs to two segments. Of a token's sums neither the values
// nor the order depend on what of its context is cached, is a prefix or is in its segment.
struct Attention {
  const void* qkv;
  void* out;   // [T, Hq·D]
  float* lse;  // [T, Hq] log-sum-exp of the scaled scores, or null
  const Segment* segments;
  int64_t segment_count;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  PagedCache cache = {};  // of the segments' contexts
  int64_t layer = 0;      // of the cache
};

// No segment has a cached context.
struct AttentionBackward {
  Attention forward;  // qkv, out and lse as the forward pass left them
  const void* dout;
  void* dqkv;
};

// One new token per row: stores its key and value at its position and attends over all positions up to it, with the bits that
// Attention gives. Neighbouring rows whose tables begin with the same pages have these read once for all of them.
struct PagedDecodeAttention {
  const void* qkv;  // [B, (Hq + 2Hk)·D], rotated
  void* out;        // [B, Hq·D]
  PagedCache cache;
  const int32_t* tables;     // row i has that at tables + i · table_stride
  int64_t table_stride;
  const int32_t* positions;  // [B] of the new tokens; negative: no row, its out becomes 0 and nothing is stored
  int64_t rows;
  int64_t layer;
  int64_t heads;
};

// Writes the rotated keys and values of one layer of packed rows into pages.
struct StorePages {
  const void* qkv;  // [T, (Hq + 2Hk)·D]
  PagedCache cache;
  const int32_t* pages;  // [T]; negative: the row is skipped
  const int32_t* slots;  // [T] position % kPageTokens
  int64_t rows;
  int64_t layer;
  int64_t heads;
};

// Log-probability of a token from its row's scaled maximum and the sum of its exponentials. In double, where the product
// is exact, so that scoring and sampling agree whether or not their compilers fuse it with the difference.
static inline float log_prob(float logit, float inverse_temperature, float maximum, float sum) {
  const double scaled = static_cast<double>(logit) * inverse_temperature - maximum;
  return static_cast<float>(scaled - std::log(static_cast<double>(sum)));
}

// Rows of logits: exponentials relative to the row's maximum, their sum, and what follows from them.
struct Softmax {
  const float* logits;        // [R, V]
  float* exponentials;        // [R, V], may be the logits
  float inverse_temperature;
  const int32_t* targets;     // [R] or null
  float* log_probs;           // [R] of the targets, or null
  float* entropies;           // [R] in nats, or null
  float* maxima;              // [R] of the scaled logits
  float* sums;                // [R]
  int64_t rows;
  int64_t vocab;
};

// dlogits = coefficient · (onehot(target) − p) / temperature.
struct LogProbGradient {
  const float* exponentials;
  const float* sums;
  const int32_t* targets;
  const float* coefficients;  // [R] d loss / d log-prob
  float inverse_temperature;
  void* dlogits;           // rows of V of T; may lie at the front of the exponentials' rows
  int64_t dlogits_stride;
  int64_t rows;
  int64_t vocab;
};

// The same where the loss depends on the entropy H too: with p = e/Σe,
// dlogits = (c · (onehot(target) − p) − h · p · (log p + H)) / temperature. Exponentials are normal numbers.
struct EntropyGradient {
  const float* exponentials;
  const float* sums;
  const int32_t* targets;
  const float* coefficients;          // [R] c, d loss / d log-prob
  const float* entropies;             // [R]
  const float* entropy_coefficients;  // [R] h, d loss / d entropy
  float inverse_temperature;
  void* dlogits;  // as of LogProbGradient
  int64_t dlogits_stride;
  int64_t rows;
  int64_t vocab;
};

// out[t] = table[tokens[t]].
struct Embedding {
  const void* table;
  const int32_t* tokens;
  void* out;
  int64_t count;
  int64_t width;
};

// dtable[tokens[t]] += dx[t]. In float32 in the order of t; a table of T gains the float32 sum of each token.
struct EmbeddingBackward {
  const void* dx;
  const int32_t* tokens;
  void* dtable;
  bool float_table;  // dtable is float32 whatever T is
  int64_t count;
  int64_t width;
};

// AdamW (Loshchilov & Hutter, arXiv 1711.05101) with the order of operations of torch.optim.AdamW.
// Float32 weights, or bfloat16 ones with the remainders of float32 masters (kernels/rounding.h), have float32 moments. bfloat16
// weights without remainders have those in bfloat16 too, and weights and moments are rounded stochastically.
struct AdamW {
  void* weights;
  int16_t* remainders;  // or null
  const float* gradient;
  void* exp_avg;
  void* exp_avg_sq;
  uint32_t noise;  // key of the stochastic rounding
  int64_t count;
  float gradient_scale;
  float beta1;
  float beta2;
  float eps;
  float step_size;              // learning rate / (1 − beta1^t)
  float inverse_sqrt_correction;  // 1 / sqrt(1 − beta2^t)
  float decay;                  // 1 − learning rate · weight decay
};

struct Table {
  void (*gemm)(const Gemm&);
  int64_t (*panel_elements)(int64_t n, int64_t k);
  void (*pack_panels)(const PackPanels&);
  void (*packed_gemm)(const PackedGemm&);
  void (*rms_norm)(const RmsNorm&);
  void (*rms_norm_backward)(const RmsNormBackward&);
  void (*rope)(const Rope&);
  void (*swiglu_backward)(const SwiGluBackward&);
  void (*column_sums)(const ColumnSums&);
  void (*attention)(const Attention&);
  void (*attention_backward)(const AttentionBackward&);
  void (*paged_decode_attention)(const PagedDecodeAttention&);
  void (*store_pages)(const StorePages&);
  void (*log_prob_gradient)(const LogProbGradient&);
  void (*entropy_gradient)(const EntropyGradient&);
  void (*embedding)(const Embedding&);
  void (*embedding_backward)(const EmbeddingBackward&);
  void (*adamw)(const AdamW&);
  double (*squared_norm)(const float* values, int64_t count);
  // The same for every compute dtype:
  void (*softmax)(const Softmax&);
};

struct InstructionSet {
  const char* name;  // portable, avx2, avx512, avx512bf16, amx
  Table float32;
  Table bfloat16;
};

// The best set this processor runs; ZERO_RL_ISA names a lower one.
const InstructionSet& instruction_set();

// Whether the processor has tiles of bfloat16 and the system lets this process use them (Linux 5.16 on).
bool tile_units_usable();

}  // namespace zero_rl::kernels
