"""data/truncation.json: ten steps on rollouts whose draws kept a part of the vocabulary, in float64.

    venv/bin/python test/golden/truncation.py          (set-up: see logits.py)

Made with torch 2.11.0. Every log-prob, ratio, KL, entropy and gradient is that of the distribution renormalised over the kept
tokens of its position (`kept`: their ids, null where all were), which stay the same in all steps. `keptLogProbs` are those of
the first batch before the first step.
"""

import numpy as np
import torch

from decoder import logits_of, parameters_of
from fixture import pack, write_json
from logits import load
from objectives import KEPT, NARROW
from steps import BATCHES, DEFAULTS, QWEN2_TIED, QWEN3_UNTIED, STEPS, batch_of, rows_of, short, train

# name, config.json, step options that differ from those of steps.py
CASES = [
    ("reinforce-kept", QWEN2_TIED, {"temperature": 0.8}),
    ("ppo-kl-entropy-kept", QWEN2_TIED, {"objective": "ppo", "kl": {"coefficient": 0.1, "estimator": "k3"},
                                         "entropyCoefficient": 0.1, "temperature": 1.25}),
    ("gspo-kept", QWEN3_UNTIED, {"objective": "gspo", "clip": NARROW, "aggregation": "seq-mean-token-mean"}),
]


def kept_of(generator, rows, targets):
    """Per row the most likely tokens, one to nearly all of them, and the token that was drawn; now and then all."""
    sets = []
    for row, target in zip(rows, targets):
        if generator.random() < 0.2:
            sets.append(None)
            continue
        count = int(generator.integers(1, max(2, int(len(row) ** generator.random()))))
        sets.append(sorted({*row.argsort(descending=True)[:count].tolist(), target}))
    return sets


def truncate(generator, batch, forward, options):
    for sequence in batch:
        start = sequence["promptLength"]
        with torch.no_grad():
            sequence["kept"] = kept_of(generator, rows_of(forward, sequence, options)[0], sequence["tokens"][start:])
            log_probs = rows_of(forward, sequence, options)[1].numpy()
        for key, noise in (("oldLogProbs", 0.2), ("referenceLogProbs", 0.3)):
            if key in sequence:
                sequence[key] = short(log_probs + generator.normal(size=len(log_probs)) * noise)


def case_of(number, name, config_json, changes):
    options = DEFAULTS | changes
    seed = 4000 + number
    model, config = load(config_json, seed, "F32")
    exact = parameters_of(model, seed, "F32")

    def forward(tokens):
        return logits_of(exact, config, tokens)

    generator = np.random.default_rng(seed)
    batches = [batch_of(generator, shapes, 1.0, forward, config, options) for shapes in BATCHES]
    for batch in batches:
        truncate(generator, batch, forward, options)
    with torch.no_grad():
        log_probs = [pack(rows_of(forward, sequence, options)[1]) for sequence in batches[0]]
    stats = train(forward, list(exact.values()), batches, options)
    print(f"{name}: loss {stats[0]['loss']:.4f} to {stats[-1]['loss']:.4f}")
    return {"name": name, "seed": seed, "storage": "F32", "shards": 1, "config": config_json, "options": options,
            "batches": batches, "keptLogProbs": log_probs, "stats": stats,
            "final": {key: pack(exact[key]) for key in KEPT}}


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_json("truncation.json", {"torch": torch.__version__.split("+")[0], "steps": STEPS,
                                   "cases": [case_of(number, *case) for number, case in enumerate(CASES)]})
