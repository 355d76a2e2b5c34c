"""The scores of a whole recording, and what any setting makes of them, quickly.

:class:`RecognizeCommands` hears one row after another, as in a live system. To try hundreds of
settings on the same ten minutes the averages are computed at once here; what follows from them is
decided by the same :class:`Memory`, and the tests hold both ways together. Lesson: 04.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course_utils.datasets.speech_commands import SILENCE
from course_utils.streaming.decisions import (
    STEPS,
    Detection,
    Memory,
    Settings,
    checked_labels,
    checked_probabilities,
    enough,
    to_steps,
)


@dataclass(frozen=True)
class Scores:
    """Scores of the windows of a recording.

    Attributes
    ----------
    labels : tuple of str
    times_ms : np.ndarray of float64, shape (windows,)
        When each window begins, in milliseconds.
    values : np.ndarray of float32, shape (windows, labels)
        Probabilities.
    window_ms : float
        How long a window is: its score is known this long after its beginning at the earliest.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is no label or one twice, a value is no probability, or the
        times do not go up.
    """

    labels: tuple[str, ...]
    times_ms: np.ndarray
    values: np.ndarray
    window_ms: float = 1000

    def __post_init__(self) -> None:
        """Refuse what is no stream."""
        times, values = np.asarray(self.times_ms, np.float64), np.asarray(self.values, np.float32)
        object.__setattr__(self, "labels", checked_labels(self.labels))
        object.__setattr__(self, "times_ms", times)
        object.__setattr__(self, "values", values)
        shape = (times.size, len(self.labels))
        if not times.size or times.ndim != 1 or values.shape != shape:
            raise ValueError(
                f"Found times of shape {times.shape} and values of shape {values.shape}; expected"
                f" at least one time, and values of shape {shape}: a row for each, a column for"
                " each label; a sound shorter than a window has no scores."
            )
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not ((np.diff(times) > 0).all() and np.isfinite(times).all()):
            raise ValueError(
                "The times of the scores do not go up everywhere; expected one window after the"
                " other, each at a finite time; sort them, or score one recording at a time."
            )
        checked_probabilities(values, shape)

    @property
    def hop_ms(self) -> float:
        """The usual time from one window to the next; 0 where there is only one."""
        return float(np.median(np.diff(self.times_ms))) if len(self.times_ms) > 1 else 0.0

    def between(self, begin_ms: float, end_ms: float) -> "Scores":
        """The windows that begin from ``begin_ms`` to before ``end_ms``."""
        first, last = np.searchsorted(self.times_ms, [begin_ms, end_ms])
        return Scores(
            self.labels, self.times_ms[first:last], self.values[first:last], self.window_ms
        )

    def every(self, step: int) -> "Scores":
        """The first window and every ``step``-th after it: all that a slow machine has time for."""
        if step < 1:
            raise ValueError(f"step is {step}; expected 1 or more; 2 takes every other window.")
        return Scores(self.labels, self.times_ms[::step], self.values[::step], self.window_ms)

    @cached_property
    def _running(self) -> np.ndarray:
        """Sums of all rows before each row, in whole steps, shape (windows + 1, labels)."""
        steps = to_steps(self.values, self.values.shape)
        return np.concatenate([np.zeros((1, steps.shape[1]), np.int64), steps.cumsum(axis=0)])

    def _sums(self, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For every window the sums of the scores averaged there, their count, and if they do."""
        times = self.times_ms
        first = np.searchsorted(times, times - settings.average_window_ms)
        count = np.arange(1, len(times) + 1) - first
        ready = enough(settings, count, times - times[first])
        return self._running[1:] - self._running[first], count, ready

    def averages(self, settings: Settings) -> np.ndarray:
        """Averaged scores, shape (windows, labels); NaN where there are too few to decide."""
        sums, count, ready = self._sums(settings)
        return np.where(ready[:, None], sums / (count[:, None] * float(STEPS)), np.nan)

    def decide(self, settings: Settings) -> list[Detection]:
        """The words that a new :class:`RecognizeCommands` would tell, without ``_silence_``.

        Raises
        ------
        ValueError
            If the windows are too far apart for any decision.
        """
        if len(self.times_ms) > 1:
            settings.check_stride(self.hop_ms)
        sums, count, ready = self._sums(settings)
        tops = sums.argmax(axis=1)
        totals = np.take_along_axis(sums, tops[:, None], axis=1)[:, 0]
        able = ready & (totals > count * round(settings.detection_threshold * STEPS))
        memory, told = Memory(settings), []
        # Rows where nothing is above the threshold change nothing.
        times = self.times_ms.tolist()
        for row in np.flatnonzero(able).tolist():
            label = self.labels[tops[row]]
            if memory.tells(label, times[row]) and label != SILENCE:
                told.append(Detection(label, times[row], totals[row] / (count[row] * STEPS)))
        return told
