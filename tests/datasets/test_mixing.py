"""What happens to a clip on its way into a batch, draw by draw."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_sounds import steps_of_noise

from course_utils.datasets.speech_commands.mixing import NONE, Augmentation, heard_clip

RATE = 1000
SHIFT = Augmentation(time_shift_ms=5, background_frequency=0)
NOISE = Augmentation(time_shift_ms=0)


def hear(clip, augmentation, seed=0, noise=(), is_silence=False, rate=RATE):
    rng = np.random.default_rng(seed)
    return heard_clip(np.asarray(clip, np.int16), is_silence, noise, rate, augmentation, rng)


def by_hand(clip, noise, is_silence, options, rng):
    """``get_data`` of TensorFlow's example, line by line, with our order of draws."""
    length, most = len(clip), int(options.time_shift_ms * RATE / 1000)
    foreground = clip / 32768
    if is_silence:
        foreground = foreground * 0
    elif most:
        amount = rng.integers(-most, most)
        padding, offset = ((amount, 0), 0) if amount > 0 else ((0, -amount), -amount)
        foreground = np.pad(foreground, padding)[offset : offset + length]
    if is_silence:
        volume = rng.uniform(0, 1)
    elif rng.uniform(0, 1) < options.background_frequency:
        volume = rng.uniform(0, options.background_volume)
    else:
        volume = 0
    if volume == 0:
        return foreground
    background = noise[rng.integers(len(noise))] / 32768
    offset = rng.integers(0, len(background) - length)
    return np.clip(foreground + volume * background[offset : offset + length], -1, 1)


@pytest.mark.parametrize("is_silence", [False, True])
def test_like_the_source(is_silence):
    clip = np.zeros(200, np.int16) if is_silence else steps_of_noise(1, 200, 32000)
    noise = [steps_of_noise(2, 300, 32000), steps_of_noise(3, 1000, 32000)]
    options = Augmentation(time_shift_ms=50, background_volume=0.5)
    for seed in range(100):
        found = hear(clip, options, seed, noise, is_silence)
        expected = by_hand(clip, noise, is_silence, options, np.random.default_rng(seed))
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_shift_of_s_goes_from_minus_s_to_s_minus_one():
    clip = np.arange(1, 21)
    found = {tuple(np.rint(hear(clip, SHIFT, seed) * 32768).astype(int)) for seed in range(300)}
    later = {(0,) * s + tuple(clip[: 20 - s]) for s in range(5)}
    earlier = {tuple(clip[s:]) + (0,) * s for s in range(1, 6)}
    assert found == later | earlier


def test_a_shift_may_be_longer_than_the_clip():
    options = Augmentation(time_shift_ms=50, background_frequency=0)
    heard = [hear(np.full(8, 9), options, seed) for seed in range(50)]
    assert any(not clip.any() for clip in heard) and any(clip.any() for clip in heard)


def test_as_it_is():
    clip = np.array([-32768, -1, 0, 1, 32767])
    np.testing.assert_array_equal(hear(clip, NONE), np.float32(clip / 32768))
    loud = [np.full(9, 32767, np.int16)]
    np.testing.assert_array_equal(hear(clip, NONE, noise=loud), np.float32(clip / 32768))


def volumes(augmentation, is_silence=False, n=3000):
    """How loud noise of half the full scale is in clips of zeros."""
    noise = [np.full(9, 16384, np.int16)]
    rng = np.random.default_rng(0)
    clip = np.zeros(4, np.int16)
    heard = [heard_clip(clip, is_silence, noise, RATE, augmentation, rng) for _ in range(n)]
    assert all((each == each[0]).all() for each in heard)
    return np.array([2 * each[0] for each in heard])


def test_volume_and_share_of_noise():
    found = volumes(NOISE)
    mixed = found[found > 0]
    assert abs(len(mixed) / len(found) - 0.8) < 0.03
    assert 0.099 < mixed.max() <= 0.1 and mixed.min() < 0.001
    assert abs(mixed.mean() - 0.05) < 0.003
    assert (volumes(Augmentation(background_frequency=1)) > 0).all()
    assert not volumes(Augmentation(background_frequency=0)).any()
    assert not volumes(Augmentation(background_volume=0)).any()


@pytest.mark.parametrize("augmentation", [NONE, NOISE, Augmentation(background_frequency=0)])
def test_silence_is_noise_of_any_volume(augmentation):
    found = volumes(augmentation, is_silence=True)
    assert (found > 0).all() and found.max() > 0.99 and abs(found.mean() - 0.5) < 0.03


def test_every_recording_and_every_piece_of_it():
    noise = [np.array([100, 200, 300, 400], np.int16), np.array([-100, -200, -300], np.int16)]
    rng = np.random.default_rng(0)
    heard = [heard_clip(np.zeros(2, np.int16), True, noise, RATE, NONE, rng) for _ in range(400)]
    # Ratios tell the piece, whatever its volume. Where a piece may begin excludes the last place.
    pieces = {(bool(a > 0), round(float(b / a), 3)) for a, b in heard}
    assert pieces == {(True, 2.0), (True, 1.5), (False, 2.0)}
    first = np.mean([a > 0 for a, _ in heard])
    assert abs(first - 0.5) < 0.1, "recordings are drawn evenly, however long they are"


def test_without_recordings_nothing_is_mixed():
    clip = steps_of_noise(0, 50)
    np.testing.assert_array_equal(hear(clip, NOISE), np.float32(clip / 32768))
    assert not hear(np.zeros(50), NOISE, is_silence=True).any()


def test_the_sum_is_clipped():
    options = Augmentation(time_shift_ms=0, background_volume=1, background_frequency=1)
    for sign in (1, -1):
        noise = [np.full(9, 30000 * sign, np.int16)]
        heard = [hear(np.full(4, 30000 * sign), options, seed, noise) for seed in range(50)]
        assert max(abs(each).max() for each in heard) == 1


def frequency_of(samples, rate) -> float:
    """From the zero crossings of the middle half."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    crossings = np.flatnonzero(np.diff(np.sign(middle)))
    return (len(crossings) - 1) / 2 / (crossings[-1] - crossings[0]) * rate


def test_faster_is_higher():
    rate = 8000
    clip = 20000 * np.sin(2 * np.pi * 300 * np.arange(rate) / rate)
    options = Augmentation(time_shift_ms=0, background_frequency=0, speed_percentage=20)
    speeds = []
    for seed in range(40):
        speeds.append(np.random.default_rng(seed).uniform(0.8, 1.2))
        heard = hear(clip, options, seed, rate=rate)
        assert frequency_of(heard, rate) == pytest.approx(300 * speeds[-1], rel=0.005)
        # Played faster around its middle, a clip leaves zeros at both ends.
        silent = max(0, (1 - 1 / speeds[-1]) / 2) * rate
        assert np.flatnonzero(heard)[0] == pytest.approx(silent, abs=3)
        assert np.flatnonzero(heard[::-1])[0] == pytest.approx(silent, abs=3)
    assert min(speeds) < 0.85 and max(speeds) > 1.15


def test_speed_and_shift_together():
    """A mark in the middle stays there at any speed, and is shifted by whole samples."""
    clip = np.zeros(100)
    clip[50] = 10000
    options = Augmentation(time_shift_ms=20, background_frequency=0, speed_percentage=10)
    for seed in range(50):
        heard = hear(clip, options, seed) * 32768
        place = 50 + np.random.default_rng(seed).integers(-20, 20)
        assert heard.argmax() == place and heard[place] == pytest.approx(10000)


def test_speed_reads_straight_lines_between_samples():
    clip = steps_of_noise(5, 64)
    options = Augmentation(time_shift_ms=8, background_frequency=0, speed_percentage=30)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shift, speed = rng.integers(-8, 8), rng.uniform(0.7, 1.3)
        expected = np.zeros(64)
        for i in range(64):
            place = (i - shift - 32) * speed + 32
            if 0 <= place <= 63:
                low = min(int(place), 62)
                expected[i] = clip[low] + (place - low) * (int(clip[low + 1]) - clip[low])
        np.testing.assert_allclose(hear(clip, options, seed) * 32768, expected, atol=0.01)


augmentations = st.builds(
    Augmentation,
    time_shift_ms=st.floats(0, 200),
    background_volume=st.floats(0, 10),
    background_frequency=st.floats(0, 1),
    speed_percentage=st.floats(0, 99.9),
)


@given(augmentations, st.integers(1, 60), st.booleans(), st.integers(0, 2**32))
def test_always_a_sound_of_the_same_length(augmentation, length, is_silence, seed):
    clip = np.zeros(length, np.int16) if is_silence else steps_of_noise(seed, length, 32768)
    before = clip.copy()
    noise = [steps_of_noise(seed + 1, 99, 32768)]
    heard = hear(clip, augmentation, seed, noise, is_silence)
    assert heard.dtype == np.float32 and heard.shape == (length,)
    assert np.isfinite(heard).all() and np.abs(heard).max() <= 1
    np.testing.assert_array_equal(clip, before)
    np.testing.assert_array_equal(heard, hear(clip, augmentation, seed, noise, is_silence))


NAMES = ("time_shift_ms", "background_volume", "speed_percentage", "time_masks",
         "time_mask_frames", "band_masks", "band_mask_bins")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_impossible_augmentation(name, value):
    with pytest.raises(ValueError, match=f"^{name} is {value}; expected 0 or more .*; 0 switches"):
        Augmentation(**{name: value})


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_impossible_share_of_noise(value):
    with pytest.raises(ValueError, match=f"^background_frequency is {value}; expected a share"):
        Augmentation(background_frequency=value)


def test_a_clip_cannot_stand_still():
    with pytest.raises(ValueError, match=r"^speed_percentage is 100; .*\(speed_percentage below"):
        Augmentation(speed_percentage=100)
