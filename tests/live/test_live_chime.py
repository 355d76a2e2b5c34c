"""The chime: two tones, no click."""

import numpy as np
import pytest

from course_utils import audio, live


def pitch(samples, sample_rate):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * sample_rate))
    return spectrum.argmax() / 8


@pytest.mark.parametrize("sample_rate", [4000, 16000, 44100, 48000])
def test_it_is_two_tones_the_second_higher(sample_rate):
    sound = live.chime(sample_rate)
    assert sound.dtype == np.float32 and audio.play(sound, sample_rate).seconds == 0.3
    first, second = np.split(sound, 2)
    assert pitch(first, sample_rate) == pytest.approx(880, abs=3)
    assert pitch(second, sample_rate) == pytest.approx(1174.66, abs=3)
    assert 0.3 < np.abs(sound).max() <= 0.5


def test_it_does_not_click():
    sound = live.chime(48000)
    assert sound[0] == 0 and abs(sound[-1]) < 0.01
    assert np.abs(np.diff(sound)).max() <= 0.5 * 2 * np.pi * 1174.66 / 48000 * 1.05


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [
        (
            3999,
            "The chime has a rate of 3999 Hz, too low for its tone of 1175 Hz; expected at leas",
        ),
        (16000.5, "The chime has a rate of 16000.5 Hz; expected a whole number"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(rate, sentence):
    with pytest.raises(audio.AudioError, match=sentence):
        live.chime(rate)
