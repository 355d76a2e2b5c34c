"""Events: matched as well as they can be, counted once, and rates with honest bounds."""

import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, poisson

from course_utils import metrics
from course_utils.metrics import EventCounts, match_events

# Milliseconds, so close together that matches compete.
MOMENTS = st.lists(st.integers(0, 4000).map(lambda ms: ms / 1000), max_size=6)
REACH = st.integers(0, 1500).map(lambda ms: ms / 1000)
COUNTS = st.builds(
    lambda events, share, alarms, hours: EventCounts(events, int(share * events), alarms, hours),
    st.integers(0, 500), st.floats(0, 1), st.integers(0, 50), st.floats(0.01, 100),
)  # fmt: skip


def best(ends, found, late, early) -> tuple[int, float]:
    """Most pairs and the smallest sum of delays, by trying every way to match."""
    results = [(0, 0.0)]
    for used in itertools.product([None, *range(len(ends))], repeat=len(found)):
        pairs = [
            (time, ends[event])
            for time, event in zip(found, used, strict=True)
            if event is not None
        ]
        chosen = [event for event in used if event is not None]
        if len(set(chosen)) == len(chosen) and all(
            -early - 1e-9 <= time - end <= late + 1e-9 for time, end in pairs
        ):
            results.append((len(pairs), -sum(abs(time - end) for time, end in pairs)))
    return max(results)


def test_events_by_hand():
    """Told in time; told twice; told too late; told where nothing was; not told."""
    match = match_events([1, 4, 7, 20], [1.25, 4.5, 4.75, 8, 12], tolerance_s=0.75)
    assert (match.events, match.hits, match.misses, match.false_alarms) == (4, 2, 2, 3)
    assert match.partners == (0, 1, None, None, None)
    assert match.delays_s == (0.25, 0.5)
    assert match.missed.tolist() == [False, False, True, True]


def test_a_detection_before_the_end_counts_only_where_it_may():
    assert match_events([2], [1.9]).hits == 0
    match = match_events([2], [1.9, 1.5], early_s=0.25)
    assert match.partners == (0, None) and match.delays_s == (-0.1,)


@pytest.mark.parametrize("end", [0.0, 0.1, 1.2, 599.7])
def test_both_edges_of_the_reach_count_whatever_a_float_makes_of_them(end):
    assert match_events([end], [end + 0.75]).hits == 1, "1.95 - 1.2 is not quite 0.75"
    assert match_events([end], [end - 0.3], early_s=0.3).hits == 1
    assert match_events([end], [end + 0.751]).hits == 0
    assert match_events([end], [end - 0.301], early_s=0.3).hits == 0


def test_close_events_share_out_the_detections_so_that_all_are_found():
    """The nearer event of the first detection would leave the second one without any."""
    match = match_events([1.0, 1.5], [1.6, 1.7, 1.9], tolerance_s=0.75)
    assert match.hits == 2 and match.partners == (0, 1, None)
    assert sum(match.delays_s) == pytest.approx(0.6 + 0.2)
    late = match_events([1.0, 1.5], [1.6, 2.2])
    assert late.partners == (0, 1), "alone, 1.6 is nearer to 1.5"


def test_order_is_kept_as_given():
    match = match_events([20, 1, 7], [7.5, 12, 1.25])
    assert match.partners == (2, None, 1)
    assert match.delays_s == (0.5, 0.25)
    assert match.missed.tolist() == [True, False, False]


def test_what_has_a_time_is_a_detection_too():
    class Detection(NamedTuple):
        time_s: float
        score: float

    assert match_events(np.array([1.0]), [Detection(1.5, 0.9)]).delays_s == (0.5,)


@given(MOMENTS, MOMENTS, REACH, REACH)
def test_everything_is_counted_once(ends, found, late, early):
    match = match_events(ends, found, late, early)
    assert match.hits + match.misses == match.events == len(ends)
    assert match.hits + match.false_alarms == len(match.partners) == len(found)
    used = [event for event in match.partners if event is not None]
    assert len(set(used)) == len(used) == match.hits == len(match.delays_s)
    assert sorted(used) == np.flatnonzero(~match.missed).tolist()
    pairs = [(i, j) for j, i in enumerate(match.partners) if i is not None]
    for (i, j), delay in zip(pairs, match.delays_s, strict=True):
        assert delay == pytest.approx(found[j] - ends[i], abs=2e-6)
        assert -early - 2e-6 <= delay <= late + 2e-6


@given(
    MOMENTS.filter(lambda ends: len(ends) <= 4), MOMENTS.filter(lambda found: len(found) <= 5),
    REACH, REACH,
)  # fmt: skip
def test_no_other_way_to_match_is_better(ends, found, late, early):
    match = match_events(ends, found, late, early)
    hits, gain = best(ends, found, late, early)
    assert match.hits == hits
    assert sum(map(abs, match.delays_s)) == pytest.approx(-gain, abs=1e-5)


@given(MOMENTS, MOMENTS, REACH, st.integers(-5000, 10**6), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_beginning_of_time_matters(ends, found, late, shift, random):
    match = match_events(ends, found, late, 0.2)
    moved = match_events([t + shift for t in ends], [t + shift for t in found], late, 0.2)
    assert moved == match
    mixed = random.sample(ends, len(ends)), random.sample(found, len(found))
    again = match_events(*mixed, late, 0.2)
    assert sorted(again.delays_s) == sorted(match.delays_s)


def test_a_long_crowd_is_matched_quickly():
    ends = np.arange(0, 3000, 0.25)
    match = match_events(ends, ends[1:] + 0.01)
    assert match.hits == len(ends) - 1 and match.false_alarms == 0
    assert match.missed.tolist() == [True] + [False] * (len(ends) - 1), "0.01 s late, not 0.26"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([1, math.nan], []), "Entry 1 of ends_s is nan; expected a time in seconds"),
        (([], [math.inf]), "Entry 0 of found_s is inf; expected a time in seconds"),
        (([], ["1.5"]), "Entry 0 of found_s is '1.5'; expected a time in seconds"),
        (([(1, 2)], []), r"Entry 0 of ends_s is \(1, 2\); expected a time in seconds"),
        ((None, []), "Entry 0 of ends_s is None"),
        (([], [], -0.1), "tolerance_s is -0.1; expected seconds from 0 up; 0.75 is usual"),
        (([], [], math.nan), "tolerance_s is nan"),
        (([], [], 0.75, -1), "early_s is -1; expected seconds from 0 up; 0 is usual"),
        (([], [], 0.75, math.inf), "early_s is inf"),
    ],
)
def test_what_is_no_time_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        match_events(*arguments)


def test_recordings_are_pooled():
    counts = [
        match_events([1, 4], [1.25, 2.5]).counts(seconds=900),
        match_events([], [3, 5]).counts(seconds=2700),
    ]
    pooled = sum(counts, EventCounts())
    assert pooled == EventCounts(2, 1, 3, 1.0, (0.25,))
    assert (pooled.miss_rate, pooled.false_alarms_per_hour) == (0.5, 3)


@given(COUNTS, COUNTS, COUNTS)
def test_counts_are_added_in_any_order(a, b, c):
    left, right = (a + b) + c, c + (b + a)
    assert (left.events, left.misses, left.false_alarms) == (
        right.events, right.misses, right.false_alarms,
    )  # fmt: skip
    assert left.hours == pytest.approx(right.hours)
    assert a + EventCounts() == a


def test_counts_are_added_only_to_counts():
    with pytest.raises(TypeError, match="unsupported operand"):
        EventCounts() + 1


def test_silence_for_ten_minutes_proves_little():
    """The rule of three: -ln 0.05 = 2.9957 alarms, in a sixth of an hour."""
    counts = EventCounts(hours=10 / 60)
    assert counts.false_alarms_upper() == pytest.approx(17.97, abs=0.005)
    assert counts.false_alarms_upper() == pytest.approx(-6 * math.log(0.05))
    assert counts.false_alarms_interval() == pytest.approx((0, -6 * math.log(0.025)))
    assert EventCounts(hours=10).false_alarms_upper() == pytest.approx(0.3, abs=0.001)


@given(st.integers(0, 200), st.floats(0.01, 1000), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_bounds_are_exact(alarms, hours, confidence):
    """At the upper bound so few alarms have exactly the rest of the probability."""
    counts = EventCounts(false_alarms=alarms, hours=hours)
    upper = counts.false_alarms_upper(confidence)
    assert upper == pytest.approx(chi2.ppf(confidence, 2 * (alarms + 1)) / 2 / hours)
    assert poisson.cdf(alarms, upper * hours) == pytest.approx(1 - confidence)
    low, high = counts.false_alarms_interval(confidence)
    assert low <= counts.false_alarms_per_hour < upper < high
    outside = (1 - confidence) / 2
    assert poisson.cdf(alarms, high * hours) == pytest.approx(outside)
    if alarms:
        assert poisson.sf(alarms - 1, low * hours) == pytest.approx(outside)


def test_the_interval_of_the_miss_rate_is_wilsons():
    counts = EventCounts(events=60, misses=3)
    assert counts.miss_rate_interval() == metrics.wilson(3, 60)
    assert counts.miss_rate_interval(0.5) == metrics.wilson(3, 60, 0.5)


def test_speakers_are_drawn_whole():
    """One of ten speakers is never found: other speakers may fare much better or worse."""
    ends = np.arange(1, 21) * 2.0
    matches = [match_events(ends, [] if speaker == 3 else ends + 0.1) for speaker in range(10)]
    missed = np.concatenate([match.missed for match in matches])
    speakers = np.repeat([f"speaker {speaker}" for speaker in range(10)], len(ends))
    low, high = metrics.bootstrap(missed, np.random.default_rng(0), groups=speakers)
    counts = sum((match.counts(60) for match in matches), EventCounts())
    alone = counts.miss_rate_interval()
    assert counts.miss_rate == missed.mean() == 0.1
    assert low < alone[0] < 0.1 < alone[1] < high


def test_latency_by_hand():
    latency = EventCounts(delays_s=tuple(np.arange(101) / 100)).latency
    assert (latency.hits, latency.median_s, latency.p95_s) == pytest.approx((101, 0.5, 0.95))
    nothing = EventCounts().latency
    assert nothing.hits == 0 and math.isnan(nothing.median_s) and math.isnan(nothing.p95_s)


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        (
            EventCounts(100, 3, 0, 1 / 6, (0.1, 0.2)),
            "3 of 100 events missed, 3.0 % (95 %: 1.0 to 8.5 %); 0 false alarms in 0.167 h, 0 per"
            " hour (95 %: at most 18); told after 0.15 s (median), 95 % within 0.20 s",
        ),
        (
            EventCounts(0, 0, 1, 2),
            "1 false alarm in 2 h, 0.5 per hour (95 %: 0.0127 to 2.79)",
        ),
        (EventCounts(10, 10), "10 of 10 events missed, 100.0 % (95 %: 72.2 to 100.0 %)"),
        (EventCounts(), "nothing was listened to"),
    ],
)
def test_counts_in_a_line(counts, line):
    assert str(counts) == line


def test_without_events_or_time_there_is_no_rate():
    assert math.isnan(EventCounts(hours=1).miss_rate)
    assert math.isnan(EventCounts(events=1).false_alarms_per_hour)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"events": -1}, "events is -1; expected a whole number from 0 up"),
        ({"events": 2, "misses": 0.5}, "misses is 0.5; expected a whole number"),
        ({"false_alarms": math.nan, "hours": 1}, "false_alarms is nan; expected a whole number"),
        ({"events": 2, "misses": 3}, "3 misses of 2 events; expected at most one for each event"),
        ({"hours": -1}, "0 false alarms in -1 hours; expected hours from 0 up"),
        ({"hours": math.nan}, "0 false alarms in nan hours"),
        ({"hours": math.inf}, "0 false alarms in inf hours"),
        ({"false_alarms": 2}, "2 false alarms in 0.0 hours; .* above 0 where there are alarms"),
    ],
)
def test_what_cannot_have_been_counted_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        EventCounts(**arguments)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (EventCounts(hours=1).miss_rate_interval, "Found no events; expected at least one"),
        (EventCounts(events=1).false_alarms_upper, "Found 0 hours of listening; expected more"),
        (EventCounts(events=1).false_alarms_interval, "Found 0 hours of listening"),
        (lambda: EventCounts(hours=1).false_alarms_upper(95), "confidence=95; expected a share"),
        (lambda: EventCounts(hours=1).false_alarms_interval(0), "confidence=0; expected a share"),
        (lambda: EventCounts(events=1).miss_rate_interval(1), "confidence=1; expected a share"),
    ],
)
def test_an_interval_of_nothing_is_refused(ask, sentence):
    with pytest.raises(ValueError, match=sentence):
        ask()


def test_who_says_nothing_is_almost_always_right():
    """Two trigger words, fifty steps each, in a scene of 1375 steps: reference C4."""
    labels = np.zeros((1375, 1))
    labels[400:450] = labels[900:950] = 1
    assert metrics.frame_accuracy(labels, np.zeros_like(labels)) == pytest.approx(0.927, abs=5e-4)
    assert metrics.frame_accuracy(labels, 0.9 * labels) == 1
    assert metrics.frame_accuracy(labels, 0.9 * labels, threshold=0.95) == 1275 / 1375
    ends, found = np.array([400, 900]) / 137.5, []
    assert match_events(ends, found).counts(10).miss_rate == 1, "events are not fooled"


def test_a_probability_at_the_threshold_says_no():
    assert metrics.frame_accuracy([0, 1], [0.5, 0.5]) == 0.5


@pytest.mark.parametrize(
    ("labels", "probabilities", "sentence"),
    [
        ([0, 1], [0.5], r"labels of shape \(2,\) and probabilities of shape \(1,\); expected the"),
        ([], [], "at least one step"),
        ([0, 2], [0.5, 0.5], "label 2 and probability 0.5 at step 1; expected a label of 0 or 1"),
        ([0, 1], [math.nan, 1], "label 0 and probability nan at step 0"),
    ],
)
def test_frame_accuracy_refuses(labels, probabilities, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.frame_accuracy(labels, probabilities)
