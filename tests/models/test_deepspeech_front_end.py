"""The table that the speech network reads, against lesson 01 and by what it promises."""

import json
import math
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_deepspeech import front_end, noise

from course_utils import audio, features
from course_utils.models.deepspeech import FrontEnd

SOUND = noise(32_000) * np.linspace(0.01, 1, 32_000, dtype=np.float32)


def normalised(bands: np.ndarray) -> np.ndarray:
    return (bands - bands.mean(axis=0)) / bands.std(axis=0)


@pytest.mark.parametrize("made", [FrontEnd(), FrontEnd(window=320, hop=100, n_mels=40)])
def test_log_mel_is_that_of_lesson_01(made):
    window_ms, hop_ms = made.window / 16, made.hop / 16
    expected = features.log_mel(SOUND, 16_000, window_ms, hop_ms, made.n_mels, 20, 7600)
    np.testing.assert_allclose(made.log_mel(SOUND), expected, atol=1e-6)
    np.testing.assert_allclose(made(SOUND), normalised(expected), atol=1e-5)


def test_a_frame_is_filled_up_with_zeros():
    """A longer transform looks at the same samples, at frequencies that lie closer."""
    window = SOUND[:400] * features.hann(400)
    for n_fft in (400, 512, 600, 1024):
        hertz = np.arange(n_fft // 2 + 1) * 16_000 / n_fft
        waves = np.exp(-2j * np.pi * hertz[:, None] * np.arange(400) / 16_000)
        bank = features.mel_filterbank(len(hertz), 16_000, 40, 20, 7600)
        made = FrontEnd(n_fft=n_fft, n_mels=40)
        np.testing.assert_allclose(
            made.log_mel(SOUND[:400])[0], np.log(np.abs(waves @ window) @ bank), atol=1e-6
        )


def test_every_band_has_mean_0_and_standard_deviation_1():
    table = FrontEnd()(SOUND)
    assert table.shape == (198, 64) and table.dtype == np.float32 and FrontEnd().bins == 64
    np.testing.assert_allclose(table.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(table.std(axis=0), 1, atol=1e-5)


def test_bands_can_keep_how_much_they_vary():
    table, logs = FrontEnd(own_spread=False)(SOUND), FrontEnd().log_mel(SOUND)
    np.testing.assert_allclose(table, (logs - logs.mean(axis=0)) / 2, atol=1e-5)
    np.testing.assert_allclose(FrontEnd(own_spread=False)(0.1 * SOUND), table, atol=1e-3)


@pytest.mark.parametrize("gain", [0.1, 0.5])
def test_how_loud_it_is_does_not_matter(gain):
    sound = noise(16_000) * np.float32(0.9)
    np.testing.assert_allclose(FrontEnd()(sound * np.float32(gain)), FrontEnd()(sound), atol=1e-3)


def test_long_sounds_in_blocks():
    """More than one block of frames gives what frame by frame gives."""
    sound = noise(1100 * 80 + 200)
    whole = front_end().log_mel(sound)
    assert whole.shape == (1101, 12)
    for k in (0, 1023, 1024, 1100):
        single = front_end().log_mel(sound[k * 80 : k * 80 + 200])
        np.testing.assert_allclose(whole[k], single[0], atol=1e-9)


@settings(deadline=None)
@given(st.integers(3, 300), st.integers(1, 300), st.sampled_from([8000, 11025, 44100]),
       st.integers(1, 2000))  # fmt: skip
def test_frames_are_as_many_as_promised(window, hop, rate, samples):
    made = FrontEnd(rate, window, min(hop, window), 512, n_mels=4, high_hz=3900)
    found = made(noise(samples))
    assert found.shape == (made.frames_in(samples), made.bins)
    assert len(found) == len(range(0, samples - window + 1, made.hop))
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert made.frames_in(0) == 0


# ---------------------------------------------------------------- silence


@pytest.mark.parametrize("level", [0.0, 0.5, 1e-30, -1.0])
def test_a_sound_that_never_changes(level):
    assert np.abs(FrontEnd()(np.full(16_000, level, np.float32))).max() < 1e-6


def test_a_single_frame_is_its_own_mean():
    np.testing.assert_allclose(FrontEnd()(SOUND[:400]), np.zeros((1, 64)), atol=1e-6)


def test_digital_silence_around_a_sound_does_not_set_the_scale():
    """A tenth of a second of zeros, as microphones begin with, before two seconds of sound."""
    sound = noise(32_000) * np.geomspace(1e-3, 1, 32_000, dtype=np.float32)
    later = np.concatenate([np.zeros(1600, np.float32), sound])
    plain, shifted = FrontEnd()(sound), FrontEnd()(later)[10:]
    assert plain.shape == shifted.shape
    assert np.abs(shifted - plain).mean() < 0.25
    deep = features.log_mel(later, 16_000, 25, 10, 64, 20, 7600)  # zeros at a floor of 1e-12
    assert np.abs(normalised(deep)[10:] - plain).mean() > 0.5


def test_rounding_to_16_bits_is_above_the_floor():
    """So that a quiet 16-bit recording keeps what it has."""
    steps = np.random.default_rng(0).integers(-1, 2, 16_000)
    bands = FrontEnd().log_mel(np.float32(steps / 32768))
    assert (bands > bands.min()).mean() > 0.98


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "samples, words",
    [
        (np.zeros((100, 2), np.float32), "average channels"),
        (np.zeros(100, np.int16), "divide 16-bit integers"),
        (np.full(900, math.nan, np.float32), "holds NaN or infinity"),
        (np.full(900, 1.5, np.float32), r"has a peak of 1\.5"),
        (np.zeros(0, np.float32), "holds no samples"),
    ],
)
def test_unfit_sounds(samples, words):
    with pytest.raises(audio.AudioError, match=words):
        FrontEnd()(samples)


@pytest.mark.parametrize("made", [FrontEnd(), front_end(), FrontEnd(n_fft=1024, n_mels=128)])
def test_settings_bring_it_back(made):
    assert FrontEnd(**json.loads(json.dumps(made.settings))) == made


WHOLE = r"; expected a whole number from {} up; change it\.$"
EVEN = r"; expected an even whole number from the window up; 512 is usual\.$"


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"window": 2}, "window is 2" + WHOLE.format(3)),
        ({"window": 25.0}, r"window is 25\.0" + WHOLE.format(3)),
        ({"hop": -80}, "hop is -80" + WHOLE.format(1)),
        ({"sample_rate": "16k"}, "sample_rate is '16k'" + WHOLE.format(1)),
        ({"n_mels": 0}, "n_mels is 0" + WHOLE.format(1)),
        ({"hop": 401}, r"hop is 401 and window 400; expected a hop of at most one window, so that"),
        ({"n_fft": 398}, "n_fft is 398 and window 400" + EVEN),
        ({"n_fft": 513}, "n_fft is 513 and window 400" + EVEN),
        ({"n_fft": 512.0}, r"n_fft is 512\.0 and window 400" + EVEN),
        ({"n_fft": None}, r"n_fft is None and window 400" + EVEN),
        ({"high_hz": 9000}, r".*9000.*; expected .*; lower high_hz"),
        ({"low_hz": math.nan}, r".*nan.*; expected .*"),
    ],
)
def test_an_impossible_front_end(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        FrontEnd(**options)


def test_the_filters_of_the_source_that_never_hear_anything():
    sentence = (
        r"^4 of 128 mel filters lie between two bins of n_fft=400 and are zero; expected filters"
        r" that each hear something; use n_mels=(\d+) or n_fft=(\d+)\.$"
    )
    options = {"n_fft": 400, "hop": 200, "n_mels": 128, "low_hz": 0, "high_hz": 8000}
    with pytest.raises(ValueError, match=sentence) as caught:
        FrontEnd(**options)
    n_mels, n_fft = map(int, re.match(sentence, str(caught.value)).groups())
    assert n_fft == 1024 and n_mels > 64
    for better in ({"n_mels": n_mels}, {"n_fft": n_fft}):
        assert FrontEnd(**options | better).log_mel(SOUND).min(axis=0).min() > math.log(1.1e-4)
    with pytest.raises(ValueError, match="mel filters lie between"):
        FrontEnd(**options | {"n_mels": n_mels + 1})


def test_a_range_too_narrow_for_any_filter():
    with pytest.raises(ValueError, match=r"^64 of 64 mel .*; use a wider range from low_hz to hig"):
        FrontEnd(low_hz=20, high_hz=20.001)


# ---------------------------------------------------------------- speed


def test_a_hundred_times_faster_than_real_time():
    made, sound, best = FrontEnd(), noise(160_000), math.inf
    for _ in range(10):
        start = time.process_time()  # of this process, however busy the machine is
        made(sound)
        best = min(best, time.process_time() - start)
    assert best < 10 / 100
