// The shape of a decoder: Qwen2, Qwen3 and Llama differ in these fields only.
#pragma once

#include <cstdint>

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

struct ModelConfig {
  int64_t vocab_size = 0;         // V
  int64_t hidden_size = 0;        // H
  int64_t intermediate_size = 0;  // I
  int64_t layers = 0;
  int64_t heads = 0;     // Hq
  int64_t kv_heads = 0;  // Hk
  int64_t head_dim = 0;  // D
  int64_t max_positions = 0;
  double rms_norm_eps = 1e-6;
  bool tie_word_embeddings = false;
  bool attention_bias = false;  // q, k, v projections
  bool output_bias = false;     // o projection
  bool mlp_bias = false;
  bool value_head = false;  // a critic: one value per token in place of logits
  bool qk_norm = false;  // RMSNorm over each head of q and k, before the rotation
  RopeConfig rope;

  int64_t query_width() const { return heads * head_dim; }
  int64_t kv_width() const { return kv_heads * head_dim; }
  int64_t qkv_width() const { return query_width() + 2 * kv_width(); }
  // Elements of keys and values per token.
  int64_t kv_elements() const { return 2 * layers * kv_width(); }
};

}  // namespace zero_rl
