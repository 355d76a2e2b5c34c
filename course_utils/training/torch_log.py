"""What others are told of a run: TensorBoard's log, written without TensorFlow, and any tracker.

PyTorch's ``SummaryWriter`` loads the whole of TensorFlow wherever it is installed, seconds and
hundreds of megabytes for a few numbers. What it writes is simple: records, each one event.
"""

import numbers
import time
import warnings
from pathlib import Path
from typing import Protocol

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


class Tracker(Protocol):
    """What is needed of a tracker: ``comet_ml.Experiment`` and the module ``mlflow`` have it."""

    def log_metrics(self, metrics: dict, /, *, step: int) -> object:
        """Keep the numbers of a step."""


def check_tracker(tracker: Tracker | None) -> None:
    """Refuse what is no tracker (TypeError)."""
    if tracker is None or (
        callable(getattr(tracker, "log_metrics", None)) and not isinstance(tracker, type)
    ):
        return
    raise TypeError(
        f"The tracker is {tracker!r}; expected an object with a method log_metrics(metrics,"
        " step=...), such as a comet_ml.Experiment or the module mlflow; pass one, or leave it out."
    )


class Log:
    """Curves of one sitting of a run, in a file of its own and with a tracker.

    Parameters
    ----------
    folder : Path or None
        Of TensorBoard's log; made with the first entry. None keeps no log.
    first_step : int
        Where this sitting begins: TensorBoard forgets what an earlier one, which was then killed,
        wrote from this step on.
    tracker : Tracker, optional
        Is told the same numbers. If it fails, there is a warning, once; nothing else is lost.
    """

    def __init__(
        self, folder: Path | None, first_step: int, tracker: Tracker | None = None
    ) -> None:
        self._folder, self._first_step, self._tracker = folder, first_step, tracker
        self._writer: RecordWriter | None = None
        self._warned = False

    def add(self, entry: dict) -> None:
        """Write the numbers of an entry of a history, at its ``step``."""
        values = {
            name: value
            for name, value in entry.items()
            if name != "step" and isinstance(value, numbers.Real)
        }
        if self._folder is not None:
            if self._writer is None:
                self._open(self._folder)
            summary = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
            self._write(step=entry["step"], summary=Summary(value=summary))
        if self._tracker is not None:
            self._tell(values, entry["step"])

    def _tell(self, values: dict, step: int) -> None:
        try:
            self._tracker.log_metrics(values, step=step)
        except Exception as error:  # of whatever kind: a lost connection must not end a training
            if not self._warned:
                self._warned = True
                reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
                warnings.warn(
                    f"The tracker {type(self._tracker).__name__} failed at step {step} ({reason});"
                    " expected it to keep the numbers; mend it for the next run, this one goes on"
                    " and its history has them.",
                    stacklevel=3,
                )

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
