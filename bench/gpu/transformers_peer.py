"""transformers' generate and a step as TRL does it, on the same card and shape as bench/gpu/row.mjs: one JSON line each.

    python bench/gpu/transformers_peer.py

Qwen2.5-0.5B with random weights in bfloat16; 64 sequences of 256 + 768 tokens, as logprobs and step of row.mjs.
"""

import json
import time

import torch
from transformers import AutoModelForCausalLM, Qwen2Config

CONFIG = Qwen2Config(
    vocab_size=151_936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
    num_key_value_heads=2, max_position_embeddings=32_768, rope_theta=1e6, tie_word_embeddings=True,
)
MICRO_BATCH = 8


def seconds_of(work):
    work()
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    model = AutoModelForCausalLM.from_config(CONFIG, dtype=torch.bfloat16, attn_implementation="sdpa").cuda()
    generator = torch.Generator("cuda").manual_seed(0)
    draw = lambda *size: torch.randint(1000, 150_000, size, device="cuda", generator=generator)

    prompts, new_tokens = draw(256, 768), 128
    model.eval()
    with torch.inference_mode():
        seconds = seconds_of(lambda: model.generate(
            prompts, attention_mask=torch.ones_like(prompts), do_sample=True, max_new_tokens=new_tokens,
            min_new_tokens=new_tokens, pad_token_id=0, top_k=0, top_p=1.0,
        ))
    print(json.dumps({"peer": "transformers generate", "tokensPerSecond": 256 * new_tokens / seconds}), flush=True)

    model.train()
    model.gradient_checkpointing_enable()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, betas=(0.9, 0.95), fused=True)
    tokens = draw(64, 1024)
    advantages = torch.ones(64, 1, device="cuda")

    def step():
        for start in range(0, 64, MICRO_BATCH):
            ids = tokens[start:start + MICRO_BATCH]
            logits = model(ids).logits[:, 255:-1].float()
            log_probs = torch.log_softmax(logits, -1).gather(-1, ids[:, 256:, None]).squeeze(-1)
            loss = -(advantages[start:start + MICRO_BATCH] * log_probs).mean() * MICRO_BATCH / 64
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    print(json.dumps({"peer": "TRL-style step", "tokensPerSecond": 64 * 1024 / seconds_of(step)}), flush=True)


main()
