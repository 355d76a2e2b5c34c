"""What lies between the mouth and the file: room, microphone, line, converter."""

from __future__ import annotations

import numpy as np
from scipy import signal

from synthesis.delivery import SAMPLE_RATE, rms


def impulse_response(rng: np.random.Generator) -> np.ndarray:
    """Draw a room: direct sound, six early echoes, and a tail of decaying noise.

    The tail is noise under an exponential (Polack's model, 1988); highs die sooner than lows.

    Returns
    -------
    numpy.ndarray
        Direct sound at sample 0 with gain 1.
    """
    decay_s = rng.uniform(0.12, 0.5)
    distance = rng.beta(1.2, 2.5)  # 0: at the lips, 1: across the room
    length = int(decay_s * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    tail = rng.standard_normal(length) * np.exp(-6.9 * time / decay_s)
    dark = signal.butter(1, rng.uniform(1500, 5000), fs=SAMPLE_RATE, output="sos")
    tail = signal.sosfilt(dark, tail)
    tail[: int(0.004 * SAMPLE_RATE)] = 0
    tail *= (0.15 + 1.0 * distance) / np.sqrt((tail**2).sum())
    for delay in rng.integers(20, int(0.03 * SAMPLE_RATE), 6):
        tail[delay] += rng.normal(0, 0.25) * (0.3 + distance)
    tail[0] = 1
    return tail


def in_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speak in a room drawn for this clip; same length."""
    return signal.fftconvolve(samples, impulse_response(rng))[: len(samples)]


def microphone(samples: np.ndarray, gains_db: np.ndarray) -> np.ndarray:
    """Colour a sound with gains (dB) at the octaves 125 ... 8000 Hz."""
    octaves = np.log2(np.array([125, 250, 500, 1000, 2000, 4000, 8000]))
    spectrum = np.fft.rfft(samples, 2 * len(samples))
    frequency = np.maximum(np.fft.rfftfreq(2 * len(samples), 1 / SAMPLE_RATE), 60)
    gain = 10 ** (np.interp(np.log2(frequency), octaves, gains_db) / 20)
    return np.fft.irfft(spectrum * gain)[: len(samples)]


def telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pass 300-3400 Hz and quantise to 8 bits on the mu-law curve (ITU-T G.711)."""
    high = rng.uniform(2800, 3500)
    band = signal.butter(4, [rng.uniform(200, 400), high], "band", fs=SAMPLE_RATE, output="sos")
    out = signal.sosfilt(band, samples)
    peak = np.abs(out).max() + 1e-9
    curve = np.sign(out) * np.log1p(255 * np.abs(out) / peak) / np.log(256)
    curve = np.round(curve * 127) / 127
    return np.sign(curve) * peak * np.expm1(np.abs(curve) * np.log(256)) / 255


def thrifty_codec(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Drop all but the strongest spectral lines, as a codec short of bits does."""
    _, _, lines = signal.stft(samples, SAMPLE_RATE, nperseg=512)
    level = np.abs(lines)
    limit = np.quantile(level, rng.uniform(0.6, 0.88), axis=0, keepdims=True)
    _, out = signal.istft(np.where(level >= limit, lines, 0.1 * lines), SAMPLE_RATE, nperseg=512)
    return out[: len(samples)]


def overload(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Clip the loudest parts hard."""
    limit = np.quantile(np.abs(samples), rng.uniform(0.95, 0.995)) + 1e-9
    return np.clip(samples, -limit, limit)


def dropouts(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lose one to three packets of 10 to 40 ms."""
    out = samples.copy()
    for _ in range(rng.integers(1, 4)):
        start = int(rng.integers(0, len(out)))
        out[start : start + int(rng.uniform(0.01, 0.04) * SAMPLE_RATE)] *= 0.02
    return out


def handling(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bump the microphone: a thud and a click."""
    time = np.arange(int(0.12 * SAMPLE_RATE)) / SAMPLE_RATE
    thud = np.sin(2 * np.pi * rng.uniform(50, 160) * time) * np.exp(-40 * time)
    thud[:40] += rng.standard_normal(40)
    start = int(rng.integers(0, len(samples) - len(time)))
    out = samples.copy()
    out[start : start + len(time)] += rng.uniform(1, 5) * rms(samples) * thud
    return out
