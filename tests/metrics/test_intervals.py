"""Intervals that cover what they promise, and a test of two recognisers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_utils import metrics


def bools(n: int):
    return arrays.arrays(bool, n)


def test_wilson_by_hand():
    """E. B. Wilson's formula, with z = 1.959964."""
    low, high = metrics.wilson(8, 10)
    z2 = 1.959964**2
    middle, half = (8 + z2 / 2) / (10 + z2), np.sqrt(z2 * (1.6 + z2 / 4)) / (10 + z2)
    assert (low, high) == pytest.approx((middle - half, middle + half), abs=1e-6)


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_stays_inside(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = metrics.wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1 and low < high
    wider = metrics.wilson(successes, n, confidence=0.99)
    assert wider[0] <= low and high <= wider[1]
    mirrored = metrics.wilson(n - successes, n)
    assert mirrored == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0, 0), "no clips; expected at least one"),
        ((11, 10), "11 successes of 10 clips; expected a whole number from 0 to 10"),
        ((-1, 10), "-1 successes"),
        ((0.8, 10), "0.8 successes .* give counts, not shares"),
        ((8, 10, 95), "confidence=95; expected a share between 0 and 1"),
    ],
)
def test_wilson_refuses_what_is_no_count(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.wilson(*arguments)


@given(st.integers(1, 60).flatmap(bools), st.integers(0, 2**32))
def test_the_bootstrap_of_clips_holds_the_accuracy(right, seed):
    low, high = metrics.bootstrap(right, np.random.default_rng(seed), resamples=300)
    assert 0 <= low <= right.mean() <= high <= 1
    if right.all() or not right.any():
        assert low == high


def test_the_bootstrap_is_wilsons_interval_where_both_are_right():
    right = np.arange(648) < 570
    found = metrics.bootstrap(right, np.random.default_rng(0), resamples=5000)
    assert found == pytest.approx(metrics.wilson(570, 648), abs=0.005)


def test_one_seed_gives_one_interval():
    right = np.arange(50) < 40
    first, again, other = (
        metrics.bootstrap(right, np.random.default_rng(seed), resamples=50) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_speakers_are_drawn_whole():
    """Two speakers, one always right: a resample has none, one or two of either."""
    seen = []

    def note(values: np.ndarray) -> float:
        seen.append((len(values), values.mean()))
        return values.mean()

    right = np.array([True, False, True, True, False])
    names = ("a", "b", "a", "a", "b")
    rng = np.random.default_rng(0)
    assert metrics.bootstrap(right, rng, groups=names, statistic=note) == (0, 1)
    assert set(seen) == {(6, 1.0), (5, 0.6), (4, 0.0)}


def test_clips_of_one_speaker_alike_make_the_interval_wider():
    speakers = np.repeat(np.arange(20), 30)
    right = np.isin(speakers, [3, 7]) < 1  # two of twenty speakers are never understood
    clips, groups = (
        metrics.bootstrap(right, np.random.default_rng(0), groups=names) for names in ((), speakers)
    )
    assert groups[0] < clips[0] < right.mean() < clips[1] < groups[1]
    assert groups[1] - groups[0] > 3 * (clips[1] - clips[0])


def test_each_clip_a_speaker_of_its_own_is_the_bootstrap_of_clips():
    right = np.arange(100) < 80
    clips, groups = (
        metrics.bootstrap(right, np.random.default_rng(5), groups=names)
        for names in ((), [f"{number:03d}" for number in range(100)])
    )
    assert clips == groups


def test_another_statistic_gets_the_drawn_clips():
    truth, predicted = np.arange(90) % 3, np.arange(90) % 3
    predicted[:12] = 0

    def macro_f1(clips: np.ndarray) -> float:
        matrix = np.zeros((3, 3), int)
        np.add.at(matrix, (truth[clips], predicted[clips]), 1)
        return metrics.macro_f1(matrix)

    found = metrics.bootstrap(np.arange(90), np.random.default_rng(0), statistic=macro_f1)
    assert found[0] < macro_f1(np.arange(90)) < found[1] < 1


@pytest.mark.parametrize(
    ("values", "options", "sentence"),
    [
        ([], {}, "no clips; expected at least one"),
        ([True, False], {"groups": ("a",)}, "1 groups over 1 clips for 2 values; expected two"),
        ([True, False], {"groups": ("a", "a")}, "1 groups over 2 clips for 2 values"),
        ([True], {"groups": ("a", "b")}, "2 groups over 2 clips for 1 values"),
        ([True], {"resamples": 0}, "resamples=0; expected at least 1"),
        ([True], {"confidence": 0}, "confidence=0; expected a share between 0 and 1"),
    ],
)
def test_the_bootstrap_refuses(values, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.bootstrap(values, np.random.default_rng(0), **options)


def test_mcnemar_by_hand():
    """Ten clips only b gets right, two only a: p = 2 (C(12,0) + C(12,1) + C(12,2)) / 2^12."""
    right_a = np.array([True] * 2 + [False] * 10 + [True] * 80 + [False] * 8)
    right_b = np.array([False] * 2 + [True] * 10 + [True] * 80 + [False] * 8)
    found = metrics.mcnemar(right_a, right_b)
    assert (found.only_a, found.only_b) == (2, 10)
    assert found.p_value == pytest.approx(2 * (1 + 12 + 66) / 4096)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(bools(n), bools(n))))
def test_mcnemar_is_the_same_from_both_sides(pair):
    right_a, right_b = pair
    ours, theirs = metrics.mcnemar(right_a, right_b), metrics.mcnemar(right_b, right_a)
    assert (ours.only_a, ours.only_b) == (theirs.only_b, theirs.only_a)
    assert ours.p_value == pytest.approx(theirs.p_value) and 0 < ours.p_value <= 1
    assert ours.only_a - ours.only_b == right_a.sum() - right_b.sum()


def test_recognisers_that_never_differ_are_not_told_apart():
    right = np.array([True, False])
    assert metrics.mcnemar(right, right) == metrics.McNemar(0, 0, 1.0)


@pytest.mark.parametrize(
    ("right_a", "right_b", "sentence"),
    [
        ([True], [True, False], r"shapes \(1,\) and \(2,\); expected \(n,\) for both"),
        ([[True]], [[True]], r"shapes \(1, 1\)"),
        (np.zeros(0, bool), np.zeros(0, bool), "no clips"),
        ([True], [3], "types bool and int64; expected bool"),
    ],
)
def test_mcnemar_refuses(right_a, right_b, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.mcnemar(right_a, right_b)
