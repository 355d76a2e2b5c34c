"""One stream on its way from a browser or a file through the loop, and what the browser is told."""

import threading
import time
from collections.abc import Callable, Iterable

import numpy as np

from course_utils import live

_REPORT_S = 0.09  # between two reports: about ten a second, more would tell the eye nothing
_STEP_S = 0.02  # the probability strip shows the highest of so much time


class Hearing:
    """Hears one stream, and tells how it goes.

    Parameters
    ----------
    key : str
        Which of the browser's streams this is.
    loop : live.Loop
        Not started: it is turned here, because the probabilities of each turn are shown.
    tell : callable
        Takes a message (dict) for the browser.
    seconds : float
        Length of the stream if that is known, so that a long one is told in fewer points.

    Attributes
    ----------
    loop : live.Loop
    lost : int
        Chunks that never came from the browser; the loop heard as many zeros.
    """

    def __init__(
        self, key: str, loop: live.Loop, tell: Callable[[dict], object], seconds: float = 0
    ) -> None:
        self.key, self.loop, self.lost = key, loop, 0
        self._tell, self._step_s = tell, max(_STEP_S, seconds / 1000)
        self._expected = 0
        self._wake, self._ended = threading.Event(), threading.Event()
        self._points: list[list[float]] = []
        self._told_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether it hears."""
        return self._thread is not None and self._thread.is_alive() and not self._ended.is_set()

    def put(self, number: int, chunk: np.ndarray) -> None:
        """Take chunk ``number`` (from 0) of the browser: only into the loop's inbox, no more.

        Chunks are equally long, so those that are missing before it are as many zeros, and one
        that comes when zeros already stand for it is left out.
        """
        missing = number - self._expected
        if missing < 0:
            return
        for _ in range(missing):
            self.loop.put(np.zeros_like(chunk))
        self.lost += missing
        self._expected = number + 1
        self.loop.put(chunk)
        self._wake.set()

    def start(self) -> None:
        """Hear what is put, in a thread."""
        self._run(self._turns(), lambda: None)

    def hear(self, chunks: Iterable[np.ndarray], then: Callable[[], object]) -> None:
        """Hear a stream that is there as a whole, in a thread, each chunk in its turn."""
        self._run(self._each(chunks), then)

    def stop(self) -> None:
        """End the hearing."""
        self._ended.set()
        self._wake.set()
        if self._thread not in (None, threading.current_thread()):
            self._thread.join()

    def _turns(self) -> Iterable[live.Turn | None]:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            yield self.loop.turn()

    def _each(self, chunks: Iterable[np.ndarray]) -> Iterable[live.Turn | None]:
        for chunk in chunks:
            if self._ended.is_set():
                return
            self.loop.put(chunk)
            yield self.loop.turn()

    def _run(self, turns: Iterable[live.Turn | None], then: Callable[[], object]) -> None:
        def work() -> None:
            try:
                last = None
                for turn in turns:
                    last = turn or last
                    if turn:
                        self._report(turn)
                if last:
                    self._send(last)  # what has not been reported yet
                if not self._ended.is_set():
                    then()
            except Exception as error:  # a thread's traceback reaches nobody
                self._ended.set()
                self._tell({"type": "problem", "text": self._problem(error)})
                raise

        self._thread = threading.Thread(target=work, name="hearing", daemon=True)
        self._thread.start()

    def _problem(self, error: Exception) -> str:
        return (
            f"The detector failed at {self.loop.time_s:.2f} s of the sound with"
            f" {type(error).__name__} ({error}); listening has ended; mend the detector and start"
            " again."
        )

    def _report(self, turn: live.Turn) -> None:
        self._points += _peaks(turn.times_s, turn.scores, self._step_s)
        if turn.detections or time.monotonic() - self._told_at >= _REPORT_S:
            self._send(turn, turn.detections)

    def _send(self, turn: live.Turn, detections: Iterable[live.Heard] = ()) -> None:
        self._told_at = time.monotonic()
        counts = self.loop.counts
        points, self._points = self._points, []
        self._tell({
            "type": "status", "key": self.key, "time_s": turn.time_s, "points": points,
            "received": counts.received, "heard": counts.heard, "dropped": counts.dropped,
            "lost": self.lost, "floor_db": turn.floor_db,
            "detections": [each._asdict() | {"told": each.told} for each in detections],
            "not_told": sum(not each.told for each in self.loop.detections),
        })  # fmt: skip


def _peaks(times_s: np.ndarray, scores: np.ndarray, step_s: float) -> list[list[float]]:
    """The highest score of every step of time, as [time, score]; NaN, which JSON lacks, as 0."""
    if not len(times_s):
        return []
    begins = np.flatnonzero(np.diff(np.floor(times_s / step_s), prepend=-np.inf))
    highest = np.maximum.reduceat(np.nan_to_num(scores), begins)
    return [
        [round(float(time_s), 3), round(float(score), 4)]
        for time_s, score in zip(times_s[begins], highest, strict=True)
    ]
