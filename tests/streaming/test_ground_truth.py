"""Files of words: written so that they are read back the same, or not at all."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import audio
from course_utils.streaming import (
    Recording,
    labels_beside,
    read_ground_truth,
    recordings,
    write_ground_truth,
)

UNFIT = ["a,b", "a\nb", "a\rb", " a", "a\t", "", "\ufeffa", "a\x85"]


def test_words_lie_beside_their_sound(tmp_path):
    assert labels_beside(tmp_path / "my talk.v2.flac") == tmp_path / "my talk.v2_labels.txt"
    assert recordings.read_ground_truth is read_ground_truth


@settings(deadline=None, max_examples=50)  # files take as long as the disk takes
@given(st.lists(st.tuples(st.text(), st.floats() | st.integers(-(10**9), 10**9)), max_size=5))
def test_whatever_is_written_is_read_back(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("words") / "x_labels.txt"
    try:
        write_ground_truth(path, entries)
    except audio.AudioError:
        assert not path.exists()
    else:
        assert read_ground_truth(path) == sorted(entries, key=lambda entry: entry[1])


def test_the_file_is_in_order_of_time(tmp_path):
    path = tmp_path / "x_labels.txt"
    write_ground_truth(path, iter([("no", 90.5), ("left hand", 7), ("yes", np.int64(8))]))
    assert path.read_bytes() == b"left hand, 7\nyes, 8\nno, 90.5\n"


@pytest.mark.parametrize("label", UNFIT)
def test_labels_that_would_not_be_read_back(tmp_path, label):
    path = tmp_path / "x_labels.txt"
    write_ground_truth(path, [("yes", 1)])
    sentence = rf"x_labels\.txt cannot hold the label {re.escape(repr(label))}; expected some text"
    with pytest.raises(audio.AudioError, match=sentence):
        write_ground_truth(path, [("no", 0), (label, 5)])
    assert read_ground_truth(path) == [("yes", 1)]
    words = Recording(np.zeros(9, np.float32), 1000, ((label, 5),), (6,), ("",))
    with pytest.raises(audio.AudioError, match=sentence):
        words.save(tmp_path / "x.wav")
    assert [each.name for each in tmp_path.iterdir()] == ["x_labels.txt"], "nor the sound"


@pytest.mark.parametrize("time", [np.nan, np.inf, -np.inf])
def test_times_that_are_none(tmp_path, time):
    with pytest.raises(audio.AudioError, match=rf"cannot hold the time {time} of 'no'; expected m"):
        write_ground_truth(tmp_path / "x_labels.txt", [("yes", 1), ("no", time)])


def test_files_that_cannot_be_written(tmp_path):
    for path in (tmp_path / "none" / "x_labels.txt", tmp_path / "a\0b", tmp_path):
        with pytest.raises(audio.AudioError, match=r"cannot be written .*; expected a folder that"):
            write_ground_truth(path, [("yes", 1)])
    assert not list(tmp_path.iterdir())
