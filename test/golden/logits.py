"""data/logits.json: logits and log-probs of transformers, float32 on CPU, for tiny configs.

    python -m venv venv && venv/bin/pip install torch==2.11.0 transformers==5.23.0 numpy
    venv/bin/python test/golden/logits.py

Made with torch 2.11.0, transformers 5.23.0. The weights come from fixture.py; only results are saved.
`sourceError` is the largest distance between transformers in float32 and decoder.py in float64.
"""

import numpy as np
import torch
import transformers

from configs import CONFIGS
from decoder import logits_of, parameters_of
from fixture import fixture_tensor, fixture_values, fnv1a32, pack, tokens_of, write_json

# (length, promptLength): the first is long enough for every scaled rotary frequency to matter.
SHAPES = [(90, 5), (24, 7), (9, 1)]
TEMPERATURES = [1.0, 0.7]


def load(config_json: dict, seed: int, storage: str):
    config_json = dict(config_json)
    config = transformers.AutoConfig.for_model(config_json.pop("model_type"), **config_json)
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(fixture_tensor(name, tuple(parameter.shape), seed, storage))
    return model, config


def case_of(number: int, name: str) -> dict:
    config_json, storage, shards = CONFIGS[name]
    seed = 1000 + number
    model, config = load(config_json, seed, storage)
    exact = parameters_of(model, seed, storage)
    generator = np.random.default_rng(seed)
    sequences, error = [], 0.0
    for length, prompt_length in SHAPES:
        tokens = tokens_of(generator, length, config.vocab_size)
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0]
            error = max(error, (logits - logits_of(exact, config, tokens)).abs().max().item())
        positions = sorted({prompt_length - 1, (prompt_length + length) // 2, length - 1})
        targets = torch.tensor(tokens[prompt_length:])[:, None]
        log_probs = [
            (logits[prompt_length - 1 : -1].double() / t).log_softmax(-1).gather(1, targets)[:, 0] for t in TEMPERATURES
        ]
        sequences.append({
            "tokens": tokens,
            "promptLength": prompt_length,
            "positions": positions,
            "logits": pack(logits[positions]),
            "logProbs": [pack(values) for values in log_probs],
        })
    assert error < 2e-5, f"{name}: decoder.py and transformers differ by {error}"
    print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, error {error:.1e}")
    return {
        "name": name,
        "seed": seed,
        "storage": storage,
        "shards": shards,
        "config": config_json,
        "sourceError": float(f"{error:.1e}"),
        "parameters": {key: list(value.shape) for key, value in model.named_parameters()},
        "sequences": sequences,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    probe = "model.layers.0.self_attn.q_proj.weight"
    write_json("logits.json", {
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "temperatures": TEMPERATURES,
        "fixture": {
            "name": probe,
            "seed": 7,
            "count": 1000,
            "first": pack(fixture_values(probe, 1000, 7)[:8]),
            "fnv1a": fnv1a32(fixture_values(probe, 1000, 7).astype("<f4").tobytes()),
        },
        "cases": [case_of(number, name) for number, name in enumerate(CONFIGS)],
    })
