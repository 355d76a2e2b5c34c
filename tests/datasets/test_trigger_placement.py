"""Places of clips in a scene, and how often the source's rule finds none."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from course_utils.datasets import trigger_word
from course_utils.datasets.trigger_word import can_dead_end, place

whole = st.integers(1, 3000)
broken = st.floats(0.01, 3000)


def placed(durations, total, seed=0):
    return place(durations, total, np.random.default_rng(seed))


def overlaps(segment, others) -> bool:
    """``is_overlapping`` of the source: both ends belong to a segment."""
    return any(segment[0] <= end and segment[1] >= start for start, end in others)


def test_what_the_source_calls_overlapping():
    assert not overlaps((950, 1430), [(2000, 2550), (260, 949)])
    assert overlaps((2305, 2950), [(824, 1532), (1900, 2305), (3424, 3656)])


@given(st.lists(whole, max_size=12), st.integers(0, 4000), st.integers(0, 2**32))
def test_whole_milliseconds(durations, free, seed):
    total = sum(durations) + free or 1
    found = placed(durations, total, seed)
    assert [end - start for start, end in found] == durations
    assert all(isinstance(time, int) for pair in found for time in pair)
    in_time = sorted(found)
    assert not found or (in_time[0][0] >= 0 and in_time[-1][1] <= total)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(in_time))
    if free >= len(durations) - 1:
        rest = [(each, found[:i] + found[i + 1 :]) for i, each in enumerate(found)]
        assert not any(overlaps(each, others) for each, others in rest)


@given(st.lists(broken | whole, min_size=1, max_size=12), st.floats(0, 50), st.integers(0, 2**32))
def test_fractions_of_milliseconds(durations, free, seed):
    total = math.fsum(durations) * (1 + 1e-12) + free
    found = placed(durations, total, seed)
    assert [end for _, end in found] == [
        start + d for (start, _), d in zip(found, durations, strict=True)
    ]
    in_time = sorted(found)
    assert in_time[0][0] >= 0 and in_time[-1][1] <= total * (1 + 1e-9)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(in_time))
    if math.floor(total) >= sum(map(math.ceil, durations)) + len(durations) - 1:
        assert all(isinstance(start, int) for start, _ in found)
        assert all(one[1] < other[0] for one, other in itertools.pairwise(in_time))


@pytest.mark.parametrize("durations", [[10_000], [2500] * 4, [1, 9998, 1], [2499.5, 5000, 2500.5]])
def test_an_exact_fit(durations):
    found = sorted(placed(durations, 10_000))
    assert found[0][0] == 0 and found[-1][1] == 10_000
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))


def test_an_exact_fit_of_rounded_lengths():
    """Samples in milliseconds: three times the third of a scene may be more than the scene."""
    for samples, rate in itertools.product(range(1000, 1100), (8000, 11025, 22050, 44100)):
        found = sorted(placed([1000 * samples / rate] * 3, 3000 * samples / rate))
        assert found[0][0] == 0 and found[-1][1] == pytest.approx(3000 * samples / rate)


def test_the_order_given():
    found = [placed([100, 200, 300], 1000, seed) for seed in range(50)]
    assert {tuple(end - start for start, end in each) for each in found} == {(100, 200, 300)}
    assert any(each != sorted(each) for each in found)
    assert placed([], 1000) == []


def test_a_generator_decides():
    assert placed([100, 200], 1000, 1) == placed([100, 200], 1000, 1)
    assert placed([100, 200], 1000, 1) != placed([100, 200], 1000, 2)
    rng = np.random.default_rng(0)
    assert place([100, 200], 1000, rng) != place([100, 200], 1000, rng)


def test_every_start_of_one_clip_is_equally_likely():
    rng = np.random.default_rng(4)
    starts = [place([2000], 10_000, rng)[0][0] for _ in range(8000)]
    assert min(starts) < 10 and max(starts) > 7990 and max(starts) <= 8000
    counts = np.histogram(starts, bins=np.linspace(-0.5, 8000.5, 21))[0]
    assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize(
    "durations, total, number",
    # Ways to share the free time out, times orders. All are possible, also where clips must touch.
    [
        ([1, 2], 6, 6 * 2),
        ([1, 1, 1], 5, 6),
        ([1, 1, 1], 4, 4 * 6),
        ([2, 1, 1], 5, 4 * 6),
        ([3, 1, 2, 1], 8, 5 * 24),
    ],
)
def test_all_placements_are_equally_likely(durations, total, number):
    rng = np.random.default_rng(5)
    found = Counter(tuple(place(durations, total, rng)) for _ in range(100 * number))
    assert len(found) == number
    assert stats.chisquare(list(found.values())).pvalue > 0.001


def test_all_orders_are_equally_likely():
    rng = np.random.default_rng(6)
    found = Counter(
        tuple(np.argsort(place([300, 1100, 50], 5000, rng), axis=0)[:, 0].tolist())
        for _ in range(6000)
    )
    assert len(found) == 6 and stats.chisquare(list(found.values())).pvalue > 0.001


def test_what_does_not_fit_says_what_is_left():
    with pytest.raises(ValueError) as caught:
        placed([3000, 5000, 4000], 10_000)
    assert str(caught.value) == (
        "Clip 2 of 3 lasts 4000 ms and does not fit: of the 10000 ms of the scene 2000 ms are left;"
        " expected clips of 10000 ms in all at most, and these take 12000 ms; give fewer or shorter"
        " clips, or a longer scene."
    )


@given(st.lists(broken | whole, min_size=1, max_size=9), st.floats(0.001, 0.999))
def test_too_much_is_refused(durations, share):
    with pytest.raises(ValueError, match=r"^Clip \d of \d lasts .* does not fit: .* ms are left;"):
        placed(durations, math.fsum(durations) * share)


@pytest.mark.parametrize("length", [0, -1, -0.5, math.nan, math.inf])
def test_a_length_is_a_number_above_zero(length):
    with pytest.raises(ValueError, match=rf"^The length of clip 1 is {length} ms; expected a"):
        placed([5, length], 100)
    with pytest.raises(ValueError, match=rf"^The length of total_ms is {length} ms; expected a"):
        placed([5], length)


def gaps_of(free: int, clips: int):
    """All ways to share free time out among the gaps that so many clips leave."""
    for bars in itertools.combinations(range(free + clips), clips):
        yield [b - a - 1 for a, b in itertools.pairwise([-1, *bars, free + clips])]


def test_dead_ends_by_counting_all_arrangements():
    met = Counter()
    for clips, total, length in itertools.product(range(4), range(1, 9), range(1, 9)):
        for used in range(clips, total + 1):
            # In steps of 1/(clips + 1) the gaps can all be as long as the average one, exactly.
            fine = clips + 1
            dead = any(max(gaps) < length * fine for gaps in gaps_of((total - used) * fine, clips))
            assert can_dead_end(length, used, clips, total) == dead
            met[dead] += 1
    assert min(met.values()) > 100


def dead_ends(clips: int, length: int, total: int, runs: int) -> int:
    """How many of so many scenes made by the source's rule end in a loop that never ends.

    All runs at once. Drawing until a place is free is drawing one of the free places; where there
    is none, it would go on for ever.
    """
    rng = np.random.default_rng(7)
    starts, alive = np.zeros((runs, 0), int), np.ones(runs, bool)
    for _ in range(clips):
        # Of the source: a start is below total - length, and a clip ends on its last millisecond.
        edges = np.sort(starts, axis=1)
        low = np.column_stack([np.zeros(runs, int), edges + length])
        high = np.column_stack([edges - length + 1, np.full(runs, total - length)])
        places = np.maximum(high - low, 0)
        alive &= places.sum(axis=1) > 0
        drawn = rng.integers(np.maximum(places.sum(axis=1), 1))
        last = places.cumsum(axis=1)
        gap = (drawn[:, None] >= last).sum(axis=1).clip(max=places.shape[1] - 1)
        row = np.arange(runs)
        start = low[row, gap] + drawn - (last - places)[row, gap]
        starts = np.column_stack([starts, start])
    return int((~alive).sum())


@pytest.mark.parametrize(
    "clips, length, published",
    [(4, 2000, 2560), (5, 1500, 1595), (4, 1500, 4), (3, 2000, 0), (6, 1000, 0)],
)
def test_dead_ends_as_often_as_published(clips, length, published):
    runs, of = 20_000, 5000
    found = dead_ends(clips, length, 10_000, runs)
    assert stats.fisher_exact([[found, runs - found], [published, of - published]]).pvalue > 0.001
    possible = can_dead_end(length, (clips - 1) * length, clips - 1, 10_000)
    assert possible == (found > 0)


def test_places_are_found_where_the_source_would_loop():
    rng = np.random.default_rng(0)
    for _ in range(300):
        assert len(place([2000] * 4, 10_000, rng)) == 4
    assert trigger_word.place is place
