"""data/rows-*.parquet and data/rows.json: the same rows in the codecs and encodings that datasets come in.

    python -m venv venv && venv/bin/pip install pyarrow==26.0.1
    venv/bin/python test/golden/parquet.py

Made with pyarrow 26.0.1. Two row groups each; rows.json has the rows as the reader should give them.
"""

import datetime
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

DATA = pathlib.Path(__file__).parent / "data"
CODECS = {"snappy": "2.6", "zstd": "2.6", "gzip": "1.0", "none": "2.4"}


def row(i):
    return {
        "question": f"What is {i} + {i}? ümläut ∑ {'x' * (i % 7)}",
        "answer": f"#### {2 * i}",
        "level": i % 5,
        "big": 2**60 + i,
        "score": i / 8,
        "nums": [i, i + 1, i + 2],
        "extra_info": {"question": f"nested {i}", "index": i},
        "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": f"asked {i}"}],
        "hint": None if i % 3 else "think",
        "made": datetime.datetime(2025, 7, 1, 12, 0, i, tzinfo=datetime.timezone.utc),
    }


def expected(r):
    return {**r, "big": str(r["big"]), "made": r["made"].strftime("%Y-%m-%dT%H:%M:%S.000Z")}


def main():
    rows = [row(i) for i in range(40)]
    table = pa.Table.from_pylist(rows)
    for codec, version in CODECS.items():
        pq.write_table(
            table, DATA / f"rows-{codec}.parquet", compression=codec, version=version, row_group_size=25,
            use_dictionary=codec != "none", data_page_version="2.0" if codec == "zstd" else "1.0",
        )
    (DATA / "rows.json").write_text(json.dumps([expected(r) for r in rows], ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
