// A decoder as data: its sizes, what its layers do, and its tensors in the order in which they are stored. The families' files
// of src/policy/families make it; the passes, the parameters and the formulas of memory interpret it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zero_rl {

struct RopeConfig {
  enum class Scaling { kNone, kLinear, kLlama3 };
  double theta = 10000;
  Scaling scaling = Scaling::kNone;
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_max_positions = 8192;
};

// RMSNorm of queries and keys before the rotation: of each head, or of the whole projection.
enum class QkNorm { kNone, kHead, kProjection };

// What the tensors of a layer do not say.
struct LayerDescription {
  bool rotary = true;  // whether queries and keys are rotated
  QkNorm qk_norm = QkNorm::kNone;
};

// What a block of tensors is to the decoder. Norms stand before a sublayer, or after it, before its output is added.
enum class Role {
  kEmbedding,
  kAttentionNorm,
  kQkv,  // queries, keys, values
  kQkvBias,
  kQueryNorm,
  kKeyNorm,
  kAttentionOutput,
  kAttentionOutputBias,
  kAttentionOutputNorm,
  kMlpNorm,
  kGateUp,  // gates, ups
  kGateUpBias,
  kDown,
  kDownBias,
  kMlpOutputNorm,
  kFinalNorm,
  kHead,  // [V, H], or [1, H] of a critic
};

struct NamedShape {
  std::string name;  // of Hugging Face
  std::vector<int64_t> shape;
};

// Tensors that are stored as one matrix or vector, one after the other.
struct Block {
  Role role;
  int64_t layer;  // -1: of no layer
  std::vector<NamedShape> tensors;
};

struct Description {
  int64_t vocab_size = 0;         // V
  int64_t hidden_size = 0;        // H
  int64_t intermediate_size = 0;  // I
  int64_t heads = 0;              // Hq
  int64_t kv_heads = 0;           // Hk
  int64_t head_dim = 0;           // D
  int64_t max_positions = 0;
  double rms_norm_eps = 1e-6;
  bool value_head = false;  // a critic: one value per token in place of logits
  RopeConfig rope;
  std::vector<LayerDescription> layers;
  std::vector<Block> blocks;  // without a kHead the head is the embedding

  int64_t layer_count() const { return static_cast<int64_t>(layers.size()); }
  int64_t query_width() const { return heads * head_dim; }
  int64_t kv_width() const { return kv_heads * head_dim; }
  int64_t qkv_width() const { return query_width() + 2 * kv_width(); }
  // Elements of keys and values per token.
  int64_t kv_elements() const { return 2 * layer_count() * kv_width(); }
};

}  // namespace zero_rl
