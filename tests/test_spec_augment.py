"""Masks of SpecAugment: never too many, never more than they say, always the same for a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.features.spec_augment import SpecAugment

MASKS = st.builds(
    SpecAugment,
    time_masks=st.integers(0, 4),
    time_width=st.integers(0, 50),
    frequency_masks=st.integers(0, 4),
    frequency_width=st.integers(0, 30),
    time_share=st.floats(0, 1),
)


@given(MASKS, st.integers(0, 120), st.integers(1, 40), st.integers(0, 2**32))
def test_masks_keep_their_limits_and_everything_else(augment, frames, bins, seed):
    heard = np.random.default_rng(seed).uniform(1, 2, (frames, bins)).astype(np.float32)
    before = heard.copy()
    masked = augment(heard, np.random.default_rng(seed))
    spans = augment.spans(frames, bins, np.random.default_rng(seed))
    assert (len(spans.time), len(spans.frequency)) == (
        augment.time_masks,
        augment.frequency_masks,
    )
    hidden = np.zeros((frames, bins), bool)
    for first, stop in spans.time:
        assert 0 <= first <= stop <= frames and stop - first <= augment.time_width
        hidden[first:stop] = True
    assert hidden.any(axis=1).sum() <= augment.time_share * frames + 1e-6
    for first, stop in spans.frequency:
        assert 0 <= first <= stop <= bins and stop - first <= augment.frequency_width
        hidden[:, first:stop] = True
    assert masked.shape == heard.shape and masked.dtype == np.float32
    np.testing.assert_array_equal(masked, np.where(hidden, 0, heard))
    np.testing.assert_array_equal(heard, before)
    assert not np.shares_memory(masked, heard)


def test_every_width_and_place_is_drawn():
    augment = SpecAugment(
        time_masks=1, time_width=3, frequency_masks=1, frequency_width=2, time_share=1
    )
    rng = np.random.default_rng(0)
    drawn = [augment.spans(6, 4, rng) for _ in range(3000)]
    for spans, widest, length in (
        ([each.time[0] for each in drawn], 3, 6),
        ([each.frequency[0] for each in drawn], 2, 4),
    ):
        widths = np.bincount([stop - first for first, stop in spans])
        expected = len(spans) / (widest + 1)
        assert len(widths) == widest + 1 and np.all(abs(widths - expected) < 5 * expected**0.5)
        assert {stop for _, stop in spans} == set(range(length + 1))


def test_the_source_s_masks_hide_what_they_can():
    augment = SpecAugment(
        time_masks=1, time_width=35, frequency_masks=1, frequency_width=15, time_share=1
    )
    rng = np.random.default_rng(1)
    masked = [augment(np.ones((200, 128), np.float32), rng) for _ in range(500)]
    rows = np.array([(each == 0).all(axis=1).sum() for each in masked])
    columns = np.array([(each == 0).all(axis=0).sum() for each in masked])
    assert rows.max() == 35 and columns.max() == 15
    assert rows.mean() == pytest.approx(17.5, abs=2) and columns.mean() == pytest.approx(7.5, abs=1)


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_too_short_for_time_masks(frames):
    spans = SpecAugment().spans(frames, 64, np.random.default_rng(0))
    assert all(first == stop for first, stop in spans.time)


def test_other_numbers_than_float32_are_copied_to_it():
    masked = SpecAugment()(np.ones((50, 20)), np.random.default_rng(0))
    assert masked.dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"time_masks": -1}, "time_masks is -1; expected a whole number from 0 up"),
        ({"time_width": -2}, "time_width is -2"),
        ({"frequency_masks": -1}, "frequency_masks is -1"),
        ({"frequency_width": -1}, "frequency_width is -1"),
        ({"time_share": 1.1}, "time_share is 1.1; expected a share from 0 to 1"),
        ({"time_share": float("nan")}, "time_share is nan"),
    ],
)
def test_impossible_settings_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        SpecAugment(**settings)


@pytest.mark.parametrize("shape", [(8,), (2, 8, 4)])
def test_only_one_utterance_at_a_time(shape):
    with pytest.raises(ValueError, match=r"Found an array of shape .* one by one"):
        SpecAugment()(np.zeros(shape, np.float32), np.random.default_rng(0))
