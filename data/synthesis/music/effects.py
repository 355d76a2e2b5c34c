"""What happens to a sound between the instrument and the record.

Each effect takes and gives float64 samples, shape ``(samples,)``, with an amount in its own unit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import fft, signal

from synthesis.delivery import rms
from synthesis.music.theory import Song

Rng = np.random.Generator


def _filtered(x: np.ndarray, rate: int, kind: str, hertz: float, order: int = 2) -> np.ndarray:
    hertz = min(hertz, 0.45 * rate)
    return signal.sosfilt(signal.butter(order, hertz, kind, fs=rate, output="sos"), x)


def _along(x: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return a sound read at fractional positions."""
    return np.interp(positions, np.arange(len(x)), x)


def distort(x: np.ndarray, rate: int, drive: float, song: Song, rng: Rng) -> np.ndarray:
    """Overdrive an amplifier (times the usual level), and listen to its loudspeaker."""
    level = rms(x) + 1e-9
    out = np.tanh(drive * _filtered(x, rate, "high", 90) / (4 * level))
    return _filtered(out, rate, "low", 5000) * level / (rms(out) + 1e-9)


def lowpass(x: np.ndarray, rate: int, hertz: float, song: Song, rng: Rng) -> np.ndarray:
    """Cut highs above a frequency."""
    return _filtered(x, rate, "low", hertz)


def delay(x: np.ndarray, rate: int, feedback: float, song: Song, rng: Rng) -> np.ndarray:
    """Echo every three eighths, each time weaker by a factor."""
    apart, out = round(0.75 * song.beat_s * rate), x.copy()
    for k in range(1, 6):
        if k * apart < len(x):
            out[k * apart :] += feedback**k * x[: -k * apart]
    return out


def tremolo(x: np.ndarray, rate: int, depth: float, song: Song, rng: Rng) -> np.ndarray:
    """Let the level wave in eighths."""
    phase = 4 * np.pi / song.beat_s * np.arange(len(x)) / rate
    return x * (1 - depth * (0.5 + 0.5 * np.sin(phase)))


def chorus(x: np.ndarray, rate: int, cents: float, song: Song, rng: Rng) -> np.ndarray:
    """Double a sound with one whose pitch wavers."""
    time = np.arange(len(x)) / rate
    speed = rng.uniform(0.3, 0.9)
    depth_s = cents / 1731 / (2 * np.pi * speed)
    late = 0.012 + depth_s * (1 + np.sin(2 * np.pi * (speed * time + rng.random())))
    return 0.6 * (x + _along(x, np.maximum(0, np.arange(len(x)) - late * rate)))


def sweep(x: np.ndarray, rate: int, hertz: float, song: Song, rng: Rng) -> np.ndarray:
    """Open and close a low-pass filter once in four bars."""
    dull = _filtered(x, rate, "low", hertz, 4)
    phase = 2 * np.pi * (np.arange(len(x)) / rate / (16 * song.beat_s) + rng.random())
    open_ = 0.5 + 0.5 * np.sin(phase)
    return open_ * x + (1 - open_) * dull


def pump(x: np.ndarray, rate: int, depth: float, song: Song, rng: Rng) -> np.ndarray:
    """Duck under a kick on every beat."""
    since = np.arange(len(x)) / rate % song.beat_s / song.beat_s
    return x * (1 - depth * np.clip(1 - since / 0.6, 0, 1) ** 1.5)


def crush(x: np.ndarray, rate: int, bits: float, song: Song, rng: Rng) -> np.ndarray:
    """Keep only some bits of every third sample."""
    peak = np.abs(x).max() + 1e-9
    held = np.repeat(x[::3], 3)[: len(x)]
    return np.round(held / peak * 2 ** (bits - 1)) / 2 ** (bits - 1) * peak


def ring(x: np.ndarray, rate: int, hertz: float, song: Song, rng: Rng) -> np.ndarray:
    """Multiply with a sine."""
    carrier = np.sin(2 * np.pi * hertz * np.arange(len(x)) / rate)
    return 0.4 * x + 0.9 * x * carrier


def wow(x: np.ndarray, rate: int, cents: float, song: Song, rng: Rng) -> np.ndarray:
    """Play a tape whose speed wavers."""
    time = np.arange(len(x)) / rate
    deviation = np.zeros(len(x))
    for speed in (0.55, 1.3, 6.0):
        size = cents / 1731 / np.sqrt(speed)
        deviation += size * np.sin(2 * np.pi * (speed * time + rng.random()))
    return _along(x, np.cumsum(1 + deviation) - 1)


def gate(x: np.ndarray, rate: int, depth: float, song: Song, rng: Rng) -> np.ndarray:
    """Chop in a rhythm of sixteenths."""
    pattern = (rng.random(16) < 0.6).astype(float)
    place = (np.arange(len(x)) / rate / song.step_s).astype(int) % 16
    return x * (1 - depth * (1 - pattern[place]))


def cut(x: np.ndarray, rate: int, share: float, song: Song, rng: Rng) -> np.ndarray:
    """Cut the tape into beats and replace a share of them: by others, backwards, or stuttering."""
    length, out = max(1, round(song.beat_s * rate)), x.copy()
    starts = range(0, len(x) - length, length)
    for start in starts:
        if rng.random() < share:
            source = int(rng.integers(0, len(x) - length))
            piece = x[source : source + length]
            kind = rng.integers(3)
            if kind == 0:
                piece = piece[::-1]
            elif kind == 1:
                piece = np.resize(piece[: max(1, length // int(rng.choice([3, 4, 8])))], length)
            fade = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / 60)
            out[start : start + length] = piece * fade
    return out


def backwards(x: np.ndarray, rate: int, share: float, song: Song, rng: Rng) -> np.ndarray:
    """Mix in the same tape played backwards."""
    return (1 - share) * x + share * x[::-1]


def noise(x: np.ndarray, rate: int, below_db: float, song: Song, rng: Rng) -> np.ndarray:
    """Add noise that swells, so many decibels below the music."""
    knots = rng.standard_normal(8)
    swell = np.exp(0.7 * np.interp(np.linspace(0, 7, len(x)), np.arange(8), knots))
    made = coloured(len(x), rate, rng.uniform(0, 2), rng) * swell
    return x + made * rms(x) * 10 ** (-below_db / 20)


def vinyl(x: np.ndarray, rate: int, below_db: float, song: Song, rng: Rng) -> np.ndarray:
    """Add the crackle and rumble of an old record, so many decibels below the music."""
    clicks = np.zeros(len(x))
    places = rng.integers(0, len(x), int(len(x) / rate * 12))
    clicks[places] = rng.exponential(1, len(places)) * rng.choice([-1, 1], len(places))
    clicks = _filtered(clicks, rate, "high", 1500) * 25
    made = clicks + 0.6 * coloured(len(x), rate, 1.0, rng)
    return x + made * rms(x) * 10 ** (-below_db / 20)


def saturate(x: np.ndarray, rate: int, drive: float, song: Song, rng: Rng) -> np.ndarray:
    """Drive a tape or a mixing desk: softer than an amplifier, all frequencies alike."""
    level = rms(x) + 1e-9
    out = np.tanh(drive * x / (4 * level))
    return out * level / (rms(out) + 1e-9)


def coloured(samples: int, rate: int, exponent: float, rng: Rng) -> np.ndarray:
    """Return noise of RMS 1 whose power falls with frequency to the power of `exponent`."""
    length = fft.next_fast_len(samples, real=True)
    spectrum = fft.rfft(rng.standard_normal(length))
    frequency = np.maximum(fft.rfftfreq(length, 1 / rate), 20)
    made = fft.irfft(spectrum * frequency ** (-exponent / 2), length)[:samples]
    return made / rms(made)


EFFECTS: dict[str, Callable[[np.ndarray, int, float, Song, Rng], np.ndarray]] = {
    each.__name__: each
    for each in (
        distort, lowpass, delay, tremolo, chorus, sweep, pump, crush, ring, wow, gate,
        cut, backwards, noise, vinyl, saturate,
    )
}  # fmt: skip
