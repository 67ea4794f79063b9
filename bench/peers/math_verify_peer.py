#!/usr/bin/env python3
"""Runs Math-Verify 0.9.0 over verifier cases, for comparison with our verifier (bench/verifier.mjs --peer).

Set-up, in a folder outside the clone:
    python3 -m venv DIR && DIR/bin/pip install math-verify==0.9.0
Run:
    DIR/bin/python bench/peers/math_verify_peer.py cases.jsonl [--repeat 3] [--isolate --limit-s 10]

One setting for every case: LaTeX with the box first, and plain expressions, for gold and prediction alike.
A gold without math delimiters or a box is wrapped in $...$, because the LaTeX reader would not see it.
A gold that does not parse gives null. Prints one JSON object: rates of the timed passes and a verdict per id.
With --isolate each case runs once in a forked child with a time limit and 4 GiB of address space, so that
a hang or a crash costs one case; the rate then includes the forks.
"""
import argparse
import json
import logging
import os
import re
import resource
import select
import signal
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify  # noqa: E402
from math_verify.errors import TimeoutException  # noqa: E402

TARGETS = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
DELIMITED = re.compile(r"(?<!\\)\$|\\boxed|\\\(|\\\[")
ADDRESS_SPACE = 4 << 30
# What the parent judges before it forks, so that no child pays for a cold parser.
WARM_UP = [
    (r"\frac{1}{2}", r"So $x = \boxed{\sqrt{2}^{3} + \binom{5}{2}! - \log_2 8 \cdot \sum_{k=1}^{4} k}$."),
    (r"\{1, 2\}", r"The answer is $\boxed{(0, 1] \cup \{3, 4\}}$."),
    (r"x > 5", r"The answer is $x \ge 5 \text{ or } \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$."),
    ("12", "The answer is 13."),
]


def expand(generator):
    text = generator.get
    return (
        text("prefix", "")
        + text("unit", "") * text("times", 0)
        + text("middle", "")
        + text("unit2", "") * text("times2", 0)
        + text("suffix", "")
    )


def read_cases(path):
    cases = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():
                continue
            row = json.loads(line)
            if row.get("label") == "wrong":
                continue
            gold = expand(row["goldGenerator"]) if "goldGenerator" in row else row["gold"]
            generator = row.get("completionGenerator") or row.get("predGenerator")
            completion = expand(generator) if generator else row.get("completion", row.get("pred"))
            cases.append((row["id"], gold, completion))
    return cases


def judge(gold, completion):
    """The verdict, the name of an error or None, and the time in ms."""
    start = time.perf_counter()
    error = None
    try:
        parsed = parse(gold if DELIMITED.search(gold) else f"${gold}$", TARGETS)
        verdict = bool(verify(parsed, parse(completion, TARGETS))) if parsed else None
    except TimeoutException:
        verdict, error = False, "timeout"
    except Exception as caught:  # whatever fails in the peer is an error of that case
        verdict, error = False, type(caught).__name__
    return verdict, error, (time.perf_counter() - start) * 1e3


def judge_isolated(gold, completion, limit):
    reader, writer = os.pipe()
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        os.write(writer, json.dumps(judge(gold, completion)).encode())
        os._exit(0)
    os.close(writer)
    ready = bool(select.select([reader], [], [], limit)[0])
    data = os.read(reader, 65536) if ready else b""
    os.close(reader)
    if not data:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if data:
        return tuple(json.loads(data))
    return False, "died" if ready else "hang", (time.perf_counter() - start) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--repeat", type=int, default=3, help="timed passes after one warm-up pass")
    parser.add_argument("--isolate", action="store_true")
    parser.add_argument("--limit-s", type=float, default=10)
    options = parser.parse_args()
    cases = read_cases(options.file)

    rates, times = [], {case[0]: [] for case in cases}
    if options.isolate:
        for gold, completion in WARM_UP:
            judge(gold, completion)
        start = time.perf_counter()
        results = [judge_isolated(gold, completion, options.limit_s) for _, gold, completion in cases]
        rates.append(len(cases) / (time.perf_counter() - start))
        for (name, _, _), (_, _, ms) in zip(cases, results):
            times[name].append(ms)
    else:
        results = [judge(gold, completion) for _, gold, completion in cases]
        for _ in range(options.repeat):
            start = time.perf_counter()
            timed = [judge(gold, completion)[2] for _, gold, completion in cases]
            rates.append(len(cases) / (time.perf_counter() - start))
            for (name, _, _), ms in zip(cases, timed):
                times[name].append(ms)

    usage = resource.getrusage(resource.RUSAGE_CHILDREN if options.isolate else resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rates": rates,
                "times": times,
                "peakRssMiB": usage.ru_maxrss / 1024,
                "verdicts": {
                    case[0]: {"correct": verdict, "reason": error or "", "ms": ms}
                    for case, (verdict, error, ms) in zip(cases, results)
                },
            }
        )
    )


main()
