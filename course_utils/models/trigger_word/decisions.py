"""From a stream of probabilities to moments: a trigger word is told once.

Source: ``detect_triggerword`` and ``chime_on_activate`` of the deeplearning.ai assignment "Trigger
Word Detection". Lesson: 05.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np


class Detection(NamedTuple):
    """A trigger word that was told.

    Attributes
    ----------
    time_s : float
        When, in seconds of the stream: how much of it had been heard.
    score : float
        The probability that crossed the threshold.
    """

    time_s: float
    score: float


class Trigger:
    """Watches probabilities, and tells when they rise above a threshold.

    A detection is a rise: one long event is told once, wherever the pieces of the stream are cut.
    After it nothing is told for the refractory period, and not before the probability has been at
    or below the threshold again.

    Parameters
    ----------
    threshold : float
        From 0 to 1; a probability has to be above it.
    refractory_s : float
        In seconds.

    Raises
    ------
    ValueError
        If the threshold is no share, or the refractory period is negative or infinite.
    """

    def __init__(self, threshold: float = 0.5, refractory_s: float = 1.0) -> None:
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not 0 <= threshold <= 1:
            raise ValueError(
                f"threshold is {threshold}; expected a probability from 0 to 1; 0.5 is usual."
            )
        if not 0 <= refractory_s < math.inf:
            raise ValueError(
                f"refractory_s is {refractory_s}; expected seconds from 0 up; 1 is usual."
            )
        self.threshold, self.refractory_s = threshold, refractory_s
        self._above = False
        self._last_s = -math.inf

    def push(self, times_s: Sequence[float], scores: Sequence[float]) -> list[Detection]:
        """Watch the next probabilities.

        Parameters
        ----------
        times_s : sequence of float, shape (steps,)
            The time of each, rising, in seconds; later than those of the last call.
        scores : sequence of float, shape (steps,)
            Probabilities.

        Returns
        -------
        list of Detection
        """
        scores = np.asarray(scores)
        above = scores > self.threshold
        rises = np.flatnonzero(above & ~np.concatenate([[self._above], above[:-1]]))
        found = []
        for step in rises.tolist():
            if times_s[step] - self._last_s >= self.refractory_s:
                self._last_s = float(times_s[step])
                found.append(Detection(self._last_s, float(scores[step])))
        if len(above):
            self._above = bool(above[-1])
        return found


def detections(
    times_s: Sequence[float],
    scores: Sequence[float],
    threshold: float = 0.5,
    refractory_s: float = 1.0,
) -> list[Detection]:
    """All detections in a stream that is there as a whole, see :class:`Trigger`."""
    return Trigger(threshold, refractory_s).push(times_s, scores)


def chimes(scores: Iterable[float], threshold: float = 0.5, wait: int = 75) -> list[int]:
    """The steps at which the source's rule chimes.

    Its rule counts steps since the last chime and chimes where more than ``wait`` have passed and
    the probability is above the threshold. So the first ``wait`` steps are deaf, and one event that
    lasts longer chimes again.

    Returns
    -------
    list of int
        Places in ``scores``; times the duration of a step they are times.
    """
    found, since = [], 0
    for step, score in enumerate(scores):
        since += 1
        if score > threshold and since > wait:
            found.append(step)
            since = 0
    return found
