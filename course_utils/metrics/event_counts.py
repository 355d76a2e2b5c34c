"""How often events are missed, how often nothing was there, and how sure that is.

Source of the measures: Picovoice's wake-word benchmark, which compares miss rates at a fixed number
of false alarms per hour. A share of false alarms would mean nothing: of what? Lesson: 05.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

from course_utils.metrics.checks import check_confidence
from course_utils.metrics.intervals import wilson


class Latency(NamedTuple):
    """How long after the end of an event it was told.

    Attributes
    ----------
    hits : int
        How many delays these figures stand on.
    median_s, p95_s : float
        Half and 95 % of the events were told within these seconds; NaN where there are no hits.
    """

    hits: int
    median_s: float
    p95_s: float

    @classmethod
    def of(cls, delays_s: Sequence[float]) -> "Latency":
        """The summary of delays in seconds."""
        low, high = np.quantile(delays_s, [0.5, 0.95]) if len(delays_s) else (math.nan, math.nan)
        return cls(len(delays_s), float(low), float(high))


@dataclass(frozen=True)
class EventCounts:
    """Misses and false alarms, of one recording or of many: ``sum(counts, EventCounts())``.

    Attributes
    ----------
    events, misses : int
        How many events there were, and how many of them were not found.
    false_alarms : int
        Detections that belong to no event.
    hours : float
        How much was listened to. Recordings without any event may be added, and should be: an hour
        or more is needed to know a rate per hour.
    delays_s : tuple of float
        For each event that was found, the seconds from its end to the detection.

    Raises
    ------
    ValueError
        If a count is no whole number from 0 up, there are more misses than events, the hours are
        negative or infinite, or false alarms came in no time at all.
    """

    events: int = 0
    misses: int = 0
    false_alarms: int = 0
    hours: float = 0.0
    delays_s: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("events", "misses", "false_alarms"):
            count = getattr(self, name)
            # Written so that a NaN, for which every comparison is false, is refused as well.
            if not (0 <= count < math.inf and count == int(count)):
                raise ValueError(f"{name} is {count}; expected a whole number from 0 up; count.")
        if self.misses > self.events:
            raise ValueError(
                f"Found {self.misses} misses of {self.events} events; expected at most one for each"
                " event; count detections that belong to none as false alarms."
            )
        if not 0 <= self.hours < math.inf or (self.false_alarms and not self.hours):
            raise ValueError(
                f"Found {self.false_alarms} false alarms in {self.hours} hours; expected hours from"
                " 0 up, and above 0 where there are alarms; give the length of what was heard."
            )

    def __add__(self, other: "EventCounts") -> "EventCounts":
        """The counts of both together."""
        if not isinstance(other, EventCounts):
            return NotImplemented
        return EventCounts(
            self.events + other.events, self.misses + other.misses,
            self.false_alarms + other.false_alarms, self.hours + other.hours,
            self.delays_s + other.delays_s,
        )  # fmt: skip

    @property
    def miss_rate(self) -> float:
        """Share of the events that were missed; NaN where there are none."""
        return self.misses / self.events if self.events else math.nan

    @property
    def false_alarms_per_hour(self) -> float:
        """NaN where nothing was listened to."""
        return self.false_alarms / self.hours if self.hours else math.nan

    @property
    def latency(self) -> Latency:
        """Median and 95th percentile of the delays."""
        return Latency.of(self.delays_s)

    def miss_rate_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's interval of the miss rate, as if every event were independent of the others.

        What other speakers would give is asked by ``bootstrap(missed, rng, groups=speakers)``, with
        :attr:`EventMatch.missed` of all recordings, one after another, and who speaks each event.

        Raises
        ------
        ValueError
            If there are no events, or the confidence is none.
        """
        if not self.events:
            raise no_events()
        return wilson(self.misses, self.events, confidence)

    def false_alarms_upper(self, confidence: float = 0.95) -> float:
        """Upper bound of the false alarms per hour, exact for a Poisson process.

        At a higher rate, so few alarms in so many hours would be rarer than 1 - confidence. No
        alarm in H hours gives about 3/H at 95 %, the rule of three: after ten silent minutes the
        rate may still be 18 per hour.

        Raises
        ------
        ValueError
            If nothing was listened to, or the confidence is none.

        Notes
        -----
        F. Garwood, *Fiducial limits for the Poisson distribution*, Biometrika 28, 1936. Rule of
        three: Hanley and Lippman-Hand, *If nothing goes wrong, is everything all right?*, JAMA 249,
        1983.
        """
        check_confidence(confidence)
        return self._rate_at(self.false_alarms + 1, confidence)

    def false_alarms_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Both ends for the false alarms per hour, see :meth:`false_alarms_upper`."""
        check_confidence(confidence)
        outside = (1 - confidence) / 2
        low = self._rate_at(self.false_alarms, outside) if self.false_alarms else 0.0
        return low, self._rate_at(self.false_alarms + 1, 1 - outside)

    def _rate_at(self, alarms: int, probability: float) -> float:
        """The rate per hour at which so many alarms come within the hours with a probability."""
        if not self.hours:
            raise ValueError(
                "Found 0 hours of listening; expected more; a rate per hour needs recordings, best"
                " of long sounds without any event."
            )
        return float(gammaincinv(alarms, probability)) / self.hours  # half of chi2.ppf(p, 2 alarms)

    def __str__(self) -> str:
        """One line for people, with 95 % intervals."""
        parts = []
        if self.events:
            low, high = self.miss_rate_interval()
            parts.append(
                f"{self.misses} of {self.events} events missed, {100 * self.miss_rate:.1f} %"
                f" (95 %: {100 * low:.1f} to {100 * high:.1f} %)"
            )
        if self.hours:
            low, high = self.false_alarms_interval()
            ends = f"{low:.3g} to {high:.3g}" if low else f"at most {self.false_alarms_upper():.3g}"
            parts.append(
                f"{self.false_alarms} false alarm{'s' * (self.false_alarms != 1)} in"
                f" {self.hours:.3g} h,"
                f" {self.false_alarms_per_hour:.3g} per hour (95 %: {ends})"
            )
        if self.delays_s:
            _, middle, late = self.latency
            parts.append(f"told after {middle:.2f} s (median), 95 % within {late:.2f} s")
        return "; ".join(parts) or "nothing was listened to"


def no_events() -> ValueError:
    """Without events there is no share of them."""
    return ValueError("Found no events; expected at least one; check which recordings were given.")
