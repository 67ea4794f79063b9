"""data/event-records.json: event records as TensorBoard's own writer frames and encodes them, as hexadecimal digits.

    python -m venv venv && venv/bin/pip install tensorboard
    venv/bin/python test/golden/event_records.py
"""

import io
import json
import pathlib

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def framed(event):
    sink = io.BytesIO()
    RecordWriter(sink).write(event.SerializeToString())
    return sink.getvalue().hex()


values = [("train/rewardMean", -0.25), ("evaluation/pass@4", 0.5), ("seconds/näher", float("nan"))]
golden = {
    "version": framed(Event(wall_time=1764264000.5, file_version="brain.Event:2")),
    "start": framed(Event(wall_time=1764264001.25, step=300, session_log=SessionLog(status=SessionLog.START))),
    "scalars": framed(
        Event(
            wall_time=1764264002.0,
            step=70000,
            summary=Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values]),
        )
    ),
}
data = pathlib.Path(__file__).parent / "data"
(data / "event-records.json").write_text(json.dumps(golden, indent=1) + "\n")
