"""How a word is delivered: tempo, melody, mumbling, whispering, shouting, swallowed sounds."""

from __future__ import annotations

import numpy as np
from scipy import signal

SAMPLE_RATE = 16000
_ORDER = 18  # LPC order: two coefficients per formant below 8 kHz, and two to spare
_FRAME, _HOP = 400, 100


def trim(samples: np.ndarray, sample_rate: int, floor_db: float = -42.0) -> np.ndarray:
    """Cut silence from both ends, leaving 10 ms.

    Parameters
    ----------
    samples
        Shape ``(samples,)``.
    sample_rate
        In Hz.
    floor_db
        What counts as silence, relative to the loudest 10 ms.

    Returns
    -------
    numpy.ndarray
        The word alone.
    """
    block = sample_rate // 100
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    power = (blocks**2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (floor_db / 10))
    return samples[max(0, loud[0] - 1) * block : (loud[-1] + 2) * block]


def play_at(samples: np.ndarray, sample_rate: int, speed: float, bend: np.ndarray) -> np.ndarray:
    """Play a word like a tape of changing speed: resampling, vocal tract and melody in one.

    Parameters
    ----------
    samples
        Shape ``(samples,)``.
    sample_rate
        Of `samples`, in Hz.
    speed
        Mean speed; above 1 raises pitch and formants together, as a smaller head does.
    bend
        Relative changes of speed at equal distances through the word.

    Returns
    -------
    numpy.ndarray
        At 16 kHz.
    """
    oversampled = signal.resample_poly(samples, 4, 1)
    rate = 4 * sample_rate
    cutoff = min(0.46 * SAMPLE_RATE * min(1.0, 1 / speed), 0.45 * sample_rate)
    oversampled = signal.fftconvolve(oversampled, signal.firwin(255, cutoff, fs=rate), "same")
    count = int(len(oversampled) / rate * SAMPLE_RATE / speed)
    progress = np.linspace(0, 1, max(count, 2))
    local = 1 + np.interp(progress, np.linspace(0, 1, len(bend)), bend)
    position = np.concatenate([[0], np.cumsum(local)[:-1]]) / local.sum() * (len(oversampled) - 1)
    return np.interp(position, np.arange(len(oversampled)), oversampled)


def _levinson(autocorrelation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve for all frames at once: LPC coefficients ``(frames, order + 1)`` and error power."""
    frames = len(autocorrelation)
    error = autocorrelation[:, 0] * 1.0001 + 1e-9
    coefficients = np.zeros((frames, _ORDER + 1))
    coefficients[:, 0] = 1
    for i in range(1, _ORDER + 1):
        past = autocorrelation[:, i:0:-1]
        reflection = -(coefficients[:, :i] * past).sum(axis=1) / error
        previous = coefficients[:, : i + 1].copy()
        coefficients[:, : i + 1] += reflection[:, None] * previous[:, ::-1]
        error = error * (1 - reflection**2)
    return coefficients, error


def _frames(samples: np.ndarray) -> np.ndarray:
    padded = np.pad(samples, (_FRAME, _FRAME + (-len(samples)) % _HOP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    return windows * np.sqrt(signal.windows.hann(_FRAME, sym=False))


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    power = np.abs(np.fft.rfft(frames, 1024)) ** 2
    lags = np.fft.irfft(power)[:, : _ORDER + 1]
    # A wider window in lags keeps the high harmonics of high voices from posing as formants.
    return lags * np.exp(-0.5 * (2 * np.pi * 60 / SAMPLE_RATE * np.arange(_ORDER + 1)) ** 2)


def resynthesise(
    samples: np.ndarray, rng: np.random.Generator, *, blur: int, whispered: bool
) -> np.ndarray:
    """Take the voice apart with linear prediction and put it together changed.

    Parameters
    ----------
    samples
        At 16 kHz.
    rng
        Source of breath noise.
    blur
        Frames of 6 ms over which the vocal tract's shape is averaged: lazy articulation.
    whispered
        Noise takes the place of the vocal folds.

    Returns
    -------
    numpy.ndarray
        Same length and RMS as `samples`.
    """
    frames = _frames(samples)
    lags = _autocorrelation(frames)
    own, error = _levinson(lags)
    if blur > 1:
        kernel = signal.windows.hann(blur + 2)[1:-1]
        shape = lags / (lags[:, :1] + 1e-9)
        lags = signal.fftconvolve(shape, (kernel / kernel.sum())[:, None], "same", axes=0)
    target, _ = _levinson(lags)
    window = np.sqrt(signal.windows.hann(_FRAME, sym=False))
    out = np.zeros(len(frames) * _HOP + 2 * _FRAME)
    breath = rng.standard_normal(len(out))
    for i, frame in enumerate(frames):
        if whispered:
            source = breath[i * _HOP : i * _HOP + _FRAME] * window * np.sqrt(error[i] / _FRAME)
        else:
            source = signal.lfilter(own[i], [1], frame)
        out[i * _HOP : i * _HOP + _FRAME] += window * signal.lfilter([1], target[i], source)
    out = out[_FRAME : _FRAME + len(samples)]
    return out * rms(samples) / (rms(out) + 1e-12)


def rms(samples: np.ndarray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(samples**2)))


def mumble(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speak with lazy lips: blurred transitions, weak high frequencies."""
    samples = resynthesise(samples, rng, blur=int(rng.integers(4, 12)), whispered=False)
    dull = signal.butter(2, rng.uniform(1400, 3000), fs=SAMPLE_RATE, output="sos")
    share = rng.uniform(0.75, 0.95)
    return share * signal.sosfilt(dull, samples) + (1 - share) * samples


def whisper(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speak without the vocal folds; whispers lack lows."""
    samples = resynthesise(samples, rng, blur=int(rng.integers(1, 5)), whispered=True)
    return signal.sosfilt(signal.butter(1, 500, "high", fs=SAMPLE_RATE, output="sos"), samples)


def shout(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speak at full force: compressed, with more highs."""
    edge = signal.sosfilt(signal.butter(1, 900, "high", fs=SAMPLE_RATE, output="sos"), samples)
    louder = samples + rng.uniform(0.5, 2) * edge
    return np.tanh(louder / (rms(louder) + 1e-9) * rng.uniform(0.5, 1.2))


def swallow(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Weaken the beginning or the end of the word, where its consonants are."""
    length = int(min(rng.uniform(0.05, 0.14) * SAMPLE_RATE, 0.35 * len(samples)))
    weak = 10 ** (-rng.uniform(6, 16) / 20)
    fade = np.concatenate([np.full(length // 2, weak), np.linspace(weak, 1, length - length // 2)])
    out = samples.copy()
    if rng.random() < 0.5:
        out[:length] *= fade
    else:
        out[-length:] *= fade[::-1]
    return out


def place(
    samples: np.ndarray, length: int, rng: np.random.Generator, cut_share: float
) -> np.ndarray:
    """Put the word somewhere into a clip.

    Parameters
    ----------
    samples
        The word.
    length
        Of the clip, in samples.
    rng
        Source of the position.
    cut_share
        How much of the word may lie beyond an edge, 0 to 1.

    Returns
    -------
    numpy.ndarray
        Shape ``(length,)``.
    """
    spare = length - len(samples)
    if cut_share > 0:
        beyond = int(cut_share * len(samples))
        start = -beyond if rng.random() < 0.5 else spare + beyond
    else:
        # Words recorded one by one come near the middle, seldom at an edge.
        start = round(spare * rng.beta(2.5, 2.5))
    padded = np.pad(samples, length)
    return padded[length - start : 2 * length - start]
