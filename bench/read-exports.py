"""Reads what a run exports with the tools that it is for, and checks it against metrics.jsonl and rollouts/.

    python -m venv venv && venv/bin/pip install tensorboard pandas pyarrow
    npx zero-rl export RUN --rollouts rollouts.parquet --metrics metrics.csv
    venv/bin/python bench/read-exports.py RUN rollouts.parquet metrics.csv
"""

import json
import math
import pathlib
import sys

import pandas
import pyarrow.parquet
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def rows_of(file):
    # splitlines() would also break at line separators within completions.
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


run, rollouts_file, metrics_file = map(pathlib.Path, sys.argv[1:4])
metrics = rows_of(run / "metrics.jsonl")
steps = [row for row in metrics if row["step"] > 0]

events = EventAccumulator(str(run), size_guidance={"scalars": 0})
events.Reload()
scalars = events.Scalars("train/rewardMean")
assert [event.step for event in scalars] == [row["step"] for row in steps], "steps of the events"
assert all(math.isclose(event.value, row["rewardMean"], rel_tol=1e-6, abs_tol=1e-7) for event, row in zip(scalars, steps))
assert [event.wall_time for event in scalars] == sorted(event.wall_time for event in scalars), "times of the events"

expected = [row for file in sorted((run / "rollouts").glob("step-*.jsonl")) for row in rows_of(file)]
table = pandas.read_parquet(rollouts_file)
assert list(table["completion"]) == [row["completion"] for row in expected], "completions"
assert list(table["uid"]) == [row["uid"] for row in expected], "uids"
rewards = [math.nan if row["reward"] is None else row["reward"] for row in expected]
assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(table["reward"], rewards)), "rewards"
log_probs = [row.get("logProbs") or [] for row in expected]
exported = [[] if row is None else list(row) for row in table["logProbs"]]
assert all(len(a) == len(b) for a, b in zip(exported, log_probs)), "tokens"
assert all(math.isclose(x, y, rel_tol=1e-6) for a, b in zip(exported, log_probs) for x, y in zip(a, b)), "log-probs"
assert pyarrow.parquet.read_metadata(rollouts_file).num_rows == len(expected)

read = pandas.read_csv if metrics_file.suffix == ".csv" else pandas.read_parquet
figures = read(metrics_file)
assert list(figures["step"]) == [row["step"] for row in metrics], "steps of the metrics"
print(json.dumps({"tags": len(events.Tags()["scalars"]), "events": len(scalars), "rollouts": len(table), "metrics": list(figures.shape)}))
