"""Front ends for music: by their definitions, beside librosa, and by what they promise."""

import json
import math
import subprocess
import sys
import time

import numpy as np
import pytest

from course_utils import audio, features
from course_utils.features import music
from course_utils.features.music import EngineeredFeatures, MelImages, RawWindows, descriptors
from course_utils.features.music.windows import spread

RATE = 22050
FRONT_ENDS = [
    RawWindows(), RawWindows(16000, 500, 5), MelImages(), MelImages(16000, 2.0, 96, 2),
    EngineeredFeatures(), EngineeredFeatures(16000, 2),
]  # fmt: skip


def sine(hertz: float, seconds: float = 4.0, peak: float = 0.5, rate: int = RATE) -> np.ndarray:
    time_s = np.arange(round(seconds * rate)) / rate
    return (peak * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)


def clicks(per_minute: float, seconds: float = 10.0) -> np.ndarray:
    """Short noises in a quiet hiss."""
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.001, round(seconds * RATE))
    for start in np.arange(0, seconds - 0.1, 60 / per_minute):
        first = round(start * RATE)
        sound[first : first + 1000] += rng.normal(0, 0.1, 1000)
    return sound.astype(np.float32)


def noise(seconds: float = 10.0, rate: int = RATE, deviation: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, deviation, round(seconds * rate)).clip(-1, 1).astype(np.float32)


def named(front_end: EngineeredFeatures, samples: np.ndarray) -> dict[str, float]:
    return dict(zip(front_end.names, front_end(samples)[0].tolist(), strict=True))


# ---------------------------------------------------------------- all three


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=repr)
def test_every_front_end_gives_windows_of_its_shape(front_end):
    sound = noise(10, front_end.sample_rate)
    before = sound.copy()
    found = front_end(sound)
    assert found.shape == (front_end.windows, *front_end.shape) and found.dtype == np.float32
    assert np.isfinite(found).all() and found.std() > 0
    np.testing.assert_array_equal(front_end(sound), found)
    np.testing.assert_array_equal(sound, before)


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=repr)
def test_settings_come_back_from_json(front_end):
    again = music.from_settings(json.loads(json.dumps(front_end.settings)))
    assert again == front_end and type(again) is type(front_end)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"kind": "cochlea"}, r"kind 'cochlea'; expected one of raw windows, mel images, engin"),
        ({}, "kind None; expected one of"),
        ({"kind": "raw windows", "size": 3}, "Found the settings size for raw windows; expected"),
        ({"kind": "raw windows", "samples": 0}, "samples is 0; expected a whole number from 1 up"),
    ],
)
def test_settings_of_no_front_end_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        music.from_settings(settings)


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=repr)
def test_one_sample_less_than_needed_is_refused_and_the_exact_length_is_not(front_end):
    parts = front_end.windows if isinstance(front_end, EngineeredFeatures) else 1
    needed = round(parts * front_end.seconds * front_end.sample_rate)
    sound = noise(10, front_end.sample_rate)
    assert front_end(sound[:needed]).shape == (front_end.windows, *front_end.shape)
    with pytest.raises(audio.AudioError, match=r"^The sound lasts .+ s; expected at least .+ s, "):
        front_end(sound[: needed - 1])


@pytest.mark.parametrize("front_end", FRONT_ENDS[::2], ids=repr)
@pytest.mark.parametrize(
    ("sound", "sentence"),
    [
        (np.full(RATE * 5, np.nan, np.float32), "holds NaN"),
        (np.zeros((RATE * 5, 2), np.float32), "average channels"),
        (np.zeros(0, np.float32), "holds no samples"),
        (np.zeros(RATE * 5, np.int16), "divide 16-bit"),
    ],
    ids=["nan", "stereo", "empty", "integers"],
)
def test_unfit_sounds_are_refused(front_end, sound, sentence):
    with pytest.raises(audio.AudioError, match=sentence):
        front_end(sound)


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=repr)
def test_digital_silence_has_finite_values(front_end):
    assert np.isfinite(front_end(np.zeros(10 * front_end.sample_rate, np.float32))).all()


def test_no_front_end_loads_librosa_or_a_framework():
    code = (
        "import sys, numpy as np; from course_utils.features import music\n"
        "music.EngineeredFeatures()(np.zeros(99999, np.float32))\n"
        "music.MelImages()(np.zeros(99999, np.float32))\n"
        "print(*{'librosa', 'numba', 'sklearn', 'tensorflow', 'torch'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "\n"


# ---------------------------------------------------------------- raw windows


def test_raw_windows_are_samples_of_the_middle_of_equal_parts():
    sound = np.linspace(-1, 1, 3000, dtype=np.float32)
    found = RawWindows(RATE, 200, 3)(sound)[..., 0]
    np.testing.assert_array_equal(found, [sound[400:600], sound[1400:1600], sound[2400:2600]])
    assert RawWindows(RATE, 200, 3).seconds == 200 / RATE


@pytest.mark.parametrize(
    ("samples", "length", "windows", "starts"),
    [
        (100, 20, 1, [40]),  # the middle, not the fade-in
        (60, 20, 3, [0, 20, 40]),
        (41, 20, 3, [0, 10, 21]),  # overlapping, from the first sample to the last
        (20, 20, 3, [0, 0, 0]),
    ],
)
def test_windows_lie_evenly(samples, length, windows, starts):
    found = spread(np.arange(samples), length, windows)
    assert found.shape == (windows, length)
    assert found[:, 0].tolist() == pytest.approx(starts, abs=1)
    np.testing.assert_array_equal(found, found[:, :1] + np.arange(length))


# ---------------------------------------------------------------- pictures


def test_a_picture_is_the_mel_spectrogram_of_lesson_01_in_decibels():
    """Of the plane whose frames the course's function transforms at the same length."""
    made = MelImages(size=96)
    window = noise(3.0)
    assert features.fft_length(features.milliseconds_to_samples(92, RATE)) == 2048
    power = features.power_spectrogram(window, RATE, 92, 1000 * (made.hop + 0.5) / RATE)[:96]
    bank = features.mel_filterbank(1025, RATE, 96, 20, RATE / 2)
    energy = (features.hann(2028) ** 2).sum()
    expected = 10 * np.log10(power @ bank * 2 / (2048 * energy)).T[::-1]
    np.testing.assert_allclose(made.decibels(window)[..., 2], expected, atol=2e-3)


@pytest.mark.parametrize(("rate", "seconds", "size"), [(RATE, 3, 224), (16000, 1.5, 96)])
def test_bands_add_up_to_the_mean_square_in_every_plane(rate, seconds, size):
    made = MelImages(rate, seconds, size, 1)
    power = 10 ** (made.decibels(noise(seconds, rate)) / 10)
    np.testing.assert_allclose(power.sum(axis=0).mean(axis=0), 0.1**2, rtol=0.1)
    tone = 10 ** (made.decibels(sine(1000, seconds, 1.0, rate)) / 10)
    np.testing.assert_allclose(tone.sum(axis=0), 0.5, rtol=0.02)


def test_values_are_decibels_on_one_scale_for_all_clips():
    made = MelImages(size=96, windows=1)
    loud, quiet = made(noise(3)), made(noise(3) / 100)
    inside = (quiet > -1) & (loud < 1)
    assert inside.mean() > 0.9
    np.testing.assert_allclose((loud - quiet)[inside], 1.0, atol=1e-3)  # 40 of 80 dB
    assert (made(np.zeros(RATE * 3, np.float32)) == -1).all()
    assert made(sine(1000, 3, 1.0)).max() == 1


def test_rows_are_bands_from_high_to_low_and_columns_moments():
    made = MelImages(windows=1)
    centres = features.mel_centres(224, 20, RATE / 2)[::-1]
    for hertz in (300, 3000):
        picture = made(sine(hertz, 3))[0]
        assert centres[picture[:, 100, 2].argmax()] == pytest.approx(hertz, rel=0.03)
    sound = np.zeros(RATE * 3, np.float32)
    sound[RATE * 2] = 0.9
    picture = made(sound)[0]
    widths = (picture.max(axis=0) > -1).sum(axis=0)
    assert widths[0] < widths[1] < widths[2], "longer frames see a click for longer"
    middles = [np.flatnonzero(picture[..., plane].max(axis=0) > -1).mean() for plane in range(3)]
    assert np.ptp(middles) <= 1, "the planes of a column show the same moment"
    expected = (2 * RATE - 1014) / made.hop
    assert middles == pytest.approx([expected] * 3, abs=1)


@pytest.mark.parametrize("size", [32, 96, 160, 224, 299])
@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_no_filter_is_deaf_and_hardly_a_sample_unheard(size, rate):
    made = MelImages(rate, 2.5, size, 1)
    found = made.decibels(noise(2.5, rate))
    assert found.shape == (size, size, 3) == made.shape
    assert found.max(axis=1).min() > -100, "every band hears noise in every plane"
    longest = features.milliseconds_to_samples(92, rate)
    assert 0 <= 2.5 * rate - (longest + (size - 1) * made.hop) < size


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seconds": 0.1}, r"^seconds is 0\.1; expected 0\.102 to 20\.6, so that 224 frames of 92"),
        ({"seconds": 10, "size": 96}, "seconds is 10; expected .* to 8.83, .* leave no gap"),
        ({"seconds": math.nan}, "seconds is nan; expected"),
        ({"seconds": "3"}, "seconds is '3'; expected"),
        ({"size": 1}, "size is 1; expected a whole number from 2 up"),
        ({"size": 96.0}, "size is 96.0; expected a whole number"),
        ({"windows": 0}, "windows is 0; expected a whole number from 1 up"),
        ({"sample_rate": 10}, "sample_rate is 10; expected a whole number from 1000 up"),
        ({"size": 20000, "seconds": 30}, "size is 20000; expected at most 1024 bands"),
    ],
)
def test_impossible_pictures_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        MelImages(**options)


# ---------------------------------------------------------------- engineered features


def test_features_have_names_and_are_in_their_order():
    made = EngineeredFeatures()
    assert made.shape == (92,) == (len(set(made.names)),)
    for name in ("MFCC 3, mean", "MFCC 19, deviation", "chroma A sharp, mean", "tempo",
                 "contrast 6400 to 11025 Hz, deviation", "roll-off, mean"):  # fmt: skip
        assert name in made.names
    found = named(made, noise())
    coefficients = features.mfcc(noise(), RATE, 92, 23, 20, n_mels=64, high_hz=8000)
    assert found["MFCC 3, mean"] == pytest.approx(coefficients[:, 3].mean(), abs=1e-3)
    assert found["MFCC 3, deviation"] == pytest.approx(coefficients[:, 3].std(), abs=1e-3)
    assert found["level, mean"] == pytest.approx(-20, abs=0.1)


def test_features_hear_what_they_are_named_for():
    made = EngineeredFeatures()
    tone, hiss, beat = (named(made, sound) for sound in (sine(880, 10), noise(), clicks(120)))
    assert tone["chroma A, mean"] == pytest.approx(1) and tone["chroma D sharp, mean"] < 0.01
    assert tone["centroid, mean"] == pytest.approx(880, rel=0.02)
    assert tone["zero crossings, mean"] == pytest.approx(2 * 880 / RATE, rel=0.01)
    assert hiss["flatness, mean"] > 0.4 > 0.01 > tone["flatness, mean"]
    assert tone["contrast 800 to 1600 Hz, mean"] > hiss["contrast 800 to 1600 Hz, mean"] + 30
    assert beat["onset strength, deviation"] > 2 * hiss["onset strength, deviation"]
    assert beat["level, deviation"] > hiss["level, deviation"] + 5
    assert beat["regularity of the beat"] > 0.7 > 0.3 > hiss["regularity of the beat"]


@pytest.mark.parametrize("per_minute", [75, 100, 120, 140, 165])
def test_the_tempo_of_clicks(per_minute):
    found = named(EngineeredFeatures(), clicks(per_minute))["tempo"]
    assert found == pytest.approx(per_minute, rel=0.05)


def test_a_sound_that_never_changes_has_no_tempo():
    assert descriptors.tempo(np.zeros(200), 43) == (0, 0)


def test_parts_are_equal_and_each_is_a_row():
    sound = np.concatenate([noise(4), sine(440, 4)])
    both = EngineeredFeatures(windows=2)(sound)
    alone = [EngineeredFeatures()(part)[0] for part in (noise(4), sine(440, 4))]
    np.testing.assert_array_equal(both, alone)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"sample_rate": 8000}, "sample_rate is 8000; expected a whole number from 16000 up"),
        ({"windows": 0}, "windows is 0; expected a whole number from 1 up"),
    ],
)
def test_impossible_features_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        EngineeredFeatures(**options)


# ---------------------------------------------------------------- beside librosa


@pytest.fixture(scope="module", params=["noise", "clicks"])
def spectra(request) -> tuple[np.ndarray, np.ndarray]:
    """A sound of 4 s and its magnitudes as float64, shape (frames, bins)."""
    sound = noise(4) if request.param == "noise" else clicks(130, 4) + sine(440, 4, 0.1)
    return sound, np.sqrt(features.power_spectrogram(sound, RATE, 92, 23)).astype(np.float64)


def test_frame_by_frame_as_librosa(spectra):
    librosa = pytest.importorskip("librosa")
    sound, magnitudes = spectra
    S, zero = magnitudes.T, librosa.feature.zero_crossing_rate
    pairs = [
        (descriptors.centroid(magnitudes, RATE), librosa.feature.spectral_centroid(S=S, sr=RATE)),
        (descriptors.roll_off(magnitudes, RATE), librosa.feature.spectral_rolloff(S=S, sr=RATE)),
        (descriptors.flatness(magnitudes), librosa.feature.spectral_flatness(S=S)),
        (
            descriptors.zero_crossings(features.frames(sound, 2048, 512)),
            zero(sound, frame_length=2048, hop_length=512, center=False),
        ),
    ]
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected[0], rtol=1e-6)


@pytest.mark.parametrize("rate", [16000, RATE, 44100])
def test_chroma_bank_as_librosa(rate):
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.chroma(sr=rate, n_fft=2048, tuning=0.0)
    np.testing.assert_allclose(descriptors.chroma_bank(1025, rate), expected.T, atol=1e-6)


def test_chroma_contrast_and_onsets_as_librosa(spectra):
    librosa = pytest.importorskip("librosa")
    _, magnitudes = spectra
    chroma = librosa.feature.chroma_stft(S=magnitudes.T**2, sr=RATE, tuning=0.0)
    np.testing.assert_allclose(descriptors.chroma(magnitudes**2, RATE), chroma.T, atol=1e-5)
    # librosa takes magnitudes for power, begins each band one bin lower and counts one bin more,
    # so that in a narrow band the strongest two may be taken instead of one.
    contrast = 2 * librosa.feature.spectral_contrast(S=magnitudes.T, sr=RATE).T
    found = descriptors.contrast(magnitudes, RATE)
    apart = abs((found - contrast).mean(axis=0))
    assert np.median(apart) < 0.3 and apart.max() < 4
    table = np.log(magnitudes[:, :64] + 1)
    strength = librosa.onset.onset_strength(S=table.T, sr=RATE, center=False)
    np.testing.assert_allclose(descriptors.onset_strength(table), strength, atol=1e-6)


# ---------------------------------------------------------------- speed


@pytest.mark.parametrize("front_end", [EngineeredFeatures(), MelImages()], ids=repr)
def test_ten_seconds_take_at_most_60_ms(front_end):
    sound, best = noise(10), math.inf
    for _ in range(10):
        start = time.process_time()  # of this process, however busy the machine is
        front_end(sound)
        best = min(best, time.process_time() - start)
    assert best < 0.06
