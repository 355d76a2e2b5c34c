"""How far a measured figure can be trusted: intervals, and a test of two recognisers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.metrics.checks import check_confidence, no_clips


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share, for ``successes`` out of ``n`` independent clips.

    Parameters
    ----------
    successes, n : int
    confidence : float
        Between 0 and 1.

    Returns
    -------
    (float, float)
        Both ends, from 0 to 1. Unlike the textbook's ``p ± 1.96 s``, it never leaves that range
        and does not shrink to nothing at 0 or ``n`` successes.

    Raises
    ------
    ValueError
        If there are no clips, the successes are no whole number from 0 to ``n``, or the confidence
        is none.

    Notes
    -----
    E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, Journal
    of the American Statistical Association 22, 1927.
    """
    check_confidence(confidence)
    if n < 1:
        raise no_clips()
    if not 0 <= successes <= n or successes != int(successes):
        raise ValueError(
            f"Found {successes} successes of {n} clips; expected a whole number from 0 to {n}; "
            "give counts, not shares."
        )
    from scipy.stats import binomtest  # half a second to load, and plots need only the classes

    found = binomtest(int(successes), int(n)).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def bootstrap(
    values: np.ndarray,
    rng: np.random.Generator,
    *,
    groups: Sequence[str] = (),
    statistic: Callable[[np.ndarray], float] = np.mean,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic.

    ``bootstrap(predictions.right, rng)`` is the interval of the accuracy over clips. With
    ``groups=predictions.groups`` whole speakers are drawn instead of clips: it asks what other
    speakers would have given, and is wider where a speaker's clips succeed or fail together.

    Parameters
    ----------
    values : array_like, shape (n, ...)
        One value (or row) for each clip.
    rng : np.random.Generator
        Draws the resamples.
    groups : sequence of str, length n, optional
        Who speaks in each clip. All clips of a group are drawn together.
    statistic : callable
        From values, shape (m, ...), to a float; their mean by default. For what needs more than
        one array, let ``values`` be the clips' numbers.
    resamples : int
        How many times ``values`` is drawn anew.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    (float, float)
        Both ends.

    Raises
    ------
    ValueError
        If there are no clips or resamples, the groups are fewer than two or do not fit the clips,
        or the confidence is none.

    Notes
    -----
    Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13. Speakers as units:
    Bisani and Ney, *Bootstrap estimates for confidence intervals in ASR performance evaluation*,
    ICASSP 2004.
    """
    check_confidence(confidence)
    values = np.asarray(values)
    if len(values) == 0:
        raise no_clips()
    if resamples < 1:
        raise ValueError(f"Found resamples={resamples}; expected at least 1; 2000 are usual.")
    draws = _draw_groups(groups, len(values), rng) if len(groups) else _draw_clips(values, rng)
    found = [statistic(values[next(draws)]) for _ in range(resamples)]
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _draw_clips(values: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        yield rng.integers(len(values), size=len(values))


def _draw_groups(groups: Sequence[str], n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    names, group_of_clip, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(groups) != n or len(names) < 2:
        raise ValueError(
            f"Found {len(names)} groups over {len(groups)} clips for {n} values; expected two or "
            "more groups, and one name for each value; without groups, clips are drawn."
        )
    members = np.split(np.argsort(group_of_clip, kind="stable"), np.cumsum(sizes)[:-1])
    while True:
        chosen = rng.integers(len(members), size=len(members))
        yield np.concatenate([members[group] for group in chosen])


@dataclass(frozen=True)
class McNemar:
    """Clips that only one of two recognisers got right, and how likely chance alone makes that.

    Attributes
    ----------
    only_a, only_b : int
        Clips that one recogniser got right and the other one wrong.
    p_value : float
        Probability of a split at least as uneven if both were equally good.
    """

    only_a: int
    only_b: int
    p_value: float


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> McNemar:
    """Test two recognisers on the same clips.

    Clips that both got right, or both wrong, say nothing about which one is better. The others
    would be split like tosses of a coin if both were equally good.

    Parameters
    ----------
    right_a, right_b : np.ndarray of bool, shape (n,)
        Whether each clip was recognised, in the same order.

    Returns
    -------
    McNemar
        With the exact two-sided binomial p-value; 1 if they never differ.

    Raises
    ------
    ValueError
        If there are no clips, the lengths differ, or the values are not bool.

    Notes
    -----
    Q. McNemar, *Note on the sampling error of the difference between correlated proportions or
    percentages*, Psychometrika 12, 1947. T. G. Dietterich, *Approximate statistical tests for
    comparing supervised classification learning algorithms*, Neural Computation 10, 1998.
    """
    right_a, right_b = np.asarray(right_a), np.asarray(right_b)
    if right_a.ndim != 1 or right_a.shape != right_b.shape:
        raise ValueError(
            f"Found results of shapes {right_a.shape} and {right_b.shape}; expected (n,) for both; "
            "test both recognisers on the same clips."
        )
    if len(right_a) == 0:
        raise no_clips()
    if right_a.dtype != bool or right_b.dtype != bool:
        raise ValueError(
            f"Found results of types {right_a.dtype} and {right_b.dtype}; expected bool, whether "
            "each clip was recognised; give predictions.right."
        )
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    differ = only_a + only_b
    from scipy.stats import binomtest

    p_value = float(binomtest(only_a, differ, 0.5).pvalue) if differ else 1.0
    return McNemar(only_a, only_b, p_value)
