"""From a stream of scores to words, each told once.

Source: ``RecognizeCommands`` of TensorFlow's ``speech_commands`` example (Pete Warden, 2017; in C++
and in Python). Lesson: 04.

The scores of the last half second or so are averaged. A label is told when its average is the
highest of all, above a threshold, another label than the one told last, and late enough after it.
"""

import math
import numbers
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_utils.datasets.speech_commands.selection import SILENCE

# Scores are summed as whole numbers of 2**-40. A running sum of floats would gather rounding
# errors for as long as the stream lasts, and an average that is exactly at the threshold would pass
# it or not by chance. Far below what a score means, and sums of hours fit into 64 bits.
STEPS = 1 << 40

# Calls with too few results in the window because older ones left it, and none with enough between
# them, until a stream counts as too slow. One late call or two are an accident.
_PATIENCE = 24

_ROUNDING = 1e-3  # how far outside [0, 1] a score may be


@dataclass(frozen=True)
class Settings:
    """The four parameters; the times are in milliseconds.

    The defaults are those of TensorFlow's Python tool, ``PUBLISHED["python"]``.

    Attributes
    ----------
    average_window_ms : float
        Scores that are older than this are forgotten.
    detection_threshold : float
        An average has to be above it, 0 to 1.
    suppression_ms : float
        After a word nothing else is told for this long, except where the last label told was
        silence.
    minimum_count : int
        Fewer scores than this in the window decide nothing.

    Raises
    ------
    ValueError
        If a parameter is no number, or outside the range that makes sense.
    """

    average_window_ms: float = 500
    detection_threshold: float = 0.7
    suppression_ms: float = 500
    minimum_count: int = 4

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        # Written so that a NaN, for which every comparison is false, is refused as well.
        for name, fits, expected in (
            ("average_window_ms", lambda x: 0 < x < math.inf, "milliseconds above zero, 500 say"),
            ("detection_threshold", lambda x: 0 <= x <= 1, "a share from 0 to 1"),
            ("suppression_ms", lambda x: 0 <= x < math.inf, "milliseconds from zero up"),
            ("minimum_count", lambda x: x >= 1 and x == int(x), "a whole number from 1 up"),
        ):
            value = getattr(self, name)
            try:
                good = fits(value)
            except (TypeError, ValueError, OverflowError):
                good = False
            if not good:
                raise ValueError(f"{name} is {value!r}; expected {expected}; change it.")

    @property
    def slowest_stride_ms(self) -> float:
        """The longest time between two scores with which a word can still be told."""
        # A single score lasts no time, and less than a quarter of the window decides nothing.
        return self.average_window_ms / (max(self.minimum_count, 2) - 1)

    def check_stride(self, stride_ms: float) -> None:
        """Refuse a time between two scores with which nothing can ever be told (ValueError)."""
        if not 0 < stride_ms <= self.slowest_stride_ms:
            raise ValueError(_too_slow(self, f"{stride_ms:g} ms"))


def _too_slow(settings: Settings, found: str) -> str:
    """The sentence for scores that come too rarely."""
    return (
        f"The scores are {found} apart; expected more than 0 and at most"
        f" {settings.slowest_stride_ms:g} ms, or a window of {settings.average_window_ms:g} ms"
        f" never holds the {max(settings.minimum_count, 2)} scores that a decision needs; score"
        " more often, lengthen average_window_ms or lower minimum_count."
    )


PUBLISHED = {
    "cpp": Settings(suppression_ms=1500, minimum_count=3),
    "python": Settings(suppression_ms=500, minimum_count=4),
}
"""Defaults of the example's two tools ``test_streaming_accuracy``, by the language they are in.

Their tolerances differ as well: 750 ms in C++, 1500 ms in Python.
"""


class Result(NamedTuple):
    """What is heard at one moment.

    Attributes
    ----------
    label : str
        The label with the highest average; where there are too few scores, the one told last.
    score : float
        Its average; 0.0 where there are too few scores.
    is_new : bool
        Whether this is a decision: the label is told now.
    """

    label: str
    score: float
    is_new: bool


class Detection(NamedTuple):
    """A label that was told, and the time of the call that told it."""

    label: str
    time_ms: float
    score: float


class Memory:
    """What was told last, which decides what may be told next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.label, self._time = SILENCE, -math.inf

    def tells(self, label: str, time_ms: float) -> bool:
        """Whether a label whose average is above the threshold is told now; if so, keep it."""
        # After silence there is nothing to suppress.
        since = math.inf if self.label == SILENCE else time_ms - self._time
        if label == self.label or not since > self._settings.suppression_ms:
            return False
        self.label, self._time = label, time_ms
        return True


class RecognizeCommands:
    """Turns a stream of scores into words, one call for each new row of scores.

    Parameters
    ----------
    labels : sequence of str
        What the columns of the scores stand for. ``_silence_`` resets the memory: the same word is
        told again only after another label was.
    average_window_ms, detection_threshold, suppression_ms, minimum_count
        See :class:`Settings`, whose defaults these are.

    Attributes
    ----------
    labels : tuple of str
    settings : Settings

    Raises
    ------
    ValueError
        If a parameter is impossible (see :class:`Settings`), there is no label, or one twice.

    Notes
    -----
    The work of a call does not grow with the length of the stream, nor with that of the window:
    sums are kept, not made anew. They are exact to 2**-40 of a score, whatever the length.
    """

    def __init__(
        self,
        labels: Sequence[str],
        average_window_ms: float = Settings.average_window_ms,
        detection_threshold: float = Settings.detection_threshold,
        suppression_ms: float = Settings.suppression_ms,
        minimum_count: int = Settings.minimum_count,
    ) -> None:
        self.labels = checked_labels(labels)
        self.settings = Settings(
            average_window_ms, detection_threshold, suppression_ms, minimum_count
        )
        self._threshold = round(detection_threshold * STEPS)
        self._memory = Memory(self.settings)
        self._window: deque[tuple[float, np.ndarray]] = deque()
        self._sums = np.zeros(len(self.labels), np.int64)
        self._starved = 0

    def process(self, scores: np.ndarray, time_ms: float) -> Result:
        """Hear one more row of scores.

        Parameters
        ----------
        scores : array_like of float, shape (labels,)
            Probabilities, 0 to 1.
        time_ms : float
            When the scored window begins, in milliseconds. As in the source, a call may be late,
            but not earlier than the oldest one that is still in the window.

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            If there is not one finite score from 0 to 1 for each label, the time goes back or is no
            number (nothing is kept of such a call); or the calls have long come too rarely for any
            decision.
        """
        steps = to_steps(scores, (len(self.labels),))
        time_ms = self._checked_time(time_ms)
        self._window.append((time_ms, steps))
        self._sums += steps
        dropped = self._forget(time_ms - self.settings.average_window_ms)
        count, lasting_ms = len(self._window), time_ms - self._window[0][0]
        if not enough(self.settings, count, lasting_ms):
            if dropped:  # at the beginning there are too few as well, but none has left yet
                self._check_pace()
            return Result(self._memory.label, 0.0, False)
        self._starved = 0
        top = int(self._sums.argmax())  # the first of several
        total = int(self._sums[top])
        above = total > count * self._threshold
        is_new = above and self._memory.tells(self.labels[top], time_ms)
        return Result(self.labels[top], total / (count * STEPS), is_new)

    def _forget(self, before_ms: float) -> bool:
        """Drop the scores of before a time, and say whether there were any."""
        count = len(self._window)
        while self._window[0][0] < before_ms:
            self._sums -= self._window.popleft()[1]
        return len(self._window) < count

    def _checked_time(self, time_ms: float) -> float:
        """A time as a float; ValueError if none, or before the oldest scores that are kept."""
        oldest = self._window[0][0] if self._window else -math.inf
        if isinstance(time_ms, numbers.Real) and oldest <= time_ms and math.isfinite(time_ms):
            return float(time_ms)  # differences of unsigned integers would go round
        expected = f"{oldest:g} ms or later" if self._window else "a finite number"
        raise ValueError(
            f"The scores are said to be of {time_ms} ms; expected {expected}, as time goes forward;"
            " give each call the time at which its window begins, or make a new RecognizeCommands"
            " for a new stream."
        )

    def _check_pace(self) -> None:
        """Count a call with too few scores; raise once there were many."""
        self._starved += 1
        # After one gap there are too few for as many calls as a decision needs.
        if self._starved > max(_PATIENCE, 2 * self.settings.minimum_count):
            raise ValueError(_too_slow(self.settings, "too far"))


def enough(
    settings: Settings, count: np.ndarray | int, lasting_ms: np.ndarray | float
) -> np.ndarray | bool:
    """Whether so many scores, the oldest and newest so far apart, suffice; for arrays, for each."""
    return (count >= settings.minimum_count) & (lasting_ms >= settings.average_window_ms / 4)


def checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """What the columns of scores stand for; ValueError if there is none, or one twice."""
    labels = (labels,) if isinstance(labels, str) else tuple(labels)
    if not labels or len(set(labels)) != len(labels):
        raise ValueError(
            f"Found the labels {labels}; expected at least one, each once, in the order of the"
            " scores; take those that were written with the model."
        )
    return labels


def to_steps(scores: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Scores of a shape (..., labels) as whole numbers of ``1 / STEPS``; ValueError if unfit."""
    return np.rint(checked_probabilities(scores, shape) * STEPS).astype(np.int64)


def checked_probabilities(scores: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Scores of a shape (..., labels) as float64; ValueError if they are no probabilities."""
    scores = np.asarray(scores, np.float64)
    if scores.shape != shape:
        raise ValueError(
            f"Found scores of shape {scores.shape}; expected {shape}, one for each label; give one"
            " row, and the labels of the model that made the scores."
        )
    # Written so that a NaN, for which every comparison is false, is refused as well.
    if not (scores.min() >= -_ROUNDING and scores.max() <= 1 + _ROUNDING):
        raise ValueError(
            f"Found scores from {scores.min():g} to {scores.max():g}; expected probabilities from 0"
            " to 1; take the softmax of a network's outputs first."
        )
    return scores
