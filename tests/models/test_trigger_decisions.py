"""From probabilities to moments: each event once, wherever a stream is cut."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.models import trigger_word
from course_utils.models.trigger_word import Detection, Trigger, chimes, detections

STEP_MS = 10_000 / 1375


def ones(*stretches, steps=1375):
    """Probabilities of 1 from a first to a last step, and of 0 elsewhere."""
    scores = np.zeros(steps)
    for first, last in stretches:
        scores[first : last + 1] = 1
    return scores


@pytest.mark.parametrize(
    "scores, times_ms",
    [
        (ones((600, 649), (1000, 1099)), [4363.64, 7272.73, 7825.45]),  # one of them chimes twice
        (ones((10, 59)), []),  # the first 75 steps are deaf
        (ones((10, 89)), [545.45]),
        (ones(), []),
    ],
)
def test_the_rule_of_the_source(scores, times_ms):
    found = [round(step * STEP_MS, 2) for step in chimes(scores)]
    assert found == times_ms
    assert found == [round(step * STEP_MS, 2) for step in chimes(scores.tolist())]


def test_the_rule_of_the_source_with_other_numbers():
    assert chimes([0.6, 0.7, 0.8, 0.7], threshold=0.65, wait=0) == [1, 2, 3]
    assert chimes([0.6, 0.7, 0.8, 0.7], threshold=0.65, wait=1) == [1, 3]
    assert chimes([0.5] * 9, threshold=0.5, wait=0) == []  # above, not at


def test_a_long_event_is_told_once():
    times = np.arange(1375) * STEP_MS / 1000
    found = detections(times, ones((10, 59), (600, 649), (1000, 1099)))
    assert found == [Detection(times[step], 1.0) for step in (10, 600, 1000)]
    assert [each.time_s for each in found] == pytest.approx([0.0727, 4.3636, 7.2727], abs=1e-4)


def test_what_is_told():
    found = detections([0.1, 0.2, 0.3, 0.4], [0.2, 0.8, 0.9, 0.1], threshold=0.5)
    assert found == [(0.2, 0.8)]
    assert all(type(value) is float for value in found[0])


def test_it_has_to_be_above_the_threshold():
    assert detections([1, 3], [0.5, 0.5], threshold=0.5) == []
    assert detections([1, 3], [0.5, 0.51], threshold=0.5) == [(3, 0.51)]
    assert detections([1], [1.0], threshold=1) == []
    assert detections([1, 2], [0.0, 1e-9], threshold=0) == [(2, 1e-9)]


def test_an_edge_between_two_pieces_is_seen():
    trigger = Trigger()
    assert trigger.push([0.1, 0.2], [0, 0]) == []
    assert trigger.push([0.3, 0.4], [1, 1]) == [(0.3, 1)]
    assert trigger.push([], []) == []
    assert trigger.push([2.1, 2.2], [1, 1]) == [], "still the same event"
    assert trigger.push([3.1, 3.2], [0, 1]) == [(3.2, 1)]


def test_the_refractory_period():
    times, scores = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5], [1, 0, 1, 0, 1, 0]
    assert [d.time_s for d in detections(times, scores, refractory_s=0)] == [0, 1, 2]
    assert [d.time_s for d in detections(times, scores, refractory_s=1)] == [0, 1, 2]
    assert [d.time_s for d in detections(times, scores, refractory_s=1.01)] == [0, 2]
    assert [d.time_s for d in detections(times, scores, refractory_s=5)] == [0]


def test_a_rise_within_the_refractory_period_is_never_told():
    """Not even when it lasts longer: the chime would come late."""
    times, scores = np.arange(40) / 10, [1, 0] + [1] * 38
    assert [d.time_s for d in detections(times, scores, refractory_s=1)] == [0]


def test_nothing_is_told_where_nothing_is_known():
    assert detections([1, 2, 3], [math.nan, math.nan, 0.9]) == [(3, 0.9)]


@given(
    st.lists(st.sampled_from([0.1, 0.5, 0.6, 0.9]), max_size=60),
    st.lists(st.integers(0, 60), max_size=8),
    st.sampled_from([0, 0.07, 0.3]),
)
def test_cuts_change_nothing(scores, cuts, refractory_s):
    times = np.arange(len(scores)) * 0.02
    trigger, found = Trigger(0.5, refractory_s), []
    edges = [0, *sorted(min(cut, len(scores)) for cut in cuts), len(scores)]
    for low, high in itertools.pairwise(edges):
        found += trigger.push(times[low:high], scores[low:high])
    assert found == detections(times, scores, 0.5, refractory_s)


@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0, 1), st.floats(0, 1))
def test_as_it_is_described(scores, threshold, refractory_s):
    expected, last, above = [], -math.inf, False
    times = [0.04 * step for step in range(len(scores))]
    for time, score in zip(times, scores, strict=True):
        if score > threshold and not above and time - last >= refractory_s:
            expected.append((time, score))
            last = time
        above = score > threshold
    assert detections(times, scores, threshold, refractory_s) == expected


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_an_impossible_threshold(threshold):
    sentence = rf"^threshold is {threshold}; expected a probability from 0 to 1; 0\.5 is usual\.$"
    with pytest.raises(ValueError, match=sentence):
        Trigger(threshold)
    with pytest.raises(ValueError, match=sentence):
        detections([], [], threshold)


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan])
def test_an_impossible_refractory_period(seconds):
    sentence = rf"^refractory_s is {seconds}; expected seconds from 0 up; 1 is usual\.$"
    with pytest.raises(ValueError, match=sentence):
        Trigger(refractory_s=seconds)


def test_decisions_and_front_end_need_no_framework():
    code = (
        "import sys; from course_utils.models import trigger_word as t; t.Trigger().push([1], [1]);"
        " t.FrontEnd(); assert not {'torch', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names():
    assert set(trigger_word.__all__) <= set(dir(trigger_word))
    assert all(getattr(trigger_word, name) is not None for name in trigger_word.__all__)
    with pytest.raises(AttributeError, match=r"has no attribute 'Triger'$"):
        trigger_word.Triger  # noqa: B018
