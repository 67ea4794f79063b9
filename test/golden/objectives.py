"""data/objectives.json: ten steps of the further objectives, of the entropy term and of both kinds of critic, in float64.

    venv/bin/python test/golden/objectives.py          (set-up: see logits.py)

Made with torch 2.11.0. The steps are those of steps.py; of the parameters after them only three are kept, as the norm of
every gradient on the way depends on them all.
"""

import numpy as np
import torch

from configs import sizes
from decoder import hidden_of, logits_of, parameters_of
from fixture import pack, tokens_of, write_json
from logits import load
from steps import BATCHES, DEFAULTS, QWEN2_TIED, QWEN3_UNTIED, STEPS, aggregate, batch_of, mask_of, short, train

KEPT = ("model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.norm.weight")
NARROW = {"low": 0.04, "high": 0.05}

# name, config.json, step options that differ from those of steps.py, scale of the advantages
CASES = [
    ("ppo-dual-clip", QWEN2_TIED, {"objective": "ppo", "clip": {"low": 0.2, "high": 0.28, "dual": 1.1}}, 1.0),
    ("gspo", QWEN2_TIED, {"objective": "gspo", "clip": NARROW, "aggregation": "seq-mean-token-mean",
                          "temperature": 0.8}, 1.0),
    ("gspo-product", QWEN3_UNTIED, {"objective": "gspo", "clip": {"low": 0.95, "high": 9}, "sequenceRatio": "product",
                                    "learningRate": 2e-4, "aggregation": "seq-mean-token-sum"}, 1.0),
    ("cispo", QWEN2_TIED, {"objective": "cispo", "clip": {"low": 1, "high": 0.1},
                           "kl": {"coefficient": 0.1, "estimator": "k3"}}, 1.0),
    ("ppo-kl-corrected", QWEN2_TIED, {"objective": "ppo",
                                      "kl": {"coefficient": 0.2, "estimator": "k3", "corrected": True}}, 1.0),
    ("reinforce-entropy", QWEN2_TIED, {"entropyCoefficient": 0.3, "temperature": 1.25}, 0.5),
    ("reinforce-entropy-large", QWEN3_UNTIED, {"entropyCoefficient": -0.5, "aggregation": "constant",
                                               "aggregationConstant": 16}, 0.5),
]
CRITIC = QWEN2_TIED | sizes(61, 32, 48, 2, 2, 1)
CLIP = 0.2


def policy_case(number, name, config_json, changes, scale):
    options = DEFAULTS | changes
    seed = 3000 + number
    model, config = load(config_json, seed, "F32")
    exact = parameters_of(model, seed, "F32")

    def forward(tokens):
        return logits_of(exact, config, tokens)

    generator = np.random.default_rng(seed)
    batches = [batch_of(generator, shapes, scale, forward, config, options) for shapes in BATCHES]
    stats = train(forward, list(exact.values()), batches, options)
    print(f"{name}: loss {stats[0]['loss']:.4f} to {stats[-1]['loss']:.4f}")
    return {"name": name, "seed": seed, "storage": "F32", "shards": 1, "config": config_json, "options": options,
            "batches": batches, "stats": stats, "final": {key: pack(exact[key]) for key in KEPT}}


def values_of(parameters, config, sequence):
    hidden = hidden_of(parameters, config, sequence["tokens"])[sequence["promptLength"] - 1 : -1]
    return hidden @ parameters["value_head.weight"][0]


def value_batch(generator, shapes, config):
    sequences = []
    for number, (length, prompt_length) in enumerate(shapes):
        response = length - prompt_length
        sequence = {"tokens": tokens_of(generator, length, config.vocab_size), "promptLength": prompt_length,
                    "returns": short(generator.normal(size=response)),
                    "oldValues": short(generator.normal(size=response) * 0.2)}
        if number % 3 == 1:
            sequence["mask"] = generator.integers(0, 2, size=response).tolist()
            sequence["mask"][0] = 1
        sequences.append(sequence)
    return sequences


def critic_case(name, seed):
    """`critic`: a network of its own; `trunk-critic`: the head alone learns."""
    model, config = load(CRITIC, seed, "F32")
    exact = parameters_of(model, seed, "F32")
    exact["value_head.weight"] = torch.zeros(1, config.hidden_size, dtype=torch.float64, requires_grad=True)
    generator = np.random.default_rng(seed)
    batches = [value_batch(generator, shapes, config) for shapes in BATCHES]
    options = {key: DEFAULTS[key] for key in ("learningRate", "betas", "eps", "weightDecay", "maxGradNorm")}
    options |= {"clip": CLIP, "aggregation": "token-mean", "learningRate": 5e-3}
    learnt = list(exact.values()) if name == "critic" else [exact["value_head.weight"]]
    optimizer = torch.optim.AdamW(learnt, lr=options["learningRate"], betas=tuple(options["betas"]),
                                  eps=options["eps"], weight_decay=options["weightDecay"])
    stats = []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        losses, masks, shares = [], [], []
        for sequence in batch:
            values = values_of(exact, config, sequence)
            returns, old = (torch.tensor(sequence[key], dtype=values.dtype) for key in ("returns", "oldValues"))
            near = torch.maximum(torch.minimum(values, old + CLIP), old - CLIP)
            plain, bounded = (values - returns).square(), (near - returns).square()
            losses.append(0.5 * torch.maximum(plain, bounded))
            masks.append(mask_of(sequence, values.dtype))
            shares.append((bounded > plain).double())
        loss = aggregate(losses, masks, "token-mean")
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(learnt, options["maxGradNorm"])
        optimizer.step()
        entry = {"loss": loss.item(), "gradNorm": norm.item(),
                 "clipFraction": aggregate(shares, masks, "token-mean").item()}
        stats.append({key: float(f"{value:.9g}") for key, value in entry.items()})
    print(f"{name}: loss {stats[0]['loss']:.4f} to {stats[-1]['loss']:.4f}, clipped {stats[-1]['clipFraction']:.2f}")
    values = [pack(values_of(exact, config, sequence)) for sequence in batches[0]]
    return {"name": name, "seed": seed, "storage": "F32", "shards": 1, "config": CRITIC, "options": options,
            "batches": batches, "stats": stats, "values": values,
            "final": {key: pack(exact[key]) for key in ((*KEPT, "value_head.weight") if name == "critic" else ("value_head.weight",))}}


if __name__ == "__main__":
    torch.set_num_threads(1)
    cases = [policy_case(number, *case) for number, case in enumerate(CASES)]
    write_json("objectives.json", {"torch": torch.__version__.split("+")[0], "steps": STEPS,
                                   "cases": [*cases, critic_case("critic", 3100), critic_case("trunk-critic", 3101)]})
