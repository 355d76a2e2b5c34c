"""Pictures of right and wrong: numbers in their places, words that say the same."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils import metrics, plots

LABELS = ("yes", "no", "go")
MATRIX = np.array([[195, 5, 0], [0, 2, 1], [1, 0, 0]])


@pytest.fixture
def ax():
    """Axes of the course's own figure."""
    return plots.figure(height=5, width=7)[1]


def said(ax) -> str:
    return plots.alt_text(ax.figure)


def written(ax) -> dict[tuple[float, float], str]:
    """What stands where, as (row, column)."""
    return {text.get_position()[::-1]: text.get_text() for text in ax.texts}


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    values = np.array(to_rgb(colour))
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_a_matrix_has_truth_in_rows_and_a_number_in_every_cell_with_clips(ax):
    plots.confusion_matrix(ax, MATRIX, LABELS, "three words")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("prediction", "truth")
    assert [label.get_text() for label in ax.get_xticklabels()] == list(LABELS)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(LABELS)
    assert written(ax) == {(0, 0): "195", (0, 1): "5", (1, 1): "2", (1, 2): "1", (2, 0): "1"}
    assert ax.get_ylim() == (2.5, -0.5), "the first label is at the top"
    assert ax.images[0].colorbar.ax.get_ylabel() == "clips"
    assert ax.get_title(loc="left") == "three words"


def test_what_is_counted_has_its_name(ax):
    plots.confusion_matrix(ax, MATRIX, LABELS, counted="tracks")
    assert ax.images[0].colorbar.ax.get_ylabel() == "tracks"
    assert "197 of 204 tracks right" in said(ax) and "clip" not in said(ax)
    every = plt.figure().add_subplot()
    plots.confusion_matrix(every, MATRIX, LABELS, by="all", counted="tracks")
    assert every.images[0].colorbar.ax.get_ylabel() == "share of all tracks (%)"
    faultless = plt.figure().add_subplot()
    plots.confusion_matrix(faultless, np.eye(2, dtype=int), ("a", "b"), counted="tracks")
    assert "No track is taken for another label." in said(faultless)


def test_shares_are_those_of_the_row(ax):
    plots.confusion_matrix(ax, MATRIX, LABELS, by="truth")
    cells = {(0, 0): "98", (0, 1): "2", (1, 1): "67", (1, 2): "33", (2, 0): "100"}
    assert written(ax) == cells
    assert ax.images[0].colorbar.ax.get_ylabel() == "share of the row (%)"
    assert ax.images[0].get_clim() == (0, 100)


def test_a_share_that_rounds_to_nothing_is_not_written_as_nothing(ax):
    plots.confusion_matrix(ax, np.array([[999, 1], [0, 5]]), ("a", "b"), by="truth")
    assert written(ax)[0, 1] == "<1"


@pytest.mark.parametrize("by", [None, "truth"])
def test_a_matrix_says_how_much_is_right_and_the_biggest_confusions(ax, by):
    plots.confusion_matrix(ax, MATRIX, LABELS, "three words", by)
    assert said(ax) == (
        "Confusion matrix of three words: 3 labels, 197 of 204 clips right (96.6%). Biggest "
        "confusions: yes taken for no 5 times (2% of the row); go taken for yes 1 time (100% of "
        "the row); no taken for go 1 time (33% of the row)."
    )


def test_a_matrix_without_mistakes_and_one_without_clips(ax):
    plots.confusion_matrix(ax, np.diag([2, 3]), ("a", "b"))
    assert said(ax) == (
        "Confusion matrix: 2 labels, 5 of 5 clips right (100.0%). No clip is taken for another "
        "label."
    )
    empty = plots.figure()[1]
    plots.confusion_matrix(empty, np.zeros((2, 2), int), ("a", "b"), by="truth")
    assert "0 of 0 clips right." in said(empty) and not empty.texts


def test_long_labels_are_turned_and_short_ones_are_not(ax):
    plots.confusion_matrix(ax, MATRIX, LABELS)
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {0}
    other = plots.figure(height=5)[1]
    plots.confusion_matrix(other, MATRIX, ("_silence_", "_unknown_", "forward"))
    assert {label.get_rotation() for label in other.get_xticklabels()} == {45}


def test_a_matrix_of_other_labels_is_refused(ax):
    with pytest.raises(ValueError, match=r"shape \(3, 3\); expected \(2, 2\)"):
        plots.confusion_matrix(ax, MATRIX, ("yes", "no"))


def test_every_number_is_readable_on_its_cell_and_shades_differ_in_grey():
    shares = np.linspace(0, 1, 101)
    for colour, text in map(plots.shade, shares):
        lighter, darker = sorted((luminance(colour), luminance(text)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5
    greys = [to_rgb(plots.shade(share)[0]) @ np.array([0.299, 0.587, 0.114]) for share in shares]
    assert (np.diff(greys) < 0).all(), "darker with every clip"
    assert greys[0] - greys[2] > 0.05, "two percent differ from none"


def test_the_matrix_is_drawn_in_these_shades(ax):
    plots.confusion_matrix(ax, MATRIX, LABELS, by="truth")
    image = ax.images[0]
    drawn = image.cmap(image.norm(image.get_array()))[1, 2][:3]
    assert drawn == pytest.approx(to_rgb(plots.shade(1 / 3)[0]), abs=0.01)


def reliability() -> metrics.Reliability:
    """Six clips at 0.9, of which three are right, and two at 0.6, both right."""
    scores = np.array([0.9] * 6 + [0.6] * 2)
    truth = [0, 0, 0, 1, 1, 1, 0, 0]
    both = np.column_stack([scores, 1 - scores])
    return metrics.reliability(metrics.Predictions(("a", "b"), truth, both))


def test_a_reliability_diagram_has_a_diagonal_its_bins_and_their_clips(ax):
    plots.reliability_diagram(ax, reliability(), "a recogniser")
    diagonal, points = ax.lines[0], ax.containers[0].lines[0]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    assert points.get_xdata() == pytest.approx([0.6, 0.9])
    assert points.get_ydata() == pytest.approx([1, 0.5])
    (whiskers,) = ax.containers[0].lines[2]
    ends = np.array([segment[:, 1] for segment in whiskers.get_segments()])
    assert ends == pytest.approx(np.array([metrics.wilson(2, 2), metrics.wilson(3, 6)]))
    assert [text.get_text() for text in ax.texts] == ["2", "6", "clips:"]
    assert "confidence" in ax.get_xlabel() and ax.get_ylabel() == "share of clips right"


def test_a_reliability_diagram_says_its_bins(ax):
    plots.reliability_diagram(ax, reliability(), "a recogniser")
    assert said(ax) == (
        "Reliability diagram of a recogniser: share of clips right over confidence, 8 clips in 2 "
        "of 10 bins, mean distance from the diagonal 0.400. Confidence and share right: at 0.60, "
        "1.00 (0.34 to 1.00, 2 clips); at 0.90, 0.50 (0.19 to 0.81, 6 clips)."
    )


def test_dots_and_whiskers_stand_where_their_names_are(ax):
    plots.with_intervals(
        ax, {"CNN": (0.9, 0.85, 0.925), "guess": (0.125,) * 3}, "accuracy", "words"
    )
    assert said(ax) == (
        "Dots of accuracy with their intervals of words: CNN 0.900 (0.850 to 0.925), guess 0.125."
    )
    ax.figure.canvas.draw()
    heights = {
        label.get_text(): place
        for label, place in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)
    }
    assert heights["CNN"] > heights["guess"], "the first one is at the top"
    for container, (value, low, high) in zip(
        ax.containers, [(0.9, 0.85, 0.925), (0.125,) * 3], strict=True
    ):
        dot, _, (whiskers,) = container.lines
        assert dot.get_xdata() == pytest.approx([value])
        assert whiskers.get_segments()[0][:, 0] == pytest.approx([low, high])
    assert [text.get_text() for text in ax.texts] == ["0.900 (0.850 to 0.925)", "0.125"]
    assert ax.get_xlabel() == "accuracy"


def test_large_numbers_have_no_lonely_point(ax):
    plots.with_intervals(ax, {"a": (500.2, 412.0, 600.0)}, "clips")
    assert "a 500 (412 to 600)" in said(ax)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no values to draw; expected at least one"),
        (
            {"CNN": (0.9, 0.91, 0.95)},
            r"0\.9 for CNN with an interval from 0\.91 to 0\.95; expected",
        ),
        ({"CNN": (0.9, float("nan"), 1)}, "0.9 for CNN with an interval from nan to 1"),
    ],
)
def test_intervals_that_are_none_are_refused(ax, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        plots.with_intervals(ax, values, "accuracy")


def test_shares_of_the_column_and_of_all_clips():
    matrix = np.array([[6, 2], [0, 2]])
    texts = {}
    for by in ("predicted", "all"):
        figure, ax = plots.figure()
        plots.confusion_matrix(ax, matrix, ("a", "b"), by=by)
        texts[by] = [text.get_text() for text in ax.texts]
        plt.close(figure)
    assert texts == {"predicted": ["100", "50", "50"], "all": ["60", "20", "20"]}
    with pytest.raises(ValueError, match="rows"):
        plots.confusion_matrix(ax, matrix, ("a", "b"), by="rows")


def test_the_matrix_for_a_training_log_opens_no_figure():
    scores = np.eye(3)[[0, 1, 1, 2]]
    before = plt.get_fignums()
    picture = plots.confusion_png(("a", "b", "c"), np.array([0, 1, 2, 2]), scores)
    assert picture.startswith(b"\x89PNG")
    assert plt.get_fignums() == before
