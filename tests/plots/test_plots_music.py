"""Principal components as pictures and as words."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils import plots
from course_utils.plots.music import components, scree

POINTS = np.array([[0.0, 0], [0, 1], [5, 5], [5, 6], [5, 7]])
CLASSES = np.array([0, 0, 2, 2, 0])
LABELS = ("Folk", "Pop", "Rock")
SHARES = (0.5, 0.25, 0.2, 0.05)


def test_every_track_is_drawn_in_the_shape_of_its_genre(ax):
    components(ax, POINTS, CLASSES, LABELS, SHARES, "twelve features")
    drawn = [np.asarray(group.get_offsets()) for group in ax.collections]
    for k, points in enumerate(drawn):
        np.testing.assert_array_equal(points, POINTS[k == CLASSES])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(LABELS)
    assert ax.get_xlabel() == "component 1 (50% of the variance)"
    assert ax.get_ylabel() == "component 2 (25%)" and ax.get_title("left") == "twelve features"


def test_eight_genres_differ_in_shape_and_in_colour(ax):
    rng = np.random.default_rng(0)
    components(ax, rng.normal(0, 1, (40, 2)), np.arange(40) % 8, list("abcdefgh"), SHARES)
    shapes = {tuple(group.get_paths()[0].vertices.ravel().round(3)) for group in ax.collections}
    colours = np.array([to_rgb(group.get_facecolor()[0, :3]) for group in ax.collections])
    apart = abs(colours[:, None] - colours[None]).sum(axis=2) + np.eye(8)
    assert len(shapes) == 8 and apart.min() > 0.2


def test_the_words_of_components_are_computed(ax):
    components(ax, POINTS, CLASSES, LABELS, SHARES, "twelve features")
    assert plots.alt_text(ax.figure) == (
        "Two principal components of twelve features: 5 tracks of 2 genres, 75% of the variance."
        " The nearest neighbour of 80% of the tracks has the same genre; by chance it would be 40%."
        " Middle of each genre, component 1 / component 2: Folk 1.7 / 2.7; Rock 5 / 5.5."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"points": POINTS[:, :1]}, r"points of shape \(5, 1\), 5 classes"),
        ({"points": POINTS[1:]}, r"points of shape \(4, 2\), 5 classes"),
        ({"labels": LABELS[:2]}, "5 classes, 2 labels"),
        ({"classes": CLASSES - 1}, "expected .tracks, 2., a class of the labels for each"),
        ({"shares": (1.0,)}, "and 1 shares; expected"),
        ({"labels": tuple("abcdefghi")}, "Found 9 labels for one axes; expected at most 8"),
    ],
)
def test_components_that_do_not_fit_together_are_refused(ax, change, sentence):
    given = {"points": POINTS, "classes": CLASSES, "labels": LABELS, "shares": SHARES} | change
    with pytest.raises(ValueError, match=sentence):
        components(ax, **given)
    assert not ax.collections


def test_a_scree_plot_has_bars_and_their_sum(ax):
    scree(ax, SHARES)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([50, 25, 20, 5])
    assert ax.lines[0].get_ydata() == pytest.approx([50, 75, 95, 100])
    assert plots.alt_text(ax.figure) == (
        "Variance by principal component: the first has 50%, the first two 75%, all 4 together"
        " 100%; 3 reach 90%."
    )


def test_a_scree_plot_that_never_reaches_its_mark(ax):
    scree(ax, [0.4], "a few", mark=0.8)
    assert plots.alt_text(ax.figure) == (
        "Variance by principal component of a few: the first has 40%, the first two 40%, all 1"
        " together 40%; all 1 do not reach 80%."
    )


@pytest.mark.parametrize("shares", [[], [0.7, 0.4], [0.2, 0.3], [0.5, -0.1], [[0.5]]])
def test_shares_that_are_none_are_refused(ax, shares):
    with pytest.raises(ValueError, match="expected those of principal components, falling"):
        scree(ax, shares)
