"""Which events were found, and which detections belong to none.

A detector that listens all day is judged by events, not by time steps: almost every step is silent,
so that an answer of "no" everywhere is right almost everywhere, see :func:`frame_accuracy`. Lesson:
05.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from course_utils.metrics.event_counts import EventCounts

_LATEST_S = 1e9  # thirty years: nobody records that long
_STEPS = 10**6  # times are compared in whole microseconds, or 1.95 - 1.2 would be above 0.75


@dataclass(frozen=True)
class EventMatch:
    """Which detection belongs to which event.

    Attributes
    ----------
    events : int
        How many there were.
    partners : tuple of int or None
        For each detection, in the order given, the place of its event; None for a false alarm.
    delays_s : tuple of float
        For each detection that has an event, in the order given, the seconds from its end.
    """

    events: int
    partners: tuple[int | None, ...]
    delays_s: tuple[float, ...]

    @property
    def hits(self) -> int:
        """Events that were found."""
        return len(self.delays_s)

    @property
    def misses(self) -> int:
        """Events that were not found."""
        return self.events - self.hits

    @property
    def false_alarms(self) -> int:
        """Detections that belong to no event."""
        return self.partners.count(None)

    @property
    def missed(self) -> np.ndarray:
        """Whether each event was missed, bool, shape (events,), in the order given."""
        return ~np.isin(
            np.arange(self.events), [each for each in self.partners if each is not None]
        )

    def counts(self, seconds: float) -> EventCounts:
        """Counts to pool, of a recording that lasts so many seconds."""
        return EventCounts(
            self.events, self.misses, self.false_alarms, seconds / 3600, self.delays_s
        )


def match_events(
    ends_s: Sequence[float],
    found_s: Sequence[float],
    tolerance_s: float = 0.75,
    early_s: float = 0.0,
) -> EventMatch:
    """Give every detection an event of its own, or none.

    Parameters
    ----------
    ends_s : sequence of float
        When each event ends, in seconds, in any order.
    found_s : sequence of float, or of what has a ``time_s``
        When each detection was told, in seconds, in any order.
    tolerance_s : float
        How many seconds after its end an event may be told; exactly this many count.
    early_s : float
        How many seconds before its end it may be told.

    Returns
    -------
    EventMatch
        Each event and each detection is used at most once, so that as many as possible are matched,
        then so that the sum of the delays (or of how early they are) is smallest. What is told
        twice is a hit and a false alarm.

    Raises
    ------
    ValueError
        If a time is NaN, infinite or none, or the tolerance or ``early_s`` is negative.
    """
    for name, value, usual in (("tolerance_s", tolerance_s, 0.75), ("early_s", early_s, 0)):
        if not 0 <= value < _LATEST_S:
            raise ValueError(f"{name} is {value}; expected seconds from 0 up; {usual} is usual.")
    ends, found = _whole(ends_s, "ends_s"), _whole(found_s, "found_s")
    events = sorted(range(len(ends)), key=ends.__getitem__)
    tellings = sorted(range(len(found)), key=found.__getitem__)
    reach = round(_STEPS * early_s), round(_STEPS * tolerance_s)
    partners: list[int | None] = [None] * len(found)
    for i, j in _pairs([ends[i] for i in events], [found[j] for j in tellings], *reach):
        partners[tellings[j]] = events[i]
    delays = (
        (time - ends[event]) / _STEPS
        for time, event in zip(found, partners, strict=True)
        if event is not None
    )
    return EventMatch(len(ends), tuple(partners), tuple(delays))


def _whole(given: Iterable, name: str) -> list[int]:
    """Times in whole microseconds, each checked."""
    times = []
    for place, each in enumerate(given if isinstance(given, Iterable) else [given]):
        time = getattr(each, "time_s", each)
        if not (isinstance(time, Real) and abs(time) < _LATEST_S):
            raise ValueError(
                f"Entry {place} of {name} is {each!r}; expected a time in seconds, such as 1.25;"
                " mend the list."
            )
        times.append(round(_STEPS * float(time)))
    return times


def _pairs(ends: list[int], found: list[int], early: int, late: int) -> list[tuple[int, int]]:
    """The best pairs of places (event, detection), for times in order.

    All events reach equally far, so that pairs which cross in time can be uncrossed: both are in
    reach then too, and their delays no larger in sum. So an event's partner is sought only behind
    those of the events before it.
    """
    # Each way to match the events so far: (pairs, minus their delays, last detection used, steps).
    ways = [(0, 0, -1, None)]  # those that use a later detection are better, or they would be out
    for i, end in enumerate(ends):
        first = bisect_left(found, end - early)
        grown = []
        for j in range(first, bisect_right(found, end + late)):
            pairs, gain, _, steps = [way for way in ways if way[2] < j][-1]
            grown.append((pairs + 1, gain - abs(found[j] - end), j, (i, j, steps)))
        if grown:
            ways = _useful(ways + grown, first)
    chosen, steps = [], ways[-1][3]
    while steps:
        *pair, steps = steps
        chosen.append(tuple(pair))
    return chosen


def _useful(ways: list[tuple], first: int) -> list[tuple]:
    """Ways that no other one beats; of those that leave all from ``first`` on free, the best."""
    kept: list[tuple] = []
    for way in sorted(ways, key=lambda way: (way[2], -way[0], -way[1])):
        if not kept or way[:2] > kept[-1][:2]:
            kept = [way] if way[2] < first else [*kept, way]
    return kept


def frame_accuracy(labels: np.ndarray, probabilities: np.ndarray, threshold: float = 0.5) -> float:
    """Share of time steps on the right side of a threshold: a trap, see the module's beginning.

    Parameters
    ----------
    labels : array_like of 0 or 1, any shape
    probabilities : array_like of float, the same shape
    threshold : float
        A probability above it says 1.

    Raises
    ------
    ValueError
        If the shapes differ, there are no steps, a label is neither 0 nor 1, or a probability is
        NaN.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if labels.shape != probabilities.shape or not labels.size:
        raise ValueError(
            f"Found labels of shape {labels.shape} and probabilities of shape"
            f" {probabilities.shape}; expected the same shape, and at least one step; cut both to"
            " the same steps."
        )
    wrong = np.flatnonzero(~np.isin(labels, (0, 1)) | np.isnan(probabilities))
    if len(wrong):
        step = wrong[0]
        raise ValueError(
            f"Found label {labels.flat[step]} and probability {probabilities.flat[step]} at step"
            f" {step}; expected a label of 0 or 1 and a number; look at what made them."
        )
    return float(((probabilities > threshold) == labels).mean())
