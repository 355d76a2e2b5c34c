"""The scores of a whole recording: the same decisions as one row after another."""

import dataclasses

import numpy as np
import pytest
import score_streams
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from score_streams import LABELS, published

from course_utils.streaming import PUBLISHED, Detection, RecognizeCommands, Scores, Settings


def some_scores(count: int = 50, seed: int = 0) -> Scores:
    rng = np.random.default_rng(seed)
    return Scores(LABELS, 30.0 * np.arange(count), rng.dirichlet([0.2] * 3, count))


def told_one_by_one(scores: Scores, settings: Settings) -> list[Detection]:
    """What RecognizeCommands tells, without silence."""
    commands, told = RecognizeCommands(scores.labels, **dataclasses.asdict(settings)), []
    for time_ms, row in zip(scores.times_ms, scores.values, strict=True):
        found = commands.process(row, time_ms)
        if found.is_new and found.label != "_silence_":
            told.append(Detection(found.label, time_ms, found.score))
    return told


def test_arrays_out_of_lists():
    scores = Scores(["a", "b"], [0, 30], [[0, 1], [0.5, 0.5]])
    assert scores.labels == ("a", "b") and scores.window_ms == 1000
    assert (scores.times_ms.dtype, scores.values.dtype) == (np.float64, np.float32)


GOOD = np.full((3, 2), 0.5)


@pytest.mark.parametrize(
    ("labels", "times", "values", "sentence"),
    [
        ("ab", [0], [[0.5, 0.5]], r"\(1, 2\); .* values of shape \(1, 1\)"),
        (
            ("a", "b"),
            [0, 30],
            GOOD,
            r"times of shape \(2,\) and values of shape \(3, 2\); expected",
        ),
        (("a", "b", "c"), [0, 30, 60], GOOD, r"values of shape \(3, 3\): a row for each, a column"),
        (("a", "b"), [], np.zeros((0, 2)), "at least one time, .* shorter than a window has no"),
        (("a", "b"), [[0], [30], [60]], GOOD, r"times of shape \(3, 1\)"),
        (("a", "b"), 0, [[0.5, 0.5]], r"times of shape \(\)"),
        ((), [0, 30, 60], np.zeros((3, 0)), r"Found the labels \(\); expected at least one"),
        (("a", "a"), [0, 30, 60], GOOD, r"Found the labels \('a', 'a'\); .* each once"),
        (("a", "b"), [0, 30, 30], GOOD, "do not go up everywhere; expected .*; sort them, or"),
        (("a", "b"), [0, 60, 30], GOOD, "do not go up everywhere"),
        (("a", "b"), [0, 30, np.nan], GOOD, "do not go up everywhere"),
        (("a", "b"), [0, 30, np.inf], GOOD, "do not go up everywhere"),
        (("a", "b"), [np.nan], [[0, 1]], "do not go up everywhere"),
        (("a", "b"), [0, 30, 60], GOOD * np.nan, "scores from nan to nan; expected probabilities"),
        (("a", "b"), [0, 30, 60], GOOD * 3, "scores from 1.5 to 1.5; expected probabilities"),
        (("a", "b"), [0, 30, 60], -GOOD, "scores from -0.5 to -0.5; expected probabilities"),
    ],
)
def test_what_is_no_stream(labels, times, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Scores(labels, times, values)


def test_hop():
    assert some_scores(1).hop_ms == 0
    assert some_scores().hop_ms == 30
    late = Scores(("a",), [0, 30, 60, 1000, 1030], np.ones((5, 1)))
    assert late.hop_ms == 30, "one late window does not count"


def test_between():
    scores = dataclasses.replace(some_scores(), window_ms=500)
    part = scores.between(60, 150)
    np.testing.assert_array_equal(part.times_ms, [60, 90, 120])
    np.testing.assert_array_equal(part.values, scores.values[2:5])
    assert (part.labels, part.window_ms) == (LABELS, 500)
    assert len(scores.between(-np.inf, np.inf).times_ms) == 50
    with pytest.raises(ValueError, match="at least one time"):
        scores.between(61, 90)


def test_every():
    scores = dataclasses.replace(some_scores(), window_ms=500)
    part = scores.every(7)
    np.testing.assert_array_equal(part.times_ms, [0, 210, 420, 630, 840, 1050, 1260, 1470])
    np.testing.assert_array_equal(part.values, scores.values[::7])
    assert (part.labels, part.window_ms, part.hop_ms) == (LABELS, 500, 210)
    assert len(scores.every(1000).times_ms) == 1
    for step in (0, -1):
        with pytest.raises(ValueError, match=f"step is {step}; expected 1 or more"):
            scores.every(step)


@given(st.integers(1, 40), st.integers(0, 2**32), score_streams.settings)
def test_averages_are_means_of_the_window(count, seed, settings):
    rng = np.random.default_rng(seed)
    times = rng.choice([0.5, 20, 62.5, 100, 300], count).cumsum()
    scores = Scores(LABELS, times, rng.dirichlet([0.5] * 3, count))
    found = scores.averages(settings)
    assert found.shape == (count, 3)
    for row, time_ms in enumerate(times):
        heard = (times >= time_ms - settings.average_window_ms) & (times <= time_ms)
        lasting = time_ms - times[heard].min()
        if heard.sum() < settings.minimum_count or lasting < settings.average_window_ms / 4:
            assert np.isnan(found[row]).all()
        else:
            np.testing.assert_allclose(found[row], scores.values[heard].mean(axis=0), atol=1e-6)


rising = score_streams.streams(st.sampled_from([0.5, 12.5, 25, 62.5, 125, 300]))


@given(score_streams.settings, rising.filter(len))
def test_it_decides_by_the_published_rule(settings, calls):
    times, rows = zip(*calls, strict=True)
    scores = Scores(LABELS, times, rows)
    if len(times) > 1 and scores.hop_ms > settings.slowest_stride_ms:
        with pytest.raises(ValueError, match="ms apart; expected more than 0 and at most"):
            scores.decide(settings)
        return
    expected = [
        Detection(each.label, time_ms, pytest.approx(each.score, abs=1e-11))
        for time_ms, each in zip(times, published(LABELS, settings, calls), strict=True)
        if each.is_new and each.label != "_silence_"
    ]
    assert scores.decide(settings) == expected


settings_of_all_kinds = st.builds(
    Settings,
    average_window_ms=st.floats(30, 2000),
    detection_threshold=st.floats(0, 1),
    suppression_ms=st.floats(0, 2000),
    minimum_count=st.integers(1, 20),
)


# At the very limit, a share of 1, rounding decides whether the window holds one row more.
@runs(deadline=None)  # hundreds of calls
@given(settings_of_all_kinds, st.floats(0.1, 0.999), st.integers(0, 2**32))
def test_it_decides_as_one_row_after_another(settings, share, seed):
    """To the last bit, whatever the numbers."""
    rng = np.random.default_rng(seed)
    spoken = np.repeat(rng.integers(0, 3, 20), rng.integers(1, 40, 20))
    values = 0.7 * np.eye(3)[spoken] + 0.3 * rng.dirichlet([0.3] * 3, len(spoken))
    times = rng.uniform(-1e6, 1e6) + share * settings.slowest_stride_ms * np.arange(len(spoken))
    scores = Scores(LABELS, times, values)
    assert scores.decide(settings) == told_one_by_one(scores, settings)


def test_a_word_is_told_and_silence_is_not():
    spoken = (np.arange(200) // 40) % 2
    scores = Scores(("_silence_", "yes"), 30 * np.arange(200), np.eye(2)[spoken])
    found = scores.decide(PUBLISHED["python"])
    assert [(each.label, each.time_ms) for each in found] == [("yes", 1530), ("yes", 3930)]
    assert [each.score for each in found] == pytest.approx([12 / 17] * 2)
    assert all(type(each.time_ms) is float for each in found)


def test_too_slow_for_any_decision():
    scores = Scores(("a",), 600 * np.arange(5), np.ones((5, 1)))
    with pytest.raises(ValueError, match=r"scores are 600 ms apart; expected .* at most 166\.667"):
        scores.decide(Settings())
    assert scores.decide(Settings(2000))


def test_one_window_tells_nothing():
    assert Scores(("a",), [0], [[1]]).decide(Settings(minimum_count=1)) == []


def test_the_settings_of_one_do_not_touch_the_next():
    scores = some_scores(400)
    loose, strict = Settings(300, 0.3, 0, 2), Settings(800, 0.6, 1000, 6)
    first = scores.decide(loose)
    scores.decide(strict)
    assert scores.decide(loose) == first != scores.decide(strict)
