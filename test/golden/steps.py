"""data/steps.json: ten policy-gradient steps with AdamW in float64, and every parameter after them.

    venv/bin/python test/golden/steps.py          (set-up: see logits.py)

Made with torch 2.11.0, transformers 5.23.0. The gradients come from decoder.py and autograd, the update
from torch.optim.AdamW and clip_grad_norm_. Every case is run once more with the float32 model of
transformers itself; `float32Distance` is the largest distance of a parameter after the ten steps.
"""

import numpy as np
import torch

from configs import LLAMA, LLAMA3_SCALING, MISTRAL, OLMO2, QWEN2, QWEN3, SMOLLM3, sizes
from decoder import logits_of, parameters_of
from fixture import pack, tokens_of, write_json
from logits import load
from transformers import __version__ as transformers_version

STEPS = 10
# (length, promptLength) of the sequences of the two batches that take turns.
BATCHES = [[(12, 4), (40, 9), (7, 1), (23, 16), (30, 3), (9, 8)], [(64, 20), (5, 2), (18, 6), (33, 5)]]

QWEN2_TIED = QWEN2 | sizes(61, 32, 48, 2, 2, 1) | {"tie_word_embeddings": True, "rope_theta": 10000.0}
QWEN3_UNTIED = QWEN3 | sizes(53, 40, 40, 2, 2, 1) | {
    "head_dim": 24, "tie_word_embeddings": False, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}
LLAMA_SCALED = LLAMA | sizes(71, 32, 64, 2, 2, 2) | {
    "head_dim": 16, "tie_word_embeddings": True,
    "rope_parameters": LLAMA3_SCALING | {"original_max_position_embeddings": 16, "rope_theta": 500.0}}
MISTRAL_UNTIED = MISTRAL | sizes(47, 32, 40, 2, 2, 1) | {
    "head_dim": 24, "tie_word_embeddings": False, "sliding_window": None, "rope_theta": 10000.0}
OLMO2_UNTIED = OLMO2 | sizes(43, 32, 48, 2, 2, 1) | {"tie_word_embeddings": False, "rope_theta": 10000.0}
SMOLLM3_TIED = SMOLLM3 | sizes(45, 32, 40, 2, 2, 1) | {
    "tie_word_embeddings": True, "no_rope_layers": [1, 0], "rope_theta": 10000.0}

NO_KL = {"coefficient": 0, "estimator": "k2"}
DEFAULTS = {
    "objective": "reinforce", "clip": {"low": 0.2, "high": 0.28}, "kl": NO_KL, "aggregation": "token-mean",
    "temperature": 1.0, "learningRate": 1e-3, "betas": [0.9, 0.95], "eps": 1e-5, "weightDecay": 0.0, "maxGradNorm": 1.0,
}

# name, config.json, step options that differ from DEFAULTS, scale of the advantages
CASES = [
    ("qwen2-reinforce-token-mean", QWEN2_TIED, {"temperature": 0.8}, 2.0),
    ("qwen2-ppo-k3-seq-mean-token-sum", QWEN2_TIED, {
        "objective": "ppo", "kl": {"coefficient": 0.1, "estimator": "k3"}, "aggregation": "seq-mean-token-sum",
        "weightDecay": 0.1}, 1.0),
    ("qwen3-ppo-k2-seq-mean-token-mean", QWEN3_UNTIED, {
        "objective": "ppo", "kl": {"coefficient": 0.1, "estimator": "k2"}, "aggregation": "seq-mean-token-mean",
        "weightDecay": 0.1}, 0.125),
    ("qwen3-reinforce-k3-token-mean", QWEN3_UNTIED, {
        "kl": {"coefficient": 0.1, "estimator": "k3"}, "temperature": 1.25}, 1.0),
    ("llama-reinforce-seq-mean-token-mean", LLAMA_SCALED, {"aggregation": "seq-mean-token-mean", "weightDecay": 0.1}, 0.0625),
    ("llama-ppo-token-mean", LLAMA_SCALED, {
        "objective": "ppo", "kl": {"coefficient": 0.1, "estimator": "k2"}, "temperature": 0.8, "maxGradNorm": 0.25}, 1.0),
    ("mistral-reinforce-token-mean", MISTRAL_UNTIED, {"weightDecay": 0.1}, 1.0),
    ("olmo2-ppo-k3-token-mean", OLMO2_UNTIED, {
        "objective": "ppo", "kl": {"coefficient": 0.1, "estimator": "k3"}}, 1.0),
    ("smollm3-reinforce-seq-mean-token-mean", SMOLLM3_TIED, {
        "aggregation": "seq-mean-token-mean", "temperature": 0.8, "weightDecay": 0.1}, 0.125),
]


def clipped(ratio, advantages, clip):
    """The clipped surrogate; with a dual clip c at most -c·A where A < 0."""
    loss = -torch.minimum(ratio * advantages, ratio.clamp(1 - clip["low"], 1 + clip["high"]) * advantages)
    if clip.get("dual", 0) > 0:
        loss = torch.where(advantages < 0, torch.minimum(loss, -clip["dual"] * advantages), loss)
    return loss


def policy_loss(log_probs, sequence, options):
    advantages = torch.as_tensor(sequence["advantages"], dtype=log_probs.dtype)
    if options["objective"] == "reinforce":
        return -advantages * log_probs
    clip = options["clip"]
    difference = log_probs - torch.tensor(sequence["oldLogProbs"], dtype=log_probs.dtype)
    if options["objective"] == "ppo":
        return clipped(difference.exp(), advantages, clip)
    if options["objective"] == "cispo":
        return -difference.exp().clamp(1 - clip["low"], 1 + clip["high"]).detach() * advantages * log_probs
    assert options["objective"] == "gspo"
    mask = mask_of(sequence, log_probs.dtype)
    if options.get("sequenceRatio") == "product":
        # One loss for the response, spread over its tokens; differentiated as it stands.
        return clipped((difference * mask).sum().exp(), advantages, clip).expand(len(log_probs)) / mask.sum()
    ratio = ((difference * mask).sum() / mask.sum()).exp()
    if advantages.dim() == 0:
        return clipped(ratio, advantages, clip).expand(len(log_probs))
    # GSPO-token: the value of the sequence ratio, the gradient of each token's own log-prob.
    return clipped(ratio.detach() * (log_probs - log_probs.detach()).exp(), advantages, clip)


def token_loss(rows, log_probs, sequence, options):
    """Loss per response token; see StepOptions in src/policy/types.ts for the formulas."""
    loss = policy_loss(log_probs, sequence, options)
    if options.get("entropyCoefficient", 0) != 0:
        loss = loss + options["entropyCoefficient"] * (rows.exp() * rows).sum(-1)
    if options["kl"]["coefficient"] != 0:
        difference = torch.tensor(sequence["referenceLogProbs"], dtype=log_probs.dtype) - log_probs
        k = difference.square() / 2 if options["kl"]["estimator"] == "k2" else difference.exp() - 1 - difference
        if options["kl"].get("corrected"):
            k = k * (log_probs - torch.tensor(sequence["oldLogProbs"], dtype=log_probs.dtype)).exp()
        loss = loss + options["kl"]["coefficient"] * k
    return loss


def aggregate(losses, masks, aggregation, constant=None):
    sums = [(loss * mask).sum() for loss, mask in zip(losses, masks)]
    if aggregation == "token-mean":
        return sum(sums) / sum(mask.sum() for mask in masks)
    if aggregation == "seq-mean-token-mean":
        return sum(total / mask.sum() for total, mask in zip(sums, masks)) / len(sums)
    if aggregation == "constant":
        return sum(sums) / (len(sums) * constant)
    assert aggregation == "seq-mean-token-sum"
    return sum(sums) / len(sums)


def rows_of(forward, sequence, options):
    """log_softmax rows (response, V), over the tokens of sequence["kept"] where it has any, and the log-probs (response,)."""
    start = sequence["promptLength"]
    scaled = forward(sequence["tokens"])[start - 1 : -1] / options["temperature"]
    for row, kept in enumerate(sequence.get("kept", [])):
        if kept is not None:
            dropped = torch.ones(scaled.shape[1], dtype=torch.bool).index_fill(0, torch.tensor(kept), False)
            scaled = scaled.masked_fill(dropped & (torch.arange(scaled.shape[0]) == row)[:, None], -1e4)
    rows = scaled.log_softmax(-1)
    return rows, rows.gather(1, torch.tensor(sequence["tokens"][start:])[:, None])[:, 0]


def mask_of(sequence, dtype):
    return torch.tensor(sequence.get("mask", [1] * (len(sequence["tokens"]) - sequence["promptLength"])), dtype=dtype)


def train(forward, parameters, batches, options):
    optimizer = torch.optim.AdamW(parameters, lr=options["learningRate"], betas=tuple(options["betas"]),
                                  eps=options["eps"], weight_decay=options["weightDecay"])
    stats = []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        outputs = [rows_of(forward, sequence, options) for sequence in batch]
        masks = [mask_of(sequence, parameters[0].dtype) for sequence in batch]
        losses = [token_loss(*output, sequence, options) for output, sequence in zip(outputs, batch)]
        loss = aggregate(losses, masks, options["aggregation"], options.get("aggregationConstant"))
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, options["maxGradNorm"])
        optimizer.step()
        count = sum(mask.sum() for mask in masks)
        entropy = sum((-(rows.exp() * rows).sum(-1) * mask).sum() for (rows, _), mask in zip(outputs, masks)) / count
        entry = {"loss": loss.item(), "gradNorm": norm.item(), "entropy": entropy.item()}
        if "referenceLogProbs" in batch[0]:
            entry["kl"] = (sum(
                ((log_probs - torch.tensor(sequence["referenceLogProbs"])) * mask).sum()
                for (_, log_probs), sequence, mask in zip(outputs, batch, masks)
            ) / count).item()
        stats.append({key: float(f"{value:.9g}") for key, value in entry.items()})
    return stats


def short(values) -> list[float]:
    """Few digits, exact in float32."""
    return [round(value * 1024) / 1024 for value in values]


def batch_of(generator, shapes, scale, forward, config, options):
    sequences = []
    for number, (length, prompt_length) in enumerate(shapes):
        response = length - prompt_length
        per_token = number % 2 == 1 and options.get("sequenceRatio") != "product"
        advantages = short(generator.normal(size=response if per_token else 1) * scale)
        sequence = {"tokens": tokens_of(generator, length, config.vocab_size), "promptLength": prompt_length,
                    "advantages": advantages if per_token else advantages[0]}
        if number % 3 == 1:
            sequence["mask"] = generator.integers(0, 2, size=response).tolist()
            sequence["mask"][0] = 1
        with torch.no_grad():
            log_probs = rows_of(forward, sequence, options)[1].numpy()
        if options["objective"] != "reinforce":
            sequence["oldLogProbs"] = short(log_probs + generator.normal(size=response) * 0.2)
        if options["kl"]["coefficient"] != 0:
            sequence["referenceLogProbs"] = short(log_probs + generator.normal(size=response) * 0.3)
        sequences.append(sequence)
    return sequences


def case_of(number, name, config_json, changes, scale):
    options = DEFAULTS | changes
    seed = 2000 + number
    model, config = load(config_json, seed, "F32")
    exact = parameters_of(model, seed, "F32")

    def forward(tokens):
        return logits_of(exact, config, tokens)

    generator = np.random.default_rng(seed)
    batches = [batch_of(generator, shapes, scale, forward, config, options) for shapes in BATCHES]
    start = {key: value.detach().clone() for key, value in exact.items()}
    stats = train(forward, list(exact.values()), batches, options)
    train(lambda tokens: model(torch.tensor([tokens])).logits[0], list(model.parameters()), batches, options)
    distance = max((value - exact[key]).abs().max().item() for key, value in model.named_parameters())
    moved = max((exact[key] - start[key]).abs().max().item() for key in exact)
    clipped = sum(entry["gradNorm"] > options["maxGradNorm"] for entry in stats)
    print(f"{name}: {sum(v.numel() for v in exact.values())} parameters moved up to {moved:.4f}, "
          f"float32 off by {distance:.1e}, clipped in {clipped} of {STEPS}, loss {stats[0]['loss']:.4f} to {stats[-1]['loss']:.4f}")
    assert distance < 2e-5
    return {
        "name": name, "seed": seed, "storage": "F32", "shards": 1, "config": config_json, "options": options,
        "batches": batches, "stats": stats, "float32Distance": float(f"{distance:.1e}"),
        "final": {key: pack(value) for key, value in exact.items()},
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_json("steps.json", {
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers_version,
        "steps": STEPS,
        "cases": [case_of(number, *case) for number, case in enumerate(CASES)],
    })
