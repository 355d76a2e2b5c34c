"""The table that the trigger network reads, against matplotlib, lesson 01 and itself in pieces."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import mlab
from small_detectors import cut, front_end, noise

from course_utils import features
from course_utils.models.trigger_word import SOURCE_FRONT_END, FrontEnd
from course_utils.models.trigger_word.front_end import KINDS, FrameStream

STEPS = np.rint(noise(441_000) * 40_000 * np.geomspace(1e-3, 1, 441_000)).astype(np.int16)
SOUND = STEPS / np.float32(32768)


def assert_close_to_the_largest(found, expected, share=1e-6):
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.abs(found - expected).max() <= share * np.abs(expected).max()


def test_ten_seconds_as_the_source_has_them():
    expected, _, _ = mlab.specgram(STEPS, NFFT=200, Fs=8000, noverlap=120)
    assert expected.shape == (101, 5511)
    assert_close_to_the_largest(SOURCE_FRONT_END(SOUND), expected.T)


@pytest.mark.parametrize("seconds, frames", [(10, 5511), (2, 1101), (1, 549)])
def test_how_many_frames_the_source_has(seconds, frames):
    assert SOURCE_FRONT_END(SOUND[: seconds * 44_100]).shape == (frames, 101)
    assert SOURCE_FRONT_END.frames_in(seconds * 44_100) == frames
    assert SOURCE_FRONT_END.bins == 101


@pytest.mark.parametrize("window, hop", [(200, 80), (201, 67), (64, 64), (3, 1)])
def test_any_window_and_hop(window, hop):
    """An odd window has no bin that stands for itself at the end."""
    expected = mlab.specgram(STEPS[-4000:], NFFT=window, Fs=8000, noverlap=window - hop)[0]
    found = FrontEnd("specgram", 8000, window, hop)(SOUND[-4000:])
    assert_close_to_the_largest(found, expected.T)


def test_the_logarithm_has_a_floor():
    kind = front_end(kind="log_specgram")
    power = front_end(kind="specgram")(SOUND[-8000:])
    np.testing.assert_allclose(kind(SOUND[-8000:]), np.log(power.clip(1e-3)), rtol=1e-6)
    silence = kind(np.zeros(8000, np.float32))
    assert np.all(silence == np.float32(math.log(1e-3)))
    assert kind(np.full(8000, 1 / 32768, np.float32)).max() > silence[0, 0] + 2


def test_log_mel_is_that_of_lesson_01():
    sound = noise(16_000)
    expected = features.log_mel(sound, 16_000, 25, 10, 40, 20, 7600)
    np.testing.assert_array_equal(FrontEnd()(sound), expected)
    assert expected.shape == (98, 40) and FrontEnd().bins == 40


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(3, 700), st.integers(1, 700), st.sampled_from([8000, 11025, 44100]),
       st.integers(0, 2000))  # fmt: skip
def test_frames_are_as_many_as_promised(kind, window, hop, rate, samples):
    made = FrontEnd(kind, rate, window, min(hop, window), n_mels=4, high_hz=3900)
    found = made(noise(samples))
    assert found.shape == (made.frames_in(samples), made.bins)
    assert found.dtype == np.float32 and np.isfinite(found).all()


@pytest.mark.parametrize("samples", [12, 13, 24, 26, 48, 52, 61])
def test_samples_that_are_no_whole_microseconds(samples):
    """One sample too few for a frame, or for a second one, is none."""
    for made in (front_end(sample_rate=11025, window=samples, hop=samples // 2, n_mels=1),
                 front_end(sample_rate=11025, window=100, hop=samples, n_mels=1)):  # fmt: skip
        edge = made.window + made.hop
        lengths = [made.window - 1, made.window, edge - 1, edge]
        assert [len(made(noise(each))) for each in lengths] == [0, 1, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
@given(st.lists(st.integers(0, 1500), max_size=12), st.sampled_from([(200, 80), (90, 90), (7, 3)]))
def test_pieces_give_the_frames_of_the_whole(kind, places, lengths):
    window, hop = lengths
    made = front_end(kind=kind, window=window, hop=hop)
    stream, sound = FrameStream(made), noise(1500)
    heard, found = 0, []
    for piece in cut(sound, places):
        found.append(stream.push(piece))
        heard += len(piece)
        assert sum(map(len, found)) == made.frames_in(heard), "as soon as they are complete"
    np.testing.assert_allclose(np.concatenate(found), made(sound), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("made", [FrontEnd(), SOURCE_FRONT_END, front_end(kind="log_specgram")])
def test_settings_bring_it_back(made):
    assert FrontEnd(**json.loads(json.dumps(made.settings))) == made


@pytest.mark.parametrize(
    "settings, sentence",
    [
        (
            {"kind": "mfcc"},
            r"There is no front end 'mfcc'; choose one of specgram, log_specgram, l",
        ),
        ({"window": 2}, r"window is 2; expected a whole number from 3 up; change it\.$"),
        ({"window": 25.0}, r"window is 25\.0; expected a whole number from 3 up; change it\.$"),
        ({"hop": -80}, r"hop is -80; expected a whole number from 1 up; change it\.$"),
        ({"sample_rate": 0}, r"sample_rate is 0; expected a whole number from 1 up; change it\.$"),
        ({"hop": 401}, r"hop is 401 and window 400; expected a hop of at most one window, so that"),
        ({"high_hz": 9000}, r".*9000.*; expected .*"),
        ({"n_mels": 0}, r".*0.*; expected .*"),
    ],
)
def test_an_impossible_front_end(settings, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        FrontEnd(**settings)
