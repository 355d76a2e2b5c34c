"""TensorBoard's log, written without TensorFlow.

PyTorch's ``SummaryWriter`` loads the whole of TensorFlow wherever it is installed, seconds and
hundreds of megabytes for a few numbers. What it writes is simple: records, each one event.
"""

import numbers
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


class Log:
    """Curves of one sitting of a run, in a file of its own.

    Parameters
    ----------
    folder : Path or None
        Of the log; made with the first entry. None keeps no log.
    first_step : int
        Where this sitting begins: TensorBoard forgets what an earlier one, which was then killed,
        wrote from this step on.
    """

    def __init__(self, folder: Path | None, first_step: int) -> None:
        self._folder, self._first_step = folder, first_step
        self._writer: RecordWriter | None = None

    def add(self, entry: dict) -> None:
        """Write the numbers of an entry of a history, at its ``step``."""
        if self._folder is None:
            return
        if self._writer is None:
            self._open(self._folder)
        values = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in entry.items()
            if name != "step" and isinstance(value, numbers.Real)
        ]
        self._write(step=entry["step"], summary=Summary(value=values))

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads the files of a folder in the order of their names.
        file = folder / f"events.out.tfevents.{time.time_ns():020d}"
        self._writer = RecordWriter(file.open("xb"))
        self._write(file_version="brain.Event:2")
        start = SessionLog(status=SessionLog.START)
        self._write(step=self._first_step, session_log=start)

    def _write(self, **what: object) -> None:
        self._writer.write(Event(wall_time=time.time(), **what).SerializeToString())
        self._writer.flush()  # a run that is killed later has told so much
