"""data/estimators.json: advantages of every estimator and numeric mode on batches that are hard on them.

    python3 test/golden/estimators.py

Standard library only. The formulas are written down once per framework, each over padded (N, T) rows with a mask as the
frameworks hold them, so that nothing is shared with the code under test but the paper. "default" is the formula that the
docstring of the estimator states.
"""

import itertools
import json
import math
import pathlib
import random

DATA = pathlib.Path(__file__).parent / "data"
BETA = 0.1
GAMMA, LAMBDA = 0.97, 0.9


def mean(values):
    return sum(values) / len(values)


def std(values):
    m = mean(values)
    return math.sqrt(sum((v - m) ** 2 for v in values) / (len(values) - 1))


def clip(value, limit=10.0):
    return max(-limit, min(limit, value))


# ---- batches --------------------------------------------------------------------------------------------------------

def turns(generator, length):
    """1s of the policy with a run of observation tokens in between; both ends belong to the policy."""
    if length < 3:
        return [1] * length
    start = generator.randrange(1, length - 1)
    end = generator.randrange(start, length - 1) + 1
    return [0 if start <= t < end else 1 for t in range(length)]


def scattered(generator, length):
    mask = [generator.randrange(2) for _ in range(length)]
    mask[generator.randrange(length)] = 1
    return mask


def batch(seed, sizes, longest, reward, mask=None, kl=lambda g: g.gauss(0, 0.5)):
    g = random.Random(seed)
    groups = [name for name, size in enumerate(sizes, 5) for _ in range(size)]
    g.shuffle(groups)
    lengths = [g.randrange(1, longest + 1) for _ in groups]
    greedy = {name: reward(g) for name in set(groups)}
    short = lambda values: [round(v, 3) for v in values]
    result = {
        "rewards": short(reward(g) for _ in groups),
        "groups": groups,
        "lengths": lengths,
        "kl": [short(kl(g) for _ in range(n)) for n in lengths],
        "values": [short(g.gauss(0, 0.5) for _ in range(n)) for n in lengths],
        "greedyRewards": short(greedy[name] for name in groups),
    }
    if mask:
        result["mask"] = [mask(g, n) for n in lengths]
    return result


ONE_OR_ZERO = lambda g: float(g.randrange(2))
NORMAL = lambda g: g.gauss(0, 1)
SURVEY = {
    "rewards": [1, 0, 0, 1, 0, 0, 1, 0], "groups": [0, 0, 0, 0, 1, 1, 1, 1], "lengths": [2, 3, 1, 4, 3, 2, 2, 1],
    "kl": [[0.5] * n for n in [2, 3, 1, 4, 3, 2, 2, 1]], "values": [[0.25] * n for n in [2, 3, 1, 4, 3, 2, 2, 1]],
    "greedyRewards": [1, 1, 1, 1, 0, 0, 0, 0],
}
BATCHES = {
    "two prompts of four": SURVEY,
    "uneven lengths and groups": batch(1, [2, 5, 3, 4], 9, NORMAL),
    "scattered masks": batch(2, [4, 4, 3], 8, ONE_OR_ZERO, scattered),
    "multi-turn masks": batch(3, [3, 4, 5], 12, NORMAL, turns),
    "equal rewards": batch(4, [3, 3], 6, lambda g: 0.1),
    "rewards and KL beyond ten": batch(5, [4, 3], 5, lambda g: g.gauss(0, 20), kl=lambda g: g.gauss(0, 12)),
    "groups of one": batch(6, [1, 3, 1, 2], 6, NORMAL),
}


# ---- shared steps of the frameworks ---------------------------------------------------------------------------------

def masks_of(b):
    return b.get("mask") or [[1] * n for n in b["lengths"]]


def members(b):
    return [[i for i, g in enumerate(b["groups"]) if g == name] for name in dict.fromkeys(b["groups"])]


def per_group(b, values, rule):
    out = [0.0] * len(values)
    for group in members(b):
        for i, v in zip(group, rule([values[i] for i in group], group)):
            out[i] = v
    return out


def last_active(mask):
    return max(t for t, m in enumerate(mask) if m)


def token_rewards(scores, kls, masks, beta):
    rows = []
    for score, kl, mask in zip(scores, kls, masks):
        row = [-beta * k * m for k, m in zip(kl, mask)]
        row[last_active(mask)] += score
        rows.append(row)
    return rows


def to_go(rows, masks):
    out = []
    for row, mask in zip(rows, masks):
        out.append([sum(r * m for r, m in zip(row[t:], mask[t:])) for t in range(len(row))])
    return out


def masked(rows, masks):
    return [[v * m for v, m in zip(row, mask)] for row, mask in zip(rows, masks)]


def tile(values, masks):
    return [[v * m for m in mask] for v, mask in zip(values, masks)]


def whiten(rows, masks, bessel):
    flat = [v for row, mask in zip(rows, masks) for v, m in zip(row, mask) if m]
    m = mean(flat)
    variance = sum((v - m) ** 2 for v in flat) / len(flat)
    if bessel:
        scale = 1 / math.sqrt(variance * len(flat) / (len(flat) - 1) + 1e-8)
    else:
        scale = 1 / math.sqrt(max(variance, 1e-8))
    return masked([[(v - m) * scale for v in row] for row in rows], masks)


def sums(b, beta):
    return [r - beta * sum(k * m for k, m in zip(kl, mask)) for r, kl, mask in zip(b["rewards"], b["kl"], masks_of(b))]


def leave_one_out(r, _):
    return [v - (sum(r) - v) / (len(r) - 1) for v in r] if len(r) > 1 else [0.0]


def less_mean(r, _):
    return [v - mean(r) for v in r]


def normalised(eps, r):
    return [(v - mean(r)) / (std(r) + eps) for v in r] if len(r) > 1 else [0.0]


# ---- OpenRLHF: scalar baseline, clamp, KL per token, reward to go, whitening ----------------------------------------

def openrlhf(name, b, beta):
    masks = masks_of(b)
    rules = {
        "rloo": leave_one_out, "reinforce++-baseline": less_mean, "dr-grpo": less_mean,
        "grpo": lambda r, g: normalised(1e-9, r),
    }
    if name in rules and any(len(g) == 1 for g in members(b)):
        return None  # refused
    scores = per_group(b, b["rewards"], rules[name]) if name in rules else b["rewards"]
    kls = [[clip(k) for k in row] for row in b["kl"]]
    rewards = token_rewards([clip(s) for s in scores], kls, masks, beta)
    if name == "ppo":
        rows = []
        for row, values, mask in zip(masked(rewards, masks), masked(b["values"], masks), masks):
            last, advantages = 0.0, []
            for t in reversed(range(len(row))):
                following = values[t + 1] if t + 1 < len(row) else 0.0
                last = row[t] + GAMMA * following - values[t] + GAMMA * LAMBDA * last
                advantages.append(last)
            rows.append(advantages[::-1])
        return whiten(rows, masks, False)
    returns = to_go(rewards, masks)
    if name in ("reinforce++", "reinforce++-baseline"):
        return whiten(returns, masks, False)
    return masked(returns, masks)


# ---- verl: the score of a sequence is the sum of its token rewards --------------------------------------------------

def verl_gae(rewards, b, masks):
    rows = []
    for row, values, mask in zip(rewards, b["values"], masks):
        following, last, advantages = 0.0, 0.0, []
        for t in reversed(range(len(row))):
            delta = row[t] + GAMMA * following - values[t]
            candidate = delta + GAMMA * LAMBDA * last
            following = values[t] * mask[t] + (1 - mask[t]) * following
            last = candidate * mask[t] + (1 - mask[t]) * last
            advantages.append(last)
        rows.append(advantages[::-1])
    return rows


def verl_pass(r, group):
    best = r.index(max(r))
    second = max(r[:best] + r[best + 1:])
    return [(r[best] - second) / (std(r) + 1e-6) if i == best else 0.0 for i in range(len(r))]


def verl(name, b, beta):
    masks = masks_of(b)
    rewards = token_rewards(b["rewards"], b["kl"], masks, beta)
    scores = [sum(row) for row in rewards]
    if name == "ppo":
        return whiten(verl_gae(rewards, b, masks), masks, True)
    if name == "reinforce++":
        return whiten(to_go(rewards, masks), masks, True)
    if name == "remax":
        returns = to_go(rewards, masks)
        return masked([[v - g for v in row] for row, g in zip(returns, b["greedyRewards"])], masks)
    if name == "pass-at-k":
        if any(len(g) == 1 for g in members(b)):
            return None  # refused
        return tile(per_group(b, scores, verl_pass), masks)
    raw = lambda rule: lambda r, g: rule(r, g) if len(r) > 1 else r
    lengths = [sum(mask) for mask in masks]
    rules = {
        "rloo": raw(lambda r, g: [v * len(r) / (len(r) - 1) - mean(r) * len(r) / (len(r) - 1) for v in r]),
        "grpo": lambda r, g: normalised(1e-6, r) if len(r) > 1 else [r[0] / (1 + 1e-6)],
        "dr-grpo": raw(less_mean), "reinforce++-baseline": raw(less_mean),
        "opo": raw(lambda r, g: [v - sum(s * lengths[i] for s, i in zip(r, g)) / sum(lengths[i] for i in g) for v in r]),
    }
    rows = tile(per_group(b, scores, rules[name]), masks)
    return whiten(rows, masks, True) if name == "reinforce++-baseline" else rows


# ---- TRL ------------------------------------------------------------------------------------------------------------

def trl(name, b, beta):
    masks = masks_of(b)
    if name == "ppo":
        return whiten(verl_gae(token_rewards(b["rewards"], b["kl"], masks, beta), b, masks), masks, True)
    if name == "rloo":
        return tile(per_group(b, sums(b, beta), leave_one_out), masks)
    if beta != 0:
        return None  # refused
    rule = less_mean if name == "dr-grpo" else lambda r, g: normalised(1e-4, r)
    return tile(per_group(b, b["rewards"], rule), masks)


# ---- the formulas of our docstrings ---------------------------------------------------------------------------------

def gain(k):
    """By enumeration of the subsets."""
    def rule(r, _):
        n, size = len(r), min(k, len(r))
        if size == 1:  # no other sample of the subset to lead
            return leave_one_out(r, None)
        out = []
        for i in range(n):
            rest = [j for j in range(n) if j != i]
            leads = []
            for others in itertools.combinations(rest, size - 1):
                without = max(r[j] for j in others)
                leads.append(max(without, r[i]) - without)
            out.append(size * mean(leads))
        return out
    return rule


def default(name, b, beta, k=2):
    masks = masks_of(b)
    rewards = token_rewards(b["rewards"], b["kl"], masks, beta)
    if name == "reinforce":
        return masked([[v - 0.25 for v in row] for row in to_go(rewards, masks)], masks)
    if name == "reinforce++":
        return whiten(to_go(rewards, masks), masks, False)
    if name == "reinforce++-baseline":
        centred = per_group(b, b["rewards"], less_mean)
        return whiten(to_go(token_rewards(centred, b["kl"], masks, beta), masks), masks, False)
    if name == "remax":
        return masked([[v - g for v in row] for row, g in zip(to_go(rewards, masks), b["greedyRewards"])], masks)
    if name == "ppo":
        return whiten(verl_gae(rewards, b, masks), masks, False)
    lengths = [sum(mask) for mask in masks]
    rules = {
        "rloo": leave_one_out, "grpo": lambda r, g: normalised(1e-6, r), "dr-grpo": less_mean, "pass-at-k": gain(k),
        "opo": lambda r, g: [v - sum(s * lengths[i] for s, i in zip(r, g)) / sum(lengths[i] for i in g) for v in r],
    }
    return tile(per_group(b, sums(b, beta), rules[name]), masks)


MODES = {
    "reinforce": [default], "rloo": [default, openrlhf, verl, trl], "reinforce++": [default, openrlhf, verl],
    "reinforce++-baseline": [default, openrlhf, verl], "grpo": [default, openrlhf, verl, trl],
    "dr-grpo": [default, openrlhf, verl, trl], "remax": [default, verl], "opo": [default, verl],
    "pass-at-k": [default, verl], "ppo": [default, openrlhf, verl, trl],
}
EXTRA = {"reinforce": {"baseline": 0.25}, "ppo": {"gamma": GAMMA, "lambda": LAMBDA}}


def cases():
    for (title, b), (name, modes), beta in itertools.product(BATCHES.items(), MODES.items(), (0, BETA)):
        for mode in modes:
            options = {"numerics": mode.__name__, "klCoefficient": beta} | EXTRA.get(name, {})
            yield {"batch": title, "name": name, "options": options, "advantages": mode(name, b, beta)}
        if name == "pass-at-k":
            for k in (1, 3, 4):
                options = {"klCoefficient": beta, "k": k}
                yield {"batch": title, "name": name, "options": options, "advantages": default(name, b, beta, k)}


if __name__ == "__main__":
    done = [{**case, "advantages": case["advantages"] and [[float(f"{v:.9g}") for v in row] for row in case["advantages"]]}
            for case in cases()]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in done)
    head = json.dumps(BATCHES, separators=(",", ":"))
    path = DATA / "estimators.json"
    path.write_text(f'{{"batches":{head},"cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(done)} cases, {path.stat().st_size / 1024:.0f} KiB")
