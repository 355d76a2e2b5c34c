"""How well the words that were told agree with the words that were spoken.

Source: ``CalculateAccuracyStats`` of TensorFlow's ``speech_commands`` example, in C++; its Python
twin counts a word that was matched twice as two. Lesson: 04.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CORRECT, WRONG, FALSE_POSITIVE = "correct", "wrong", "false positive"

MATCHINGS = ("first", "one_to_one")
"""``first``: the earliest word in reach, as the source does; ``one_to_one``: every word once."""

_FASTEST_MS = 50  # nobody speaks words this close together


@dataclass(frozen=True)
class StreamingAccuracy:
    """Counts of one comparison; all percentages are of the words that were spoken.

    Attributes
    ----------
    ground_truth : int
        Words that were spoken.
    matched : int
        Of these, the ones near which something was told, right or wrong.
    correct, wrong, false_positives : int
        What was told: the word that was spoken there, another one (or, by the rule ``first``, the
        same once more), or something where nothing was spoken.
    outcomes : tuple of str
        For each detection, in the order given: ``"correct"``, ``"wrong"``, ``"false positive"``.
    partners : tuple of int or None
        For each detection the place of its word in the ground truth as given.
    """

    ground_truth: int
    matched: int
    correct: int
    wrong: int
    false_positives: int
    outcomes: tuple[str, ...] = ()
    partners: tuple[int | None, ...] = ()

    def percent(self, count: int) -> float:
        """A count in percent of the words spoken; NaN where there are none."""
        return 100 * count / self.ground_truth if self.ground_truth else math.nan

    def __str__(self) -> str:
        """One line, as TensorFlow's tool prints it."""
        if not self.ground_truth:
            return f"no word was spoken, {self.false_positives} false positives"
        return (
            f"{self.percent(self.matched):.1f} % of {self.ground_truth} words matched:"
            f" {self.percent(self.correct):.1f} % correctly, {self.percent(self.wrong):.1f} %"
            f" wrongly; {self.percent(self.false_positives):.1f} % false positives"
        )


def streaming_accuracy(
    ground_truth: Sequence[tuple],
    found: Sequence[tuple],
    up_to_ms: float | None = None,
    tolerance_ms: float = 750,
    *,
    matching: str = "first",
) -> StreamingAccuracy:
    """Compare what was told with what was spoken.

    Parameters
    ----------
    ground_truth : sequence of (label, time_ms)
        Words and when their clips begin, in milliseconds.
    found : sequence of (label, time_ms) or Detection
        Words that were told and when the windows that told them begin. ``_silence_`` is no word:
        leave it out.
    up_to_ms : float, optional
        Only words up to this time plus the tolerance count; all by default (and for -1).
    tolerance_ms : float
        How far a detection may be from its word, either way; a difference of exactly this counts.
    matching : {"first", "one_to_one"}
        ``first``, the source's rule: a detection belongs to the earliest word within the tolerance,
        even when a later one is nearer and has its label. It is correct if it has the label and
        nothing matched that word before, else wrong. ``one_to_one``: each word and each detection
        is used at most once, so that as many as possible are correct, then as many as possible
        matched, then the differences in time smallest; what is left over is a false positive.

    Returns
    -------
    StreamingAccuracy

    Raises
    ------
    ValueError
        If an entry is not a label with a finite time, the tolerance is negative or infinite,
        ``up_to_ms`` is a NaN, there is no such rule, or the ground truth seems to be in seconds.
    """
    truths, tellings = _entries(ground_truth, "ground_truth"), _entries(found, "found")
    latest = math.inf if up_to_ms in (None, -1) else up_to_ms + tolerance_ms
    _check_rule(latest, tolerance_ms, matching)
    _refuse_seconds(truths, tellings, tolerance_ms)
    order = sorted(range(len(truths)), key=lambda i: truths[i][1])
    order = [i for i in order if truths[i][1] <= latest]
    rule = _first if matching == "first" else _one_to_one
    partners = rule([truths[i] for i in order], tellings, tolerance_ms)
    outcomes, used = [], set()
    for (label, _), partner in zip(tellings, partners, strict=True):
        if partner is None:
            outcomes.append(FALSE_POSITIVE)
            continue
        right = label == truths[order[partner]][0] and partner not in used
        outcomes.append(CORRECT if right else WRONG)
        used.add(partner)
    return StreamingAccuracy(
        len(order), len(used), outcomes.count(CORRECT), outcomes.count(WRONG),
        outcomes.count(FALSE_POSITIVE), tuple(outcomes),
        tuple(None if partner is None else order[partner] for partner in partners),
    )  # fmt: skip


def _check_rule(latest_ms: float, tolerance_ms: float, matching: str) -> None:
    """Refuse a rule by which nothing can be compared."""
    # Written so that a NaN, for which every comparison is false, is refused as well.
    if not 0 <= tolerance_ms < math.inf:
        raise ValueError(
            f"tolerance_ms is {tolerance_ms}; expected 0 or more milliseconds; 750 is usual."
        )
    if math.isnan(latest_ms):
        raise ValueError("up_to_ms is nan; expected a time in milliseconds; leave it out for all.")
    if matching not in MATCHINGS:
        raise ValueError(
            f"There is no matching {matching!r}; choose one of {', '.join(MATCHINGS)}."
        )


def _entries(given: Sequence[tuple], name: str) -> list[tuple[str, float]]:
    """Labels and times, each checked."""
    entries = []
    for place, entry in enumerate(given):
        try:
            label, time = entry[0], entry[1]
            good = isinstance(label, str) and math.isfinite(time)
        except (TypeError, IndexError, KeyError, OverflowError):
            good = False
        if not good:
            raise ValueError(
                f"Entry {place} of {name} is {entry!r}; expected (label, time in milliseconds),"
                " such as ('yes', 1250); mend the list."
            )
        entries.append((label, time))
    return entries


def _refuse_seconds(truths: list, tellings: list, tolerance_ms: float) -> None:
    """Raise where the ground truth is in seconds beyond reasonable doubt."""
    times = np.sort([time for _, time in truths])
    if not len(times) or times[-1] <= 0:
        return
    # Many words within a moment, or a few that explain the detections only times 1000.
    crowded = len(times) >= 10 and 0 < times[-1] - times[0] < _FASTEST_MS * (len(times) - 1)
    if not crowded and tellings and 100 * times[-1] < max(time for _, time in tellings):
        in_seconds = [(label, 1000 * time) for label, time in truths]
        crowded = _agreeing(in_seconds, tellings, tolerance_ms) > _agreeing(
            truths, tellings, tolerance_ms
        )
    if crowded:
        raise ValueError(
            f"The {len(times)} words of the ground truth lie between {times[0]:g} and"
            f" {times[-1]:g} ms, which looks like seconds; expected milliseconds; multiply the"
            " times by 1000."
        )


def _agreeing(truths: list, tellings: list, tolerance_ms: float) -> int:
    """How many detections have a word of their label within the tolerance."""
    return sum(
        any(label == truth and abs(time - at) <= tolerance_ms for truth, at in truths)
        for label, time in tellings
    )


def _first(truths: list, tellings: list, tolerance_ms: float) -> list[int | None]:
    """For each detection the first word within the tolerance. The words are in order of time."""
    times = np.array([time for _, time in truths])
    partners = []
    for _, time in tellings:
        place = int(np.searchsorted(times, time - tolerance_ms))
        near = place < len(times) and times[place] <= time + tolerance_ms
        partners.append(place if near else None)
    return partners


def _one_to_one(truths: list, tellings: list, tolerance_ms: float) -> list[int | None]:
    """For each detection a word of its own, or None. The words are in order of time."""
    partners: list[int | None] = [None] * len(tellings)
    for rows, columns in _clusters(truths, tellings, tolerance_ms):
        for row, column in _assignment(rows, columns, truths, tellings, tolerance_ms):
            partners[column] = row
    return partners


def _clusters(truths: list, tellings: list, tolerance_ms: float) -> list[tuple[list, list]]:
    """Places of words and detections that lie close enough together to compete."""
    events = sorted(
        [(time, 0, place) for place, (_, time) in enumerate(truths)]
        + [(time, 1, place) for place, (_, time) in enumerate(tellings)]
    )
    clusters, last = [], -math.inf
    for time, kind, place in events:
        if time - last > tolerance_ms:
            clusters.append(([], []))
        clusters[-1][kind].append(place)
        last = time
    return [cluster for cluster in clusters if all(cluster)]


def _assignment(
    rows: list, columns: list, truths: list, tellings: list, tolerance_ms: float
) -> list[tuple[int, int]]:
    """The best pairs (word, detection) within one cluster."""
    # A pair in reach is worth 1, one that is correct as much as all pairs together and more; the
    # distance in time only decides between equals.
    most = min(len(rows), len(columns)) + 1
    worth = np.zeros((len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            distance = abs(truths[row][1] - tellings[column][1])
            if distance <= tolerance_ms:
                correct = truths[row][0] == tellings[column][0]
                closeness = 1 - distance / (tolerance_ms or 1)
                worth[i, j] = 1 + most * correct + closeness / (2 * most)
    from scipy.optimize import linear_sum_assignment  # slow to load, and rarely needed

    pairs = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [(rows[i], columns[j]) for i, j in pairs if worth[i, j]]
