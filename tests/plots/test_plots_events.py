"""Pictures of a detector: marks in their places, shapes that tell the outcome, words that agree."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import plots
from course_utils.metrics import (
    DetCurve,
    EventCounts,
    EventMatch,
    OperatingPoint,
    det_curve,
    match_events,
)

TIMES = np.arange(1, 101) / 10  # ten seconds
SPANS = ((0.5, 1.0, "activate"), (2.5, 3.25, "river"), (5.0, 5.5, "activate"))
ENDS, FOUND = (1.0, 5.5), (1.25, 3.5)  # a hit, a false alarm after the river, and a miss
MATCH = match_events(ENDS, FOUND)
CURVE = DetCurve(
    np.array([0.2, 0.4, 0.6, 0.8]),
    tuple(
        EventCounts(50, misses, alarms, 0.5)
        for misses, alarms in ((2, 40), (5, 6), (9, 8), (20, 0))
    ),
)
POINT = CURVE.at_most(12)


def scores() -> np.ndarray:
    """Nothing, but for two rises: from 1.2 to 1.5 s and at 3.5 s."""
    found = np.full(100, 0.01, np.float32)
    found[11:15], found[34] = 0.9, 0.75
    return found


@pytest.fixture
def track(ax):
    """Axes with the probabilities of ten seconds."""
    plots.probability_track(ax, TIMES, scores(), 0.5, "a scene")
    return ax


def said(ax) -> str:
    return plots.alt_text(ax.figure)


def in_legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def marked(ax) -> dict[str, list[float]]:
    """The times at which each outcome is marked; only the upper one of two layers has a name."""
    return {
        marks.get_label(): marks.get_offsets()[:, 0].tolist()
        for marks in ax.collections
        if not marks.get_label().startswith("_")
    }


def test_a_track_shows_probabilities_and_the_threshold(track):
    line, threshold = track.lines
    np.testing.assert_array_equal(line.get_xydata(), np.stack([TIMES, scores()], axis=1))
    assert set(threshold.get_ydata()) == {0.5} and threshold.get_linestyle() == "--"
    assert (track.get_xlabel(), track.get_ylabel()) == ("time (s)", "probability")
    assert track.get_yticks().tolist() == [0, 0.25, 0.5, 0.75, 1] and track.get_xlim() == (0.1, 10)
    assert in_legend(track) == ["threshold 0.5"] and track.get_title(loc="left") == "a scene"


def test_the_words_of_a_track_are_computed(track):
    assert said(track) == (
        "Probability over time of a scene: 100 steps from 0.10 to 10.00 s, at most 0.90 at 1.20 s."
        " Above the threshold 0.5: from 1.20 to 1.50 s, from 3.50 to 3.50 s."
    )


@pytest.mark.parametrize(("level", "above"), [(0.5, "nothing"), (0.6, "from 0.10 to 10.00 s")])
def test_a_track_that_never_crosses_the_threshold(ax, level, above):
    plots.probability_track(ax, TIMES, np.full(100, level), 0.5)
    assert said(ax).endswith(f"Above the threshold 0.5: {above}.")


@pytest.mark.parametrize(
    ("times", "values", "threshold", "sentence"),
    [
        (
            [],
            [],
            0.5,
            r"\(0,\) times, \(0,\) scores .* expected a probability from 0 to 1 for each",
        ),
        ([1, 2], [0.5], 0.5, r"\(2,\) times, \(1,\) scores and the threshold 0.5"),
        ([[1, 2]], [[0, 1]], 0.5, r"\(1, 2\) times"),
        ([1, 2], [0.5, math.nan], 0.5, "expected a probability from 0 to 1"),
        ([1, 2], [0.5, 3], 0.5, "expected a probability from 0 to 1"),
        ([1, 2], [0.5, 0.6], 50, "threshold 50; expected .* a threshold from 0 to 1"),
        ([1, 2], [0.5, 0.6], math.nan, "threshold nan; expected"),
    ],
)
def test_what_is_no_probability_over_time_is_refused(ax, times, values, threshold, sentence):
    with pytest.raises(ValueError, match=sentence):
        plots.probability_track(ax, times, values, threshold)


def test_words_are_shaded_where_they_are(track):
    plots.trigger_events(track, SPANS, "activate")
    shaded = [(p.get_x(), p.get_x() + p.get_width(), p.get_hatch()) for p in track.patches]
    assert shaded == [(0.5, 1.0, "///"), (5.0, 5.5, "///"), (2.5, 3.25, "...")]
    names = [(text.get_position()[0], text.get_text()) for text in track.texts]
    assert names == [(0.75, "activate"), (5.25, "activate"), (2.875, "river")]
    assert in_legend(track) == ["threshold 0.5", "trigger word", "other word"], "each once"
    assert said(track).endswith(
        "Trigger words: activate from 0.50 to 1.00 s, activate from 5.00 to 5.50 s. Other words:"
        " river from 2.50 to 3.25 s."
    )


def test_several_words_may_be_triggers(track):
    plots.trigger_events(track, SPANS, {"activate", "river"})
    assert {p.get_hatch() for p in track.patches} == {"///"}
    assert said(track).endswith("Other words: nothing.")


def test_many_words_are_shaded_without_their_names(track):
    before = track.get_xlim()
    spans = [(second, second + 0.3, "activate") for second in range(14)]
    plots.trigger_events(track, spans, "activate")
    assert len(track.patches) == 14 and not track.texts
    assert "activate from 11.00 to 11.30 s and 2 more." in said(track)
    assert track.get_xlim() == before, "what reaches beyond the picture does not widen it"


@pytest.mark.parametrize("span", [(2, 1, "a"), (1, 1, "a"), (1, math.nan, "a"), (1, math.inf, "a")])
def test_a_span_that_ends_before_it_starts_is_refused(track, span):
    with pytest.raises(ValueError, match=r"Found 'a' from .* expected an end after its start"):
        plots.trigger_events(track, [span], "a")


def test_shape_tells_what_became_of_detections_and_events(track):
    before = track.get_xlim()
    plots.trigger_detections(track, ENDS, FOUND, MATCH)
    assert marked(track) == {"hit": [1.25], "false alarm": [3.5], "missed": [5.5]}
    shapes = {len(marks.get_paths()[0].vertices) for marks in track.collections}
    assert len(shapes) == 3, "without colour, too"
    assert in_legend(track)[1:] == ["hit", "false alarm", "missed"]
    assert said(track).endswith("Hit: 1.25 s. False alarm: 3.50 s. Missed: 5.50 s.")
    assert track.get_xlim() == before


def test_markers_are_above_every_probability_and_below_the_names(track):
    plots.trigger_events(track, SPANS, "activate")
    plots.trigger_detections(track, ENDS, FOUND, MATCH)
    (height,) = {float(marks.get_offsets()[0, 1]) for marks in track.collections}
    top = track.get_ylim()[1]
    assert 1 < height * top < track.texts[0].get_position()[1] * top - 0.1


def test_what_is_at_another_time_is_left_out(track):
    match = match_events([20.0], [30.0])
    plots.trigger_detections(track, [20.0], [30.0], match)
    assert marked(track) == {}
    assert said(track).endswith("Hit: nothing. False alarm: nothing. Missed: nothing.")


def test_detections_with_a_time_are_marked_on_a_picture_of_sound(ax):
    plots.waveform(ax, np.zeros(16000, np.float32), 2000)
    plots.trigger_detections(ax, ENDS, [SimpleNamespace(time_s=time) for time in FOUND], MATCH)
    assert marked(ax)["hit"] == [1.25] and said(ax).startswith("Waveform")


def test_a_spectrogram_keeps_its_time(ax):
    plots.spectrogram(ax, np.zeros((300, 65)), 8000)
    before = ax.get_xlim()
    plots.trigger_detections(ax, ENDS, FOUND, MATCH)
    assert ax.get_xlim() == before and before[1] < 3.5 and marked(ax) == {"hit": [1.25]}
    plots.trigger_events(ax, SPANS, "activate")
    assert ax.get_xlim() == before


@pytest.mark.parametrize(("ends", "found"), [(ENDS[:1], FOUND), (ENDS, FOUND[:1])])
def test_a_match_of_something_else_is_refused(track, ends, found):
    with pytest.raises(ValueError, match=r"\d events and \d detections, and a match of 2 and 2"):
        plots.trigger_detections(track, ends, found, MATCH)


def test_a_det_curve_shows_only_points_that_nothing_beats(ax):
    plots.det(ax, {"small": CURVE}, title="a detector")
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [0, 12, 80] and line.get_drawstyle() == "steps-post"
    assert line.get_ydata() == pytest.approx([40, 10, 4])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("false alarms per hour", "miss rate (%)")
    assert (
        in_legend(ax) == ["small (50 events, 0.5 h)"] and ax.get_title(loc="left") == "a detector"
    )
    assert said(ax) == (
        "DET curve of a detector, misses over false alarms per hour. small (50 events, 0.5 h): 40.0"
        " % missed at 0 per hour, 4.0 % at 80."
    )


def test_zero_has_a_place_on_the_axis_of_rates(ax):
    plots.det(ax, {"": CURVE})
    places = dict(zip((t.get_text() for t in ax.get_xticklabels()), ax.get_xticks(), strict=True))
    assert list(places) == ["0", "2", "5", "10", "20", "50"] and places["50"] == 50
    x = [ax.transData.transform((rate, 0))[0] for rate in (0, 2, 20)]
    left, right = ax.get_window_extent().x0, ax.get_window_extent().x1
    assert left < x[0] < x[1] < x[2] < right
    assert x[1] - x[0] > 20, "zero is apart from the first alarm"
    assert ax.get_xlim()[1] > 80 and ax.get_ylim()[0] < 0 and ax.get_ylim()[1] > 40


@pytest.mark.parametrize(("hours", "labels"), [(0.5, 10), (0.1, 10), (1000, 8)])
def test_ticks_fit_short_and_long_recordings(ax, hours, labels):
    counts = (EventCounts(10, 1, round(15 * hours) or 2, hours), EventCounts(10, 2, 0, hours))
    plots.det(ax, {"": DetCurve(np.array([0.1, 0.9]), counts)})
    ticks = ax.get_xticks()
    assert 3 <= len(ticks) <= labels + 1 and (np.diff(ticks) > 0).all()
    assert ticks[0] == 0 and ticks[1] >= 0.99 / hours


def test_operating_points_are_marked_with_their_threshold(ax):
    elsewhere = OperatingPoint(0.4, EventCounts(20, 12, 100, 0.5))
    plots.det(ax, {"small": CURVE}, [POINT, elsewhere])
    _, first, second = ax.lines
    assert first.get_xydata().tolist() == [[12, 10]] and second.get_xydata().tolist() == [[200, 60]]
    assert [text.get_text() for text in ax.texts] == ["threshold 0.4", "threshold 0.4"]
    assert ax.get_xlim()[1] > 200 and ax.get_ylim()[1] > 60, "a point off the curve is seen"
    assert f"Marked is the threshold 0.4: {POINT.counts}." in said(ax)
    assert "5 of 50 events missed, 10.0 % (95 %: 4.3 to 21.4 %); 6 false alarms" in said(ax)


def test_a_detector_without_an_error_is_drawn(ax):
    plots.det(ax, {"perfect": DetCurve(np.array([0.5]), (EventCounts(10, 0, 0, 1),))})
    assert "0.0 % missed at 0 per hour, 0.0 % at 0." in said(ax)
    assert ax.get_ylim()[0] < 0 < ax.get_ylim()[1]


def test_curves_are_told_apart_without_colour(ax):
    plots.det(ax, {"small": CURVE, "large": CURVE})
    assert len({line.get_linestyle() for line in ax.lines}) == 2
    assert len(in_legend(ax)) == 2


def test_the_way_from_scores_to_the_picture(ax):
    def decide(times_s, scores, threshold):
        return times_s[scores > threshold][:1]

    curve = det_curve([(TIMES, scores(), ENDS, 10.0)], decide)
    plots.det(ax, {"": curve}, [curve.at_most(0)])
    assert "2 events, 0.00278 h: 50.0 % missed at 0 per hour" in said(ax)


@pytest.mark.parametrize(
    ("curves", "points", "sentence"),
    [
        ({}, (), "Found 0 curves for one axes; expected 1 to 5"),
        ({str(number): CURVE for number in range(6)}, (), "Found 6 curves for one axes; expected"),
        (
            {"": CURVE},
            [OperatingPoint(0.3, EventCounts(5))],
            "5 events in 0.0 hours at the thresho",
        ),
        ({"": CURVE}, [OperatingPoint(0.3, EventCounts(hours=2))], "0 events in 2 hours at the th"),
    ],
)
def test_what_cannot_be_drawn_is_refused(ax, curves, points, sentence):
    with pytest.raises(ValueError, match=sentence):
        plots.det(ax, curves, points)


def test_an_empty_match_is_drawn(track):
    plots.trigger_detections(track, [], [], EventMatch(0, (), ()))
    assert marked(track) == {}
