"""Pictures of an alignment: frames in their places, doubt without colour, words that agree."""

import math

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from course_utils import plots
from course_utils.decoding.alignment import Span
from course_utils.plots.alignment import alignment, percent

STEP = 0.04  # seconds
CHARACTERS = [
    Span("a", 5, 7, 0.9), Span(" ", 10, 11, 0.3), Span("b", 20, 21, 0.2), Span("e", 25, 26, 0.5),
]  # fmt: skip
WORDS = [Span("a", 5, 7, 0.9), Span("be", 20, 26, 0.35)]


def boxes(ax) -> list[tuple[float, float, str]]:
    """Begin, end and line style of all frames of words."""
    drawn = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [
        (round(box.get_x(), 6), round(box.get_x() + box.get_width(), 6), box.get_linestyle())
        for box in drawn
        if box.get_edgecolor()[:3] == (0, 0, 0) and box.get_edgecolor()[3]
    ]


def written(ax) -> list[tuple[float, str]]:
    return [(round(text.get_position()[0], 6), text.get_text()) for text in ax.texts]


@pytest.fixture
def picture(ax):
    """Axes with a spectrogram of two seconds."""
    values = np.random.default_rng(0).normal(0, 1, (200, 8)).astype(np.float32)
    plots.mel_spectrogram(ax, values, 10, 10)
    return ax


def test_words_are_framed_where_they_are_and_doubt_is_not_a_colour(ax):
    alignment(ax, WORDS, STEP, title="two words")
    assert boxes(ax) == [(0.2, 0.28, "-"), (0.8, 1.04, "--")]
    assert written(ax) == [(0.24, "a"), (0.92, "be?")]
    assert (ax.get_xlim(), ax.get_xlabel()) == ((0, 1.04), "time (s)")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["words"]
    assert ax.get_title(loc="left") == "two words"


def test_the_sentence_is_computed(ax):
    alignment(ax, WORDS, STEP, CHARACTERS, "two words")
    assert plots.alt_text(ax.figure) == (
        "Alignment of two words. Words with their mean probabilities: a from 0.20 to 0.28 s (90 %),"
        " be from 0.80 to 1.04 s (35 %). Below 50 %: be. Characters with their mean probabilities:"
        " a from 0.20 to 0.28 s (90 %), space from 0.40 to 0.44 s (30 %), b from 0.80 to 0.84 s"
        " (20 %), e from 1.00 to 1.04 s (50 %). Below 50 %: space, b."
    )


def test_bars_of_characters_are_as_high_as_their_scores(ax):
    alignment(ax, (), STEP, CHARACTERS)
    assert written(ax) == [(0.24, "a"), (0.42, "␣"), (0.82, "b"), (1.02, "e")]
    full, bars = ax.patches[::2], ax.patches[1::2]
    for whole, bar, span in zip(full, bars, CHARACTERS, strict=True):
        assert bar.get_height() == pytest.approx(span.score * whole.get_height())
        assert bar.get_x() == whole.get_x() == pytest.approx(span.first * STEP)
        assert bar.get_width() == pytest.approx((span.stop - span.first) * STEP)
    (label,) = ax.get_yticklabels()
    assert label.get_text() == "probability of\ncharacters"


def test_over_a_picture_its_axes_and_its_sentence_stay(picture):
    before = picture.get_xlim(), picture.get_ylim(), picture.get_ylabel()
    alignment(picture, WORDS, STEP, CHARACTERS)
    assert (picture.get_xlim(), picture.get_ylim(), picture.get_ylabel()) == before
    assert boxes(picture) == [(0.2, 0.28, "-"), (0.8, 1.04, "--")]
    assert len(picture.patches) == len(WORDS), "bars would hide the picture"
    said = plots.alt_text(picture.figure)
    assert said.startswith("Mel spectrogram: 200 frames") and "be from 0.80 to 1.04 s" in said


def test_below_a_picture_the_time_axis_is_the_pictures():
    _, (above, below) = plots.figure(2, sharex=True)
    plots.mel_spectrogram(above, np.ones((300, 8), np.float32), 10, 10)
    alignment(below, WORDS, STEP)
    assert below.get_xlim() == above.get_xlim() == (0, 3)


@pytest.mark.parametrize(("first", "rotation"), [(8, 90), (30, 0)])
def test_words_that_do_not_fit_side_by_side_stand_upright(picture, first, rotation):
    words = [Span("nevertheless", 0, 8, 1.0), Span("notwithstanding", first, first + 5, 1.0)]
    alignment(picture, words, STEP)
    assert {text.get_rotation() for text in picture.texts} == {rotation}
    assert (picture.patches[0].get_height() > 0.3) == bool(rotation)


def test_characters_get_smaller_in_a_crowd_and_are_left_out_when_nobody_could_read_them():
    sizes = []
    for number in (10, 100, 400):
        _, ax = plots.figure()
        alignment(ax, (), STEP, [Span("m", 3 * n, 3 * n + 1, 1.0) for n in range(number)])
        sizes.append({text.get_fontsize() for text in ax.texts})
        assert len(ax.patches) == 2 * number
        assert f"and {number - 12} more" in plots.alt_text(ax.figure) or number == 10
    (some,) = sizes[1]
    assert sizes[0] == {10} and 6 <= some < 10 and not sizes[2]


@pytest.mark.parametrize(
    ("spans", "step", "sentence"),
    [
        ([], STEP, "Found 0 spans and steps of 0.04 s; expected at least one"),
        (WORDS, 0, "Found 2 spans and steps of 0 s; expected at least one span, and steps that"),
        (WORDS, math.nan, "steps of nan s"),
        (WORDS, math.inf, "steps of inf s"),
        ([Span("a", 3, 3, 1.0)], STEP, "Found 'a' in steps 3 to 3 with a score of 1.0; expected"),
        ([Span("a", -1, 3, 1.0)], STEP, "in steps -1 to 3"),
        ([Span("a", 1, 3, -2.5)], STEP, "a score of -2.5; expected .* from 0 to 1; give what"),
        ([Span("a", 1, 3, math.nan)], STEP, "a score of nan"),
    ],
)
def test_what_is_no_alignment_is_refused(ax, spans, step, sentence):
    with pytest.raises(ValueError, match=sentence):
        alignment(ax, spans, step)
    assert not ax.patches


@pytest.mark.parametrize(
    ("score", "shown"),
    [(0, "0 %"), (0.001, "<1 %"), (0.474, "47 %"), (0.994, "99 %"), (0.999, ">99 %"), (1, "100 %")],
)
def test_percent_never_promises_what_is_not_certain(score, shown):
    assert percent(score) == shown
