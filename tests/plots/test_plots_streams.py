"""Pictures of streams: marks in their places, shapes that tell the outcome, words that agree."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from course_utils import plots
from course_utils.plots import streams
from course_utils.streaming import Detection, Scores, StreamingAccuracy, streaming_accuracy

LABELS = ("_silence_", "yes", "no")
SPOKEN = (("yes", 1000), ("no", 3000), ("yes", 5000), ("no", 9000))
TOLD = (
    Detection("yes", 1100.0, 0.9),  # a hit
    Detection("yes", 3200.0, 0.8),  # a wrong word
    Detection("no", 7000.0, 0.7),  # a false positive; the words at 5 and 9 s are missed
)
ACCURACY = streaming_accuracy(SPOKEN, TOLD)


@pytest.fixture
def picture(ax):
    """Axes with the scores of ten seconds."""
    plots.score_stream(ax, scores(), title="ten seconds")
    return ax


def scores(seconds: float = 10, hop_ms: float = 50) -> Scores:
    """Silence, but for a second of "yes" from 1 s on."""
    times = np.arange(0, 1000 * seconds, hop_ms)
    yes = ((times >= 1000) & (times < 2000)).astype(np.float32)
    return Scores(LABELS, times, np.stack([1 - yes, yes, 0 * yes], axis=1))


def said(ax) -> str:
    return plots.alt_text(ax.figure)


def marked(ax) -> dict[tuple[float, float], str]:
    """Where which shape stands on the picture: only the upper one of two layers has a name."""
    return {
        tuple(place): marks.get_label()
        for marks in ax.collections
        if not marks.get_label().startswith("_")
        for place in marks.get_offsets().tolist()
    }


def corners(marks) -> int:
    """How many points the outline of a marker has."""
    return len(marks.get_paths()[0].vertices)


def test_a_window_stands_at_its_time_in_the_row_of_its_label(picture):
    (image,) = picture.images
    left, right, bottom, top = image.get_extent()
    assert (left, right) == pytest.approx((-0.025, 9.975)) and (bottom, top) == (2.5, -0.5)
    np.testing.assert_array_equal(image.get_array(), scores().values.T)
    assert [label.get_text() for label in picture.get_yticklabels()] == list(LABELS)
    assert image.get_clim() == (0, 1) and image.colorbar.ax.get_ylabel() == "score"
    assert picture.get_xlabel().endswith("(s)")


def test_the_words_of_the_scores_are_computed(picture):
    expected = (
        "Picture of ten seconds: scores of 3 labels from 0.00 to 9.95 s. The highest one changes 2"
        " times; it is most often _silence_ 90%, yes 10% of the time."
    )
    assert said(picture) == expected


def test_other_values_can_be_drawn_and_gaps_are_grey_and_not_counted(ax):
    values = scores().values.copy()
    values[:100] = np.nan
    plots.score_stream(ax, scores(), values, unit="average", colour_bar=False)
    assert "averages of 3 labels" in said(ax) and "_silence_ 100% of the time" in said(ax)
    assert len(ax.figure.axes) == 1
    grey = ax.images[0].to_rgba(ax.images[0].get_array())[0, 0]
    assert grey[0] == grey[1] == grey[2] and 0.5 < grey[0] < 0.9
    plots.score_stream(ax, scores(), np.full_like(values, np.nan), colour_bar=False)
    assert said(ax).endswith("too few to average anywhere.")


def test_values_of_other_windows_are_refused(ax):
    with pytest.raises(ValueError, match=r"shape \(199, 3\) for scores of shape \(200, 3\)"):
        plots.score_stream(ax, scores(), scores().values[1:])


def test_one_window_is_drawn(ax):
    plots.score_stream(ax, scores(0.05))
    assert "from 0.00 to 0.00 s" in said(ax)


def frames(ax) -> list[tuple[float, float, float]]:
    """Begin, end and middle row of each frame; each is drawn twice, black below white."""
    boxes = [(p.get_x(), p.get_x() + p.get_width(), p.get_y() + 0.5) for p in ax.patches]
    assert boxes[::2] == boxes[1::2]
    return boxes[::2]


def test_words_are_framed_where_a_detection_is_right(picture):
    plots.spoken(picture, LABELS, SPOKEN, 750)
    expected = [(0.25, 1.75, 1), (2.25, 3.75, 2), (4.25, 5.75, 1), (8.25, 9.75, 2)]
    assert frames(picture) == expected
    assert said(picture).endswith(
        "Spoken: yes at 1.00 s, no at 3.00 s, yes at 5.00 s, no at 9.00 s."
    )


def test_a_frame_that_reaches_into_the_picture_is_drawn(picture):
    before = picture.get_xlim()
    plots.spoken(picture, LABELS, [("no", -700), ("yes", -800), ("no", 10700), ("no", 11000)], 750)
    assert [frame[2] for frame in frames(picture)] == [2, 2]
    assert picture.get_xlim() == before
    assert said(picture).endswith("Spoken: no at -0.70 s, no at 10.70 s.")


def test_what_was_told_is_marked_by_its_outcome(picture):
    plots.told(picture, LABELS, TOLD, ACCURACY.outcomes)
    assert marked(picture) == {(1.1, 1): "correct", (3.2, 1): "wrong", (7, 2): "false positive"}
    shapes = {corners(marks) for marks in picture.collections}
    assert len(shapes) == 3, "three outcomes, three shapes"
    assert said(picture).endswith(
        "Told: yes at 1.10 s (correct), yes at 3.20 s (wrong), no at 7.00 s (false positive)."
    )
    names = [text.get_text() for text in picture.legend().get_texts()]
    assert names == ["correct", "wrong", "false positive"], "each once"


def test_what_was_told_at_another_time_is_left_out(picture):
    before = picture.get_xlim()
    plots.told(picture, LABELS, [Detection("no", 12000.0, 1.0)], ["correct"])
    assert marked(picture) == {} and said(picture).endswith("Told: nothing.")
    assert picture.get_xlim() == before


def test_missed_words_are_marked(picture):
    streams.missed(picture, LABELS, SPOKEN, ACCURACY)
    assert marked(picture) == {(5, 1): "missed", (9, 2): "missed"}
    assert said(picture).endswith("Missed: yes at 5.00 s, no at 9.00 s.")


def test_a_long_list_is_cut_and_the_rest_counted(picture):
    many = [("yes", 100 * number) for number in range(15)]
    plots.spoken(picture, LABELS, many, 10)
    assert said(picture).endswith("yes at 1.10 s and 3 more.")


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda ax: plots.spoken(ax, LABELS, [("bed", 1500)], 750), "word 'bed' at 1500 ms; exp"),
        (lambda ax: plots.told(ax, LABELS, [("bed", 1500)], ["correct"]), "word 'bed' at 1500 ms"),
        (lambda ax: plots.told(ax, LABELS, TOLD, ["correct"]), "3 detections and 1 outcomes; exp"),
        (lambda ax: streams.missed(ax, LABELS, SPOKEN[:2], ACCURACY), "2 words and an accuracy of"),
        (lambda ax: plots.outcomes(ax, SPOKEN[:2], TOLD, ACCURACY), "2 words and an accuracy of 4"),
        (lambda ax: plots.outcomes(ax, SPOKEN, TOLD[:2], ACCURACY), "2 detections and 3 outcomes"),
    ],
)
def test_what_does_not_fit_together_is_refused(picture, draw, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw(picture)


def test_a_whole_recording_has_a_row_for_each_outcome(ax):
    plots.outcomes(ax, SPOKEN, TOLD, ACCURACY, "ten seconds")
    names = ["correct (1)", "wrong (1)", "false positive (1)", "missed (2)"]
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    rows = [marks.get_offsets().tolist() for marks in ax.collections]
    assert rows == [[[1.1, 0]], [[3.2, 1]], [[7, 2]], [[5, 3], [9, 3]]]
    assert ax.get_ylim() == (3.5, -0.5), "hits are at the top"
    assert said(ax) == f"Time line of ten seconds: {', '.join(names)}."


def test_shape_tells_the_outcome_without_colour(ax):
    plots.outcomes(ax, SPOKEN, TOLD, ACCURACY)
    assert len({corners(marks) for marks in ax.collections}) == 4
    assert len({look[0] for look in plots.OUTCOMES.values()}) == 4
    *_, missed = ax.collections
    assert len(missed.get_facecolor()) == 0, "a word without anything told is hollow"
    assert tuple(missed.get_edgecolor()[0]) == to_rgba("black")


def test_a_word_matched_by_the_other_rule_is_not_missed(ax):
    found = [("yes", 1100), ("no", 1200)]
    words = [("yes", 1000), ("no", 1500)]
    for rule, missed in (("first", 1), ("one_to_one", 0)):
        accuracy = streaming_accuracy(words, found, matching=rule)
        assert len(streams.missed_words(words, accuracy)) == missed


def test_nothing_told_and_nothing_spoken_is_drawn(ax):
    plots.outcomes(ax, [], [], StreamingAccuracy(0, 0, 0, 0, 0))
    assert "correct (0), wrong (0), false positive (0), missed (0)" in said(ax)
