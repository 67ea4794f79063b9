"""data/layouts/*.parquet: two rows each in the layouts that frameworks write, and the types of columns that lose digits easily.

    python -m venv venv && venv/bin/pip install pyarrow==26.0.1
    venv/bin/python test/golden/layouts.py

Made with pyarrow 26.0.1. The rows are made up; names and types of the columns are those of the frameworks' own scripts.
"""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

DATA = pathlib.Path(__file__).parent / "data" / "layouts"
CHATML = "<|im_start|>user\nReach {} with {}.<|im_end|>\n<|im_start|>assistant\n<think>"


def message(role, content):
    return {"role": role, "content": content}


def verl(i):
    return {
        "data_source": "openai/gsm8k",
        "prompt": [message("system", "Be brief."), message("user", f"What is {i} + 1?")],
        "ability": "math",
        "reward_model": {"ground_truth": str(i + 1), "style": "rule"},
        "extra_info": {"answer": f"It is #### {i + 1}", "index": i, "question": f"{i} + 1", "split": "train"},
    }


def tinyzero(i):
    numbers = [i + 3, i + 4]
    target = sum(numbers)
    return {
        "data_source": "countdown",
        "prompt": [message("user", CHATML.format(target, numbers))],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": {"target": target, "numbers": numbers}},
        "extra_info": {"split": "train", "index": i},
    }


def simplerl(i):
    return {
        "gt_answer": str(i + 1),
        "subject": "Algebra",
        "level": 3,
        "question": f"What is {i} + 1?",
        "data_source": "simplelr_qwen",
        "prompt": [message("user", f"<|im_start|>user\nWhat is {i} + 1?<|im_end|>\n<|im_start|>assistant\n")],
        "ability": "math",
        "reward_model": {"ground_truth": str(i + 1), "style": "rule"},
        "extra_info": {"answer": str(i + 1), "index": i, "level": 3, "question": f"What is {i} + 1?", "split": "train"},
    }


def trl(i):
    return {
        "prompt": [message("system", "Think first."), message("user", f"What is {i} + 1?")],
        "solution": f"$\\boxed{{{i + 1}}}$",
    }


def openrlhf(i):
    turns = [message("user", "Hello"), message("assistant", "Hi"), message("user", f"What is {i} + 1?")]
    return {"dataset": "prompts", "context": "", "context_messages": turns, "label": str(i + 1), "id": f"p-{i}"}


def open_r1(i):
    question = f"What is {i} + 1?"
    return {
        "problem": question,
        "solution": f"Adding gives {i + 1}.",
        "answer": str(i + 1) if i == 0 else None,
        "uuid": f"u-{i}",
        "is_reasoning_complete": [True, False],
        "generations": [f"<think>{'long ' * 20}</think> {i + 1}"] * 2,
        "correctness_math_verify": [True, False],
        "correctness_count": 1,
        "messages": [message("user", question), message("assistant", f"<think>…</think> {i + 1}")],
    }


def messages(i):
    return {"messages": [message("user", f"What is {i} + 1?"), message("assistant", f"It is \\boxed{{{i + 1}}}.")]}


def types():
    d = decimal.Decimal
    columns = {
        "decimal": pa.array([d("12345678901234567.89"), d("-0.05"), None], pa.decimal128(20, 2)),
        "decimal9": pa.array([d("1.250"), d("-1.250"), d("0")], pa.decimal128(9, 3)),
        "decimal18": pa.array([d("123456789012345678"), d("-7"), d("0")], pa.decimal128(18, 0)),
        "decimal256": pa.array([d("9" * 60 + ".5"), d("-0.5"), None], pa.decimal256(70, 1)),
        "float32": pa.array([0.1, -3.14, None], pa.float32()),
        "float16": pa.array([0.1, 65504.0, None], pa.float16()),
        "float64": pa.array([0.1, 1 / 3, None], pa.float64()),
        "floats": pa.array([[0.1, None], [], None], pa.list_(pa.float32())),
        "int64": pa.array([2**53 + 1, -(2**63), None], pa.int64()),
        "uint64": pa.array([2**64 - 1, 7, None], pa.uint64()),
        "nested": pa.array(
            [[[{"x": 0.1, "n": [2**53 + 1]}], []], [], None],
            pa.list_(pa.list_(pa.struct([("x", pa.float32()), ("n", pa.list_(pa.int64()))]))),
        ),
        "map": pa.array([[("a", d("0.10"))], [], None], pa.map_(pa.string(), pa.decimal128(30, 2))),
        "category": pa.array(["a", "b", "a"]).dictionary_encode(),
        "large": pa.array(["x", "", None], pa.large_string()),
        "binary": pa.array([b"text", b"\xff\x00", None], pa.binary()),
        "bool": pa.array([True, False, None]),
        "date": pa.array([datetime.date(2025, 7, 1), None, None]),
        "nothing": pa.array([None, None, None], pa.null()),
    }
    return pa.table(columns)


def main():
    DATA.mkdir(exist_ok=True)
    for make in [verl, tinyzero, simplerl, trl, openrlhf, open_r1, messages]:
        pq.write_table(pa.Table.from_pylist([make(0), make(1)]), DATA / f"{make.__name__.replace('_', '-')}.parquet")
    table = types()
    pq.write_table(table, DATA / "types.parquet")
    pq.write_table(table, DATA / "types-old.parquet", version="1.0", use_dictionary=False, store_decimal_as_integer=True)


if __name__ == "__main__":
    main()
