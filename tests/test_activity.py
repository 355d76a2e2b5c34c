"""Where in a clip something is heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.features.activity import active_span

RATE, MOMENT = 8000, 240  # 30 ms


def tone(ms: float, db: float = 0.0, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(ms * rate / 1000)) / rate
    return (0.5 * 10 ** (db / 20) * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)


def silence(ms: float, rate: int = RATE) -> np.ndarray:
    return np.zeros(int(ms * rate / 1000), np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_word_between_silences(rate):
    clip = np.concatenate([silence(200, rate), tone(500, 0, rate), silence(300, rate)])
    start, end = active_span(clip, rate)
    moment = 0.03 * rate
    # A moment counts as soon as the word is loud enough in a part of it.
    assert 0.2 * rate - moment <= start <= 0.2 * rate
    assert 0.7 * rate <= end <= 0.7 * rate + moment


@pytest.mark.parametrize("db, belongs", [(-10, True), (-24, True), (-26, False)])
def test_25_db_below_the_loudest_is_the_end_in_a_clean_clip(db, belongs):
    clip = np.concatenate([silence(200), tone(300), tone(200, db), silence(200)])
    assert (active_span(clip, RATE)[1] > 650 * RATE / 1000) == belongs


@pytest.mark.parametrize("db, belongs", [(-10, True), (-14, True), (-16, False), (-20, False)])
def test_in_a_noisy_clip_it_is_half_the_way_to_the_noise(db, belongs):
    noise = tone(200, -30)
    clip = np.concatenate([noise, tone(300), tone(200, db), noise])
    assert (active_span(clip, RATE)[1] > 650 * RATE / 1000) == belongs


@pytest.mark.parametrize("length", [1, MOMENT - 1, MOMENT, MOMENT + 1, 5 * MOMENT])
def test_digital_silence_is_active_as_a_whole(length):
    assert active_span(np.zeros(length, np.float32), RATE) == (0, length)


@pytest.mark.parametrize("length", [0, 1, MOMENT - 1, MOMENT])
def test_a_sound_of_one_moment_is_active_as_a_whole(length):
    clip = np.zeros(length, np.float32)
    clip[length // 2 :] = 0.5
    assert active_span(clip, RATE) == (0, length)


def test_the_level_does_not_matter():
    clip = np.concatenate([tone(100, -40), tone(300), tone(150, -40)])
    assert active_span(clip, RATE) == active_span(clip / 1024, RATE)
    start, end = active_span(clip, RATE)
    assert start > 0 and end < len(clip)


@given(st.integers(0, 2**32), st.integers(MOMENT + 1, 2000), st.integers(1, 8))
def test_as_it_is_described(seed, length, parts):
    rng = np.random.default_rng(seed)
    level = np.repeat(10 ** rng.uniform(-3, 0, parts), -(-length // parts))[:length]
    clip = (level * rng.uniform(-1, 1, length)).astype(np.float32)
    moments = np.lib.stride_tricks.sliding_window_view(clip.astype(np.float64), MOMENT)
    level_db = 10 * np.log10(np.mean(moments**2, axis=1))
    highest, noise = level_db.max(), 10 * np.log10(np.quantile(10 ** (level_db / 10), 0.1))
    active = np.flatnonzero(level_db >= max(highest - 25, (highest + noise) / 2) - 1e-9)
    assert active_span(clip, RATE) == (active[0], active[-1] + MOMENT)
