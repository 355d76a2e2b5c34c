"""The trade of misses for false alarms, and where on it to work.

Source: Martin et al., *The DET curve in assessment of detection task performance*, Eurospeech 1997,
with false alarms counted per hour, as a wake-word benchmark does. Lesson: 05.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_utils.metrics.event_counts import EventCounts, no_events
from course_utils.metrics.events import match_events

_POINTS = 200  # of a curve, at most; more cannot be seen

Decide = Callable[[np.ndarray, np.ndarray, float], Sequence]
"""From (times_s, scores, threshold) to the times of the detections, or to what has a ``time_s``."""


class ScoredStream(NamedTuple):
    """A recording as a detector heard it; a plain tuple will do.

    Attributes
    ----------
    times_s : np.ndarray, shape (steps,)
        Rising, in seconds.
    scores : np.ndarray, shape (steps,)
        The probability at each time.
    ends_s : sequence of float
        When each event ends, in seconds; empty where there are none.
    seconds : float
        How long the recording is.
    """

    times_s: np.ndarray
    scores: np.ndarray
    ends_s: Sequence[float]
    seconds: float


class OperatingPoint(NamedTuple):
    """A threshold, and what it gives.

    Attributes
    ----------
    threshold : float
    counts : EventCounts
    """

    threshold: float
    counts: EventCounts


@dataclass(frozen=True, eq=False)
class DetCurve:
    """What every threshold gives.

    Attributes
    ----------
    threshold : np.ndarray, shape (points,)
        Rising.
    counts : tuple of EventCounts, length points
        Of all recordings together.
    """

    threshold: np.ndarray
    counts: tuple[EventCounts, ...]

    @property
    def miss_rate(self) -> np.ndarray:
        """Share of the events that were missed, shape (points,).

        A higher threshold misses more, but not always: where a rule tells one long rise once, a
        higher threshold may part it into two, of two events, or stay deaf to a false alarm whose
        refractory period would have covered an event.
        """
        return np.array([each.miss_rate for each in self.counts])

    @property
    def false_alarms_per_hour(self) -> np.ndarray:
        """Shape (points,)."""
        return np.array([each.false_alarms_per_hour for each in self.counts])

    def useful(self) -> "DetCurve":
        """Only the points that no other one beats: fewer false alarms always cost misses."""
        results = [(each.false_alarms, each.misses) for each in self.counts]
        kept: list[int] = []
        for place in sorted(range(len(results)), key=results.__getitem__):
            if not kept or results[place][1] < results[kept[-1]][1]:
                kept.append(place)
        kept.sort()
        return DetCurve(self.threshold[kept], tuple(self.counts[place] for place in kept))

    def at_most(self, false_alarms_per_hour: float) -> OperatingPoint:
        """The point with the lowest miss rate that has at most so many false alarms per hour.

        Of equals, the one with the fewest false alarms. It is the best point on these recordings:
        choose it on some, and report what its threshold gives on others.

        Raises
        ------
        ValueError
            If every threshold gives more false alarms.
        """
        rates = self.false_alarms_per_hour
        # Hours are sums of seconds: a rate that is exactly the one allowed may come out above it.
        allowed = np.flatnonzero(rates <= false_alarms_per_hour * (1 + 1e-9))
        if not len(allowed):
            raise ValueError(
                f"Found at least {rates.min():.3g} false alarms per hour at every threshold up to"
                f" {self.threshold[-1]:.3g}; expected {false_alarms_per_hour:g} at most; allow"
                " more, or compute the curve at higher thresholds."
            )
        best = min(allowed, key=lambda i: (self.counts[i].misses, self.counts[i].false_alarms))
        return OperatingPoint(float(self.threshold[best]), self.counts[best])


def det_curve(
    streams: Iterable[ScoredStream],
    decide: Decide,
    thresholds: Sequence[float] | None = None,
    tolerance_s: float = 0.75,
    early_s: float = 0.0,
) -> DetCurve:
    """Misses and false alarms at many thresholds.

    Parameters
    ----------
    streams : iterable of ScoredStream
        Recordings, with events or without.
    decide : callable
        From (times_s, scores, threshold) to detections, such as the trigger word's ``detections``.
    thresholds : sequence of float, optional
        By default up to 200 that lie between the heights of the scores' peaks, closest together
        where few peaks are above them; at the highest one, no score is above it.
    tolerance_s, early_s : float
        As in :func:`match_events`.

    Returns
    -------
    DetCurve
        Of neighbours that give the same counts only the one in the middle is kept: it is the
        farthest from where something changes.

    Raises
    ------
    ValueError
        If there are no events, a stream's scores do not fit its times or are NaN, its times reach
        beyond its seconds, or there is no threshold or one that is NaN.
    """
    streams = [_checked(place, *stream) for place, stream in enumerate(streams)]
    if not any(len(stream.ends_s) for stream in streams):
        raise no_events()
    chosen = _between_peaks(streams) if thresholds is None else np.unique(thresholds).astype(float)
    if not len(chosen) or np.isnan(chosen).any():
        raise ValueError(
            f"Found the thresholds {thresholds}; expected one number at least; leave them out for"
            " the usual ones."
        )
    counts = [
        sum((_count(stream, decide, threshold, tolerance_s, early_s) for stream in streams),
            EventCounts())
        for threshold in chosen.tolist()
    ]  # fmt: skip
    results = np.array([(each.misses, each.false_alarms) for each in counts])
    changes = np.flatnonzero((results[1:] != results[:-1]).any(axis=1)) + 1
    first, last = np.append(0, changes), np.append(changes, len(counts)) - 1
    middle = (first + last) // 2
    return DetCurve(chosen[middle], tuple(counts[i] for i in middle))


def _count(
    stream: ScoredStream, decide: Decide, threshold: float, tolerance_s: float, early_s: float
) -> EventCounts:
    found = decide(stream.times_s, stream.scores, threshold)
    return match_events(stream.ends_s, found, tolerance_s, early_s).counts(stream.seconds)


def _checked(
    place: int, times_s: np.ndarray, scores: np.ndarray, ends_s: Sequence[float], seconds: float
) -> ScoredStream:
    """A stream whose parts fit together."""
    times_s, scores = np.asarray(times_s, np.float64), np.asarray(scores)
    if times_s.ndim != 1 or times_s.shape != scores.shape or not np.isfinite(scores).all():
        raise ValueError(
            f"Found {times_s.shape} times and {scores.shape} scores in stream {place},"
            f" {np.sum(~np.isfinite(scores))} of them NaN or infinite; expected a number for each"
            " time; look at what the detector was given."
        )
    edges = np.concatenate([[0], times_s, [seconds + 1e-6]])  # times may be rounded
    if not (np.diff(edges) >= 0).all() or not 0 < seconds < np.inf:
        raise ValueError(
            f"Found times from {times_s.min(initial=seconds):g} to {times_s.max(initial=0):g} s"
            f" in stream {place}, which lasts {seconds} s; expected times that rise from 0 to its"
            " end; give the times within the recording, and its length."
        )
    return ScoredStream(times_s, scores, ends_s, seconds)


def _between_peaks(streams: list[ScoredStream]) -> np.ndarray:
    """Rising thresholds between heights of peaks, at geometrically growing numbers of peaks."""
    heights = []
    for scores in (stream.scores for stream in streams if len(stream.scores)):
        padded = np.concatenate([[-np.inf], scores, [-np.inf]])
        peaks = (padded[1:-1] >= padded[:-2]) & (padded[1:-1] > padded[2:])
        heights += [scores[peaks], [scores.min()]]
    tops = np.unique(np.concatenate(heights).astype(float))[::-1] if heights else np.zeros(1)
    middles = (tops[:-1] + tops[1:]) / 2
    ranks = np.unique(np.geomspace(1, max(len(middles), 1), _POINTS - 1).astype(int)) - 1
    return np.append(tops[0], middles[ranks[: len(middles)]])[::-1]
