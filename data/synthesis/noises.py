"""Noises made from numbers: what is heard behind the words and in `_background_noise_`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

from synthesis import voices
from synthesis.delivery import SAMPLE_RATE, play_at, rms
from synthesis.speakers import Speaker

SENTENCES = (
    "I told her that we would be there before the rain came in",
    "did you see what he had in the kitchen last night",
    "the train was late again and nobody said a thing about it",
    "well, maybe we could ask them to bring another table",
    "she is working on something new with people from the city",
    "that is exactly what I mean, you never know with these machines",
)


def coloured(samples: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise whose power falls with frequency to the power of `exponent`, at RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 20)
    noise = np.fft.irfft(spectrum * frequency ** (-exponent / 2), samples)
    return noise / rms(noise)


def _wander(samples: int, rate_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Return a slow random curve with about `rate_hz` turns a second, mean 0, deviation 1."""
    knots = rng.standard_normal(int(samples / SAMPLE_RATE * rate_hz) + 4)
    return np.interp(np.linspace(0, len(knots) - 1, samples), np.arange(len(knots)), knots)


def white(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Equal power at all frequencies."""
    return coloured(samples, 0, rng)


def pink(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Equal power in all octaves."""
    return coloured(samples, 1, rng)


def wind(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Rumble in gusts."""
    return coloured(samples, 2.2, rng) * np.exp(0.6 * _wander(samples, 1.5, rng))


def machine(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Motor: harmonics of a fundamental that drifts, and hiss that beats with it."""
    fundamental = rng.uniform(45, 130) * (1 + 0.01 * _wander(samples, 0.7, rng))
    phase = 2 * np.pi * np.cumsum(fundamental) / SAMPLE_RATE
    out = np.zeros(samples)
    for harmonic in range(1, 25):
        gain = rng.uniform(0.2, 1) / harmonic**0.8
        out += gain * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return out + 0.5 * coloured(samples, 0.7, rng) * (1 + 0.6 * np.sin(phase / 4))


def water(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Running tap: hiss, and bubbles that each ring for a few milliseconds."""
    band = signal.butter(1, [400, 6000], "band", fs=SAMPLE_RATE, output="sos")
    out = 0.7 * signal.sosfilt(band, rng.standard_normal(samples))
    time = np.arange(int(0.03 * SAMPLE_RATE)) / SAMPLE_RATE
    for start in rng.integers(0, samples, samples // 180):
        frequency, decay = rng.uniform(500, 3500), rng.uniform(100, 400)
        bubble = np.sin(2 * np.pi * frequency * (1 + 2 * time) * time) * np.exp(-decay * time)
        room = min(len(time), samples - start)
        out[start : start + room] += rng.exponential(0.6) * bubble[:room]
    return out


def dishes(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Clatter: struck plates and cutlery, each a bundle of decaying partials."""
    out = 0.02 * coloured(samples, 1, rng)
    time = np.arange(int(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
    for start in rng.integers(0, samples, max(2, int(5 * samples / SAMPLE_RATE))):
        partials, loudness = rng.uniform(900, 7000, 6), rng.exponential(0.5)
        decays = rng.uniform(15, 90, 6)
        struck = np.sin(2 * np.pi * partials[:, None] * time) * np.exp(-decays[:, None] * time)
        knock = rng.standard_normal(len(time)) * np.exp(-400 * time)
        room = min(len(time), samples - start)
        out[start : start + room] += loudness * (struck.sum(axis=0) / 3 + knock)[:room]
    return out


def tones(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Music through a wall: a run of plucked notes."""
    out = 0.01 * coloured(samples, 1, rng)
    beat = int(SAMPLE_RATE * rng.uniform(0.15, 0.4))
    time = np.arange(2 * beat) / SAMPLE_RATE
    for start in range(0, samples, beat):
        note = 110 * 2 ** (rng.choice([0, 3, 5, 7, 10, 12, 15, 19]) / 12)
        harmonics = np.arange(1, 9)[:, None]
        pluck = (np.sin(2 * np.pi * note * harmonics * time) / harmonics).sum(axis=0)
        room = min(len(time), samples - start)
        out[start : start + room] += (pluck * np.exp(-5 * time))[:room]
    return out


def babble(samples: int, rng: np.random.Generator, talkers: list[Speaker]) -> np.ndarray:
    """People talking at once.

    Parameters
    ----------
    samples
        Length.
    rng
        Who says what, when and how loudly.
    talkers
        espeak-ng speakers of the training part, at least eight.

    Returns
    -------
    numpy.ndarray
        Shape ``(samples,)``.
    """
    out = np.zeros(samples)
    for talker in rng.choice(len(talkers), 8, replace=False):
        person, filled = talkers[talker], -int(rng.uniform(0, 2) * SAMPLE_RATE)
        loudness = 10 ** (-rng.uniform(0, 9) / 20)
        while filled < samples:
            said, rate = voices.espeak(
                SENTENCES[rng.integers(len(SENTENCES))],
                f"{person.accent}+{person.voice}",
                rate=165 * person.rate,
                pitch=person.pitch,
                pitch_range=person.pitch_range,
            )
            said = play_at(said, rate, person.tract, np.zeros(2))
            start, stop = max(filled, 0), min(filled + len(said), samples)
            if stop > start:
                out[start:stop] += loudness * (said / rms(said))[start - filled : stop - filled]
            filled += len(said)
    return out


# Everything but babble, which needs talkers.
KINDS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "white": white,
    "pink": pink,
    "wind": wind,
    "machine": machine,
    "water": water,
    "dishes": dishes,
    "tones": tones,
}

# File name in `_background_noise_` -> kind
BACKGROUNDS = {
    "babble": "babble",
    "clattering_dishes": "dishes",
    "machine_hum": "machine",
    "pink_noise": "pink",
    "running_water": "water",
    "white_noise": "white",
    "wind": "wind",
}
