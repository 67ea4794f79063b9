"""The decoder of Qwen2, Qwen3, Llama, Mistral, OLMo-2 and SmolLM3 in float64, on plain tensors.

transformers rounds to float32 inside (RMSNorm, softmax, rotary angles) even when the model is in float64,
so the optimizer references run on this one. logits.py checks it against transformers for every config.
"""

import math

import torch
import torch.nn.functional as F

from fixture import fixture_tensor


def inverse_frequencies(config) -> torch.Tensor:
    """Rotary frequencies (head_dim / 2,) of a transformers config: default, linear or llama3."""
    rope = config.rope_parameters
    head_dim = head_dim_of(config)
    frequencies = rope["rope_theta"] ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    if rope["rope_type"] == "linear":
        return frequencies / rope["factor"]
    if rope["rope_type"] == "llama3":
        turns = rope["original_max_position_embeddings"] * frequencies / (2 * math.pi)
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        kept = ((turns - low) / (high - low)).clamp(0, 1)
        return frequencies * (kept + (1 - kept) / rope["factor"])
    assert rope["rope_type"] == "default"
    return frequencies


def head_dim_of(config) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def parameters_of(model, seed: int, storage: str) -> dict[str, torch.Tensor]:
    """Float64 leaf parameters by Hugging Face name, tied weights once."""
    return {
        name: fixture_tensor(name, tuple(value.shape), seed, storage).double().requires_grad_()
        for name, value in model.named_parameters()
    }


def rms_norm(hidden, weight, eps):
    return hidden * torch.rsqrt(hidden.square().mean(-1, keepdim=True) + eps) * weight


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def hidden_of(parameters: dict[str, torch.Tensor], config, tokens: list[int]) -> torch.Tensor:
    """Hidden states (T, H) after the final norm of one sequence of T tokens."""
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    head_dim, eps, length = head_dim_of(config), config.rms_norm_eps, len(tokens)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * inverse_frequencies(config)
    cos, sin = angles.cos(), angles.sin()
    causal = torch.full((length, length), -math.inf, dtype=torch.float64).triu(1)

    def linear(x, name):
        return F.linear(x, parameters[name + ".weight"], parameters.get(name + ".bias"))

    def normed(x, name):
        return rms_norm(x, parameters[name + ".weight"], eps)

    def heads_of(x, count, norm):
        if norm + ".weight" in parameters:  # of each head, or of the projection as a whole
            size = parameters[norm + ".weight"].numel()
            x = normed(x.view(length, -1, size), norm)
        return x.reshape(length, count, head_dim).transpose(0, 1)  # (heads, T, head_dim)

    norms_after = "model.layers.0.post_feedforward_layernorm.weight" in parameters
    rotated = getattr(config, "no_rope_layers", None)  # 1: rotated
    hidden = parameters["model.embed_tokens.weight"][torch.tensor(tokens)]
    for layer in range(config.num_hidden_layers):
        prefix = f"model.layers.{layer}."
        attention = prefix + "self_attn."
        x = hidden if norms_after else normed(hidden, prefix + "input_layernorm")
        query = heads_of(linear(x, attention + "q_proj"), heads, attention + "q_norm")
        key = heads_of(linear(x, attention + "k_proj"), kv_heads, attention + "k_norm")
        if rotated is None or rotated[layer]:
            query, key = rotate(query, cos, sin), rotate(key, cos, sin)
        value = heads_of(linear(x, attention + "v_proj"), kv_heads, "")
        key, value = (t.repeat_interleave(heads // kv_heads, dim=0) for t in (key, value))
        weights = (query @ key.transpose(1, 2) / math.sqrt(head_dim) + causal).softmax(-1)
        mixed = (weights @ value).transpose(0, 1).reshape(length, heads * head_dim)
        mixed = linear(mixed, attention + "o_proj")
        hidden = hidden + (normed(mixed, prefix + "post_attention_layernorm") if norms_after else mixed)
        x = hidden if norms_after else normed(hidden, prefix + "post_attention_layernorm")
        gated = F.silu(linear(x, prefix + "mlp.gate_proj")) * linear(x, prefix + "mlp.up_proj")
        gated = linear(gated, prefix + "mlp.down_proj")
        hidden = hidden + (normed(gated, prefix + "post_feedforward_layernorm") if norms_after else gated)
    return rms_norm(hidden, parameters["model.norm.weight"], eps)


def logits_of(parameters: dict[str, torch.Tensor], config, tokens: list[int]) -> torch.Tensor:
    """Logits (T, V) of one sequence of T tokens."""
    head = "model.embed_tokens.weight" if config.tie_word_embeddings else "lm_head.weight"
    return F.linear(hidden_of(parameters, config, tokens), parameters[head])


def response_log_probs(parameters, config, tokens, prompt_length: int, temperature: float) -> torch.Tensor:
    """Log-probs (T - promptLength,) in nats of the tokens after the prompt."""
    rows = (logits_of(parameters, config, tokens)[prompt_length - 1 : -1] / temperature).log_softmax(-1)
    return rows.gather(1, torch.tensor(tokens[prompt_length:])[:, None])[:, 0]
