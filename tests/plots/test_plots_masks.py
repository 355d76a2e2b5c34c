"""What SpecAugment hides, framed on a picture of sound."""

import numpy as np
import pytest

from course_utils import plots
from course_utils.features.spec_augment import Spans, SpecAugment
from course_utils.plots.sound import masks

SPANS = Spans([(10, 20), (5, 5)], [(0, 3), (60, 64)])


@pytest.fixture
def picture(ax):
    """Axes with one second: 100 frames of 64 bands."""
    plots.mel_spectrogram(ax, np.zeros((100, 64)), 25, 10, high_hz=7600, limits=(-1, 1))
    return ax


def boxes(ax) -> list[tuple[float, float, float, float]]:
    return [(p.get_x(), p.get_x() + p.get_width(), p.get_y(), p.get_y() + p.get_height())
            for p in ax.patches]  # fmt: skip


def test_masks_are_where_the_masked_frames_and_bands_are(picture):
    before = picture.get_xlim(), picture.get_ylim()
    masks(picture, SPANS)
    left = (0.025 - 0.01) / 2  # where the picture's first frame begins
    expected = [(left + 0.1, left + 0.2, 0, 1), (0, 1, -0.5, 2.5), (0, 1, 59.5, 63.5)]
    assert np.array(boxes(picture)) == pytest.approx(np.array(expected)), "an empty one is left out"
    assert {patch.get_hatch() for patch in picture.patches} == {"//"}
    assert (picture.get_xlim(), picture.get_ylim()) == before


def test_the_words_of_masks_are_computed(picture):
    masks(picture, SPANS)
    assert plots.alt_text(picture.figure).endswith(
        "Hidden from 0.11 to 0.21 s, and of 64 mel bands, counted from 0: 0 to 2, 60 to 63."
    )


def test_what_is_drawn_is_what_is_masked(ax):
    augment = SpecAugment(time_width=30)
    frames = augment(np.ones((100, 64)), np.random.default_rng(4))
    plots.mel_spectrogram(ax, frames, 10, 10)
    masks(ax, augment.spans(100, 64, np.random.default_rng(4)))
    hidden = np.zeros((100, 64), bool)
    for patch, box in zip(ax.patches, boxes(ax), strict=True):
        whole_height = patch.get_transform().transform([(0, 1)])[0, 1] > 1 and box[2:] == (0, 1)
        first, stop = box[:2] if whole_height else box[2:]
        if whole_height:
            hidden[round(100 * first) : round(100 * stop)] = True
        else:
            hidden[:, round(first + 0.5) : round(stop + 0.5)] = True
    np.testing.assert_array_equal(hidden, frames == 0)
    assert hidden.any()


def test_no_masks_hide_nothing(picture):
    masks(picture, Spans([], [(3, 3)]))
    assert not picture.patches
    assert plots.alt_text(picture.figure).endswith("Hidden from nothing, and of 64 mel bands, "
                                                   "counted from 0: nothing.")  # fmt: skip


@pytest.mark.parametrize(
    "spans",
    [Spans([(90, 101)], []), Spans([], [(-1, 3)]), Spans([(7, 3)], []), Spans([], [(0, 65)])],
)
def test_masks_of_other_frames_are_refused(picture, spans):
    with pytest.raises(
        ValueError, match=r"of 100 frames and 64 mel bands, and the masks \[\(.*\)\] outs"
    ):
        masks(picture, spans)
    assert not picture.patches


def test_without_a_picture_there_is_nothing_to_hide(ax):
    with pytest.raises(ValueError, match=r"0 frames and 0 mel bands, and the masks \[\] outside"):
        masks(ax, Spans([], []))
