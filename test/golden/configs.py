"""The config.json contents of the golden cases: both generations of the file, every feature of the decoder.

The older generation has `rope_theta`, `rope_scaling` and `torch_dtype`; the newer one `rope_parameters`
and `dtype`. Sizes are tiny and vocabularies odd on purpose.
"""

QWEN2 = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 256,
    "use_sliding_window": False,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
QWEN3 = QWEN2 | {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "attention_bias": False}
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "max_position_embeddings": 256,
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "pretraining_tp": 1,
    "bos_token_id": 0,
    "eos_token_id": [1, 2],
}
MISTRAL = {
    "architectures": ["MistralForCausalLM"],
    "model_type": "mistral",
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "max_position_embeddings": 256,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# pad_token_id has a default in the classes below; transformers keeps its embedding from being trained.
OLMO2 = {
    "architectures": ["Olmo2ForCausalLM"],
    "model_type": "olmo2",
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 256,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "pad_token_id": None,
    "eos_token_id": 2,
}
SMOLLM3 = {
    "architectures": ["SmolLM3ForCausalLM"],
    "model_type": "smollm3",
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 256,
    "use_sliding_window": False,
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "bos_token_id": 0,
    "pad_token_id": None,
    "eos_token_id": 2,
}


def sizes(vocab: int, hidden: int, intermediate: int, layers: int, heads: int, kv_heads: int) -> dict:
    return {
        "vocab_size": vocab,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
    }


LLAMA3_SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}

#: name -> (config.json, storage of the weights, number of safetensors files)
CONFIGS: dict[str, tuple[dict, str, int]] = {
    "qwen2-grouped-tied": (
        QWEN2
        | sizes(61, 64, 96, 2, 4, 2)
        | {"tie_word_embeddings": True, "rope_theta": 1000000.0, "torch_dtype": "float32",
           "sliding_window": 256, "max_window_layers": 2},
        "F32", 1,
    ),
    "qwen2-multiquery-untied": (
        QWEN2
        | sizes(97, 48, 80, 3, 3, 1)
        | {"tie_word_embeddings": False, "dtype": "bfloat16", "sliding_window": None,
           "layer_types": ["full_attention"] * 3,
           "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}},
        "BF16", 1,
    ),
    "qwen2-multihead-linear-rope": (
        QWEN2
        | sizes(48, 32, 64, 2, 2, 2)
        | {"tie_word_embeddings": True, "rope_theta": 10000.0, "torch_dtype": "float16",
           "rope_scaling": {"type": "linear", "factor": 4.0}},
        "F16", 2,
    ),
    "qwen3-grouped-tied": (
        QWEN3
        | sizes(67, 48, 72, 2, 2, 1)
        | {"head_dim": 32, "tie_word_embeddings": True, "rope_theta": 1000000.0, "torch_dtype": "float32",
           "rope_scaling": None},
        "F32", 1,
    ),
    "qwen3-multihead-linear-rope": (
        QWEN3
        | sizes(53, 40, 56, 3, 4, 4)
        | {"head_dim": 16, "tie_word_embeddings": False, "dtype": "float32",
           "layer_types": ["full_attention"] * 3,
           "rope_parameters": {"rope_type": "linear", "factor": 2.5, "rope_theta": 10000.0}},
        "F32", 3,
    ),
    "qwen3-bias-llama3-rope": (
        QWEN3
        | sizes(80, 64, 96, 2, 6, 2)
        | {"head_dim": 16, "attention_bias": True, "tie_word_embeddings": True, "dtype": "bfloat16",
           "rope_parameters": LLAMA3_SCALING | {"rope_theta": 10000.0}},
        "BF16", 1,
    ),
    "llama-grouped-llama3-rope-tied": (
        LLAMA
        | sizes(71, 64, 96, 2, 4, 2)
        | {"head_dim": 16, "tie_word_embeddings": True, "rope_theta": 500.0, "rope_scaling": LLAMA3_SCALING,
           "torch_dtype": "bfloat16"},
        "BF16", 1,
    ),
    "llama-multiquery-llama3-rope": (
        LLAMA
        | sizes(83, 48, 64, 2, 4, 1)
        | {"head_dim": 24, "tie_word_embeddings": False, "dtype": "float32",
           "rope_parameters": LLAMA3_SCALING | {"factor": 32.0, "rope_theta": 500000.0}},
        "F32", 2,
    ),
    # As the first Llama files: no head_dim, no num_key_value_heads, no rope_theta.
    "llama-multihead-untied": (
        {key: value for key, value in (LLAMA | sizes(59, 32, 48, 3, 2, 2)).items() if key != "num_key_value_heads"}
        | {"tie_word_embeddings": False, "torch_dtype": "float16"},
        "F16", 1,
    ),
    "llama-bias": (
        LLAMA
        | sizes(64, 32, 48, 2, 2, 1)
        | {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True, "dtype": "float32",
           "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}},
        "F32", 1,
    ),
    # As Mistral-7B-v0.1, but no longer than its window; the head dimension is that of hidden_size.
    "mistral-grouped-window": (
        MISTRAL
        | sizes(79, 64, 96, 2, 4, 2)
        | {"sliding_window": 256, "tie_word_embeddings": False, "rope_theta": 10000.0, "torch_dtype": "bfloat16"},
        "BF16", 2,
    ),
    # As Mistral Nemo: heads that are not hidden_size / num_attention_heads wide.
    "mistral-wide-heads-tied": (
        MISTRAL
        | sizes(69, 40, 56, 3, 2, 1)
        | {"head_dim": 32, "sliding_window": None, "tie_word_embeddings": True, "dtype": "float32",
           "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}},
        "F32", 1,
    ),
    "olmo2-grouped-untied": (
        OLMO2
        | sizes(73, 64, 96, 2, 4, 2)
        | {"tie_word_embeddings": False, "rope_theta": 500000.0, "rope_scaling": None, "torch_dtype": "float32"},
        "F32", 2,
    ),
    "olmo2-multihead-bias-tied": (
        OLMO2
        | sizes(57, 48, 72, 3, 3, 3)
        | {"attention_bias": True, "tie_word_embeddings": True, "dtype": "bfloat16",
           "rope_parameters": LLAMA3_SCALING | {"rope_theta": 10000.0}},
        "BF16", 1,
    ),
    # No list: every fourth layer does not rotate.
    "smollm3-grouped-interval-tied": (
        SMOLLM3
        | sizes(65, 32, 48, 4, 4, 2)
        | {"head_dim": 16, "tie_word_embeddings": True, "rope_theta": 5000.0, "torch_dtype": "bfloat16"},
        "BF16", 1,
    ),
    "smollm3-multiquery-list-bias": (
        SMOLLM3
        | sizes(77, 48, 64, 3, 3, 1)
        | {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False, "dtype": "float32",
           "no_rope_layers": [0, 1, 0], "layer_types": ["full_attention"] * 3,
           "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},
        "F32", 1,
    ),
}
