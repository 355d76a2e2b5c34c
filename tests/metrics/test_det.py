"""DET curves: what every threshold gives, and the best one of them."""

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.metrics import DetCurve, EventCounts, ScoredStream, det_curve, match_events


def rises(times_s, scores, threshold):
    """Every step at which the scores rise above the threshold."""
    above = np.concatenate([[False], scores > threshold])
    return times_s[above[1:] & ~above[:-1]]


def stream(bumps: dict[float, float], ends_s=(), seconds: float = 360.0) -> ScoredStream:
    """Scores of 0.01 every tenth of a second, and higher ones where told."""
    times = np.arange(1, 10 * seconds + 1) / 10
    scores = np.full(len(times), 0.01, np.float32)
    for second, score in bumps.items():
        scores[round(10 * second) - 1] = score
    return ScoredStream(times, scores, ends_s, seconds)


STREAMS = [  # a tenth of an hour each
    stream({10.2: 0.9, 20.3: 0.6, 30: 0.3, 100: 0.7, 200: 0.2}, ends_s=(10, 20, 29.5, 50)),
    stream({150: 0.4}),
]
CURVE = det_curve(STREAMS, rises)


def results(curve: DetCurve) -> list[tuple[float, float]]:
    return list(zip(curve.miss_rate, curve.false_alarms_per_hour.round(9), strict=True))


def test_a_curve_by_hand():
    """From the top: nothing, a hit at 0.9, an alarm at 0.7, a hit, an alarm, a hit, an alarm."""
    assert results(CURVE) == [
        (0.25, 15), (0.25, 10), (0.5, 10), (0.5, 5), (0.75, 5), (0.75, 0), (1, 0),
    ]  # fmt: skip
    between = [0.105, 0.25, 0.35, 0.5, 0.65, 0.8, 0.9]
    assert CURVE.threshold == pytest.approx(between)
    assert all(each.hours == pytest.approx(0.2) and each.events == 4 for each in CURVE.counts)
    assert CURVE.counts[-2].delays_s == (0.2,)


def test_each_point_is_what_its_threshold_gives():
    for threshold, counts in zip(CURVE.threshold, CURVE.counts, strict=True):
        each = [match_events(s.ends_s, rises(s.times_s, s.scores, threshold)) for s in STREAMS]
        assert counts.misses == sum(match.misses for match in each)
        assert counts.false_alarms == sum(match.false_alarms for match in each)


@pytest.mark.parametrize(
    ("allowed", "misses", "alarms"),
    [(0, 3, 0), (4.9, 3, 0), (5, 2, 1), (9, 2, 1), (10.1, 1, 2), (1000, 1, 2)],
)
def test_the_best_point_within_an_allowance(allowed, misses, alarms):
    point = CURVE.at_most(allowed)
    assert (point.counts.misses, point.counts.false_alarms) == (misses, alarms)
    again = det_curve(STREAMS, rises, [point.threshold])
    assert again.counts == (point.counts,)


def test_a_rate_that_is_exactly_allowed_is_allowed_however_its_hours_were_added_up():
    one_alarm = EventCounts(events=1, false_alarms=1, hours=10 / 3600)
    counts = sum([EventCounts(events=1, hours=10 / 3600)] * 179, one_alarm)
    assert counts.false_alarms_per_hour > 2  # by a rounding error
    assert DetCurve(np.array([0.5]), (counts,)).at_most(2).counts == counts


def test_an_allowance_below_every_point_is_refused():
    curve = det_curve(STREAMS, rises, [0.25, 0.5])
    with pytest.raises(ValueError, match="at least 5 false alarms per hour at every threshold up"):
        curve.at_most(1)


def test_useful_points_are_those_that_no_other_one_beats():
    assert results(CURVE.useful()) == [(0.25, 10), (0.5, 5), (0.75, 0)]
    assert (np.diff(CURVE.useful().threshold) > 0).all()


def test_a_higher_threshold_can_find_more():
    """Two words within one long rise are told once; the valley between them parts the rise."""
    valley = stream({10.1: 0.8, 10.2: 0.5, 10.3: 0.8}, ends_s=(10, 10.2), seconds=36)
    curve = det_curve([valley], rises, [0.4, 0.6])
    assert results(curve) == [(0.5, 0), (0, 0)]


def test_of_thresholds_that_change_nothing_the_middle_one_is_kept():
    curve = det_curve(STREAMS, rises, [0.62, 0.64, 0.66, 0.75, 0.99])
    assert curve.threshold.tolist() == [0.64, 0.75, 0.99]


def test_thresholds_come_in_any_order():
    curve = det_curve(STREAMS, rises, (0.8, 0.25, 0.65))
    assert curve.threshold.tolist() == [0.25, 0.65, 0.8]


def test_plain_tuples_and_detections_will_do():
    def decide(times_s, scores, threshold):
        return [SimpleNamespace(time_s=time) for time in rises(times_s, scores, threshold)]

    assert results(det_curve(map(tuple, STREAMS), decide)) == results(CURVE)


def test_the_reach_of_an_event_is_passed_on():
    assert det_curve(STREAMS, rises, [0.25], tolerance_s=0.25).counts[0].misses == 3
    late = [stream({9.5: 0.9}, ends_s=(10,))]
    assert det_curve(late, rises, [0.5]).miss_rate == 1
    assert det_curve(late, rises, [0.5], early_s=0.5).miss_rate == 0


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_the_usual_thresholds_reach_from_silence_to_every_peak(seed, recordings):
    rng = np.random.default_rng(seed)
    times = np.arange(1, 201) / 10
    noise = [rng.random(200).astype(np.float32) for _ in range(recordings)]
    streams = [(times, scores, [5.0, 15.0], 20.0) for scores in noise]
    seen = []

    def decide(times_s, scores, threshold):
        seen.append(threshold)
        return rises(times_s, scores, threshold)

    curve = det_curve(streams, decide)
    assert len(set(seen)) <= 200 and (np.diff(curve.threshold) > 0).all()
    assert max(seen) == max(scores.max() for scores in noise)
    assert min(seen) < min(scores[1:-1].max() for scores in noise)
    assert (curve.counts[-1].misses, curve.counts[-1].false_alarms) == (2 * recordings, 0)
    pairs = [(each.misses, each.false_alarms) for each in curve.counts]
    assert all(a != b for a, b in pairwise(pairs))
    for allowed in (0, 180, 1e6):
        point = curve.at_most(allowed).counts
        fits = [each for each in curve.counts if each.false_alarms_per_hour <= allowed]
        assert point.misses == min(each.misses for each in fits)


def tried(scores) -> list[float]:
    """The usual thresholds of one recording."""
    seen = []
    times = np.arange(len(scores)) / 10
    det_curve([(times, scores, [0.2], 1000.0)], lambda *stream: seen.append(stream[2]) or [])
    return seen


def test_slopes_have_no_thresholds_of_their_own():
    hill = np.concatenate([np.linspace(0, 0.8, 400), np.linspace(0.8, 0.2, 400)])
    assert tried(hill) == pytest.approx([0.4, 0.8]), "below its top, and not below nothing"
    assert tried(np.concatenate([hill, hill])) == pytest.approx([0.4, 0.8])


@pytest.mark.parametrize("scores", [[], [0.0] * 5, [1.0] * 5])
def test_a_detector_that_never_changes_its_mind_has_a_curve_of_one_point(scores):
    times = np.arange(len(scores)) / 10
    curve = det_curve([(times, scores, [0.2], 1.0)], lambda *_: [])
    assert results(curve) == [(1, 0)]


def test_a_threshold_found_by_float32_scores_parts_them():
    near = np.nextafter(np.float32(0.9), np.float32(1))
    times = np.array([1.0, 2, 3, 4, 5])
    scores = np.array([0, near, 0, 0.9, 0], np.float32)
    curve = det_curve([(times, scores, [1.5], 6.0)], rises)
    assert curve.at_most(0).counts == EventCounts(1, 0, 0, 6 / 3600, (0.5,))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"times_s": [1, 2]}, r"Found \(2,\) times and \(3,\) scores in stream 1, 0 of them"),
        ({"scores": [0.1, math.nan, 0.2]}, "scores in stream 1, 1 of them NaN or infinite; exp"),
        ({"scores": [0.1, math.inf, 0.2]}, "scores in stream 1, 1 of them NaN or infinite; exp"),
        ({"times_s": [1, 2, 31]}, "times from 1 to 31 s in stream 1, which lasts 10 s; expected t"),
        ({"times_s": [1, 3, 2]}, "times from 1 to 3 s in stream 1, .* expected times that rise"),
        ({"times_s": [1, math.nan, 2]}, "in stream 1, .* expected times that rise"),
        ({"times_s": [-1, 2, 3]}, "times from -1 to 3 s in stream 1"),
        ({"seconds": math.nan}, "stream 1, which lasts nan s"),
        ({"seconds": math.inf}, "stream 1, which lasts inf s"),
        ({"ends_s": [math.nan]}, "Entry 0 of ends_s is nan"),
    ],
)
def test_a_stream_whose_parts_do_not_fit_is_refused(changed, sentence):
    parts = {"times_s": [1, 2, 3], "scores": [0.1, 0.9, 0.2], "ends_s": [2], "seconds": 10}
    good, bad = ScoredStream(**parts), ScoredStream(**{**parts, **changed})
    assert det_curve([good], rises_of_lists).counts
    with pytest.raises(ValueError, match=sentence):
        det_curve([good, bad], rises_of_lists)


def rises_of_lists(times_s, scores, threshold):
    return rises(np.asarray(times_s), np.asarray(scores), threshold)


@pytest.mark.parametrize(
    ("streams", "thresholds", "sentence"),
    [
        ([], None, "Found no events; expected at least one"),
        ([stream({})], None, "Found no events; expected at least one"),
        (STREAMS, [], r"Found the thresholds \[\]; expected one number at least"),
        (STREAMS, [0.5, math.nan], r"Found the thresholds \[0.5, nan\]"),
    ],
)
def test_a_curve_of_nothing_is_refused(streams, thresholds, sentence):
    with pytest.raises(ValueError, match=sentence):
        det_curve(streams, rises, thresholds)
