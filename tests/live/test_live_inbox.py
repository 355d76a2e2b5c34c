"""Chunks as sources give them, and a box that loses only what does not fit."""

import numpy as np
import pytest

from course_utils.live.inbox import Inbox, length_of, mono


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_become_float32(dtype):
    given = np.array([0, 0.5, -1, 1], dtype)
    found = mono(given)
    assert found.dtype == np.float32 and found.tolist() == [0, 0.5, -1, 1]
    assert not np.shares_memory(found, given)


def test_16_bit_integers_become_float32():
    given = np.array([0, 1, -32768, 32767], np.int16)
    assert mono(given).tolist() == [0, 1 / 32768, -1, 32767 / 32768]
    assert mono(given).dtype == np.float32


def test_channels_become_their_mean():
    left_and_right = np.array([[0.5, 0.25], [-1, 1], [0, 0.5]], np.float32)
    assert mono(left_and_right).tolist() == [0.375, 0, 0.25]
    assert mono(np.array([[32767, 32767], [-32768, 0]], np.int16)).tolist() == [32767 / 32768, -0.5]
    assert mono(np.zeros((5, 1), np.float32)).shape == (5,)
    assert mono(np.zeros((0, 2), np.float32)).shape == (0,)


def test_arrays_with_holes_and_lists_are_read_in_order():
    every_third = np.arange(30, dtype=np.float32)[::-3] / 100
    assert mono(every_third).tolist() == every_third.tolist()
    assert mono(every_third).flags.c_contiguous
    assert mono([0.0, 0.5]).tolist() == [0, 0.5]


def test_what_is_a_little_too_loud_is_clipped():
    assert mono(np.array([1.5, -8, 0.1])).tolist() == [1, -1, np.float32(0.1)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("chunk", "sentence"),
    [
        (np.array([0.1, np.nan]), "holds NaN or infinity; expected values in"),
        (np.array([[np.inf, -np.inf]]), "holds NaN or infinity"),
        (np.array([1e300, 0]), r"holds values up to 1e\+300"),
        (np.array([0.0, 2000.0]), "holds values up to 2000; expected values in"),
        (np.zeros(5, np.int64), "has type int64; expected floats in .* or int16"),
        (np.zeros(5, np.uint8), "has type uint8"),
        (np.zeros(5, complex), "has type complex128"),
        (np.array(["a", "b"]), "has type <U1"),
        (np.zeros((2, 1600)), r"has shape \(2, 1600\); expected \(samples,\) or"),
        (np.zeros((2, 2, 2)), r"has shape \(2, 2, 2\)"),
        (np.zeros((5, 0)), r"has shape \(5, 0\)"),
        (0.5, r"has shape \(\)"),
        (None, r"has shape \(\)"),
        ([[0.1], [0.1, 0.2]], "is no array"),
    ],
)
def test_what_is_no_sound_gets_one_sentence(chunk, sentence):
    with pytest.raises(ValueError, match=f"^A chunk of sound {sentence}") as caught:
        mono(chunk)
    assert str(caught.value).endswith("; it is heard as silence: mend its source.")


@pytest.mark.parametrize(
    ("chunk", "length"),
    [
        (np.full(7, np.nan), 7), (np.zeros((2, 1600)), 1600), (np.zeros((1600, 40)), 1600),
        ("abc", 0), (None, 0), ([[1], [1, 2]], 0),
    ],
)  # fmt: skip
def test_how_much_time_it_stands_for(chunk, length):
    assert length_of(chunk) == length


def test_it_is_emptied_in_order():
    inbox = Inbox(100, 1000)
    assert inbox.take() is None
    for value in (1, 2, 3):
        inbox.put(np.full(10, value, np.float32), good=value != 2)
    taken = inbox.take()
    assert (taken.gap, taken.end, [good for _, good in taken.pieces]) == (
        0,
        30,
        [True, False, True],
    )
    assert [piece[0] for piece, _ in taken.pieces] == [1, 2, 3] and inbox.take() is None


def test_a_full_box_drops_no_more_than_it_has_to():
    inbox = Inbox(100, 1000)
    for length in (30, 30, 40):
        inbox.put(np.zeros(length, np.float32))
    assert inbox.counts.dropped == 0
    inbox.put(np.zeros(31, np.float32))
    assert (inbox.counts.dropped, inbox.counts.dropped_s, inbox.counts.waiting_s) == (
        2,
        0.06,
        0.071,
    )
    assert inbox.take().gap == 60
