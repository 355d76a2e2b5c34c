"""Tones as words and noise as background: what scenes of trigger words can be measured with."""

import numpy as np

from course_utils.datasets.trigger_word import Clip, Sounds
from course_utils.datasets.trigger_word.sounds import rms

RATE = 8000


def tone(seconds: float, hertz: float = 1000.0, peak: float = 0.3, rate: int = RATE) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (peak * np.cos(2 * np.pi * hertz * time)).astype(np.float32)


def noise(seconds: float, seed: int = 0, peak: float = 0.1, rate: int = RATE) -> np.ndarray:
    values = np.random.default_rng(seed).uniform(-peak, peak, round(seconds * rate))
    return values.astype(np.float32)


def clip(samples: np.ndarray, speaker: str = "", text: str = "word") -> Clip:
    return Clip(samples, text, speaker, rms(samples))


def sounds(triggers=(0.5,), negatives=(0.4,), backgrounds=(4.0, 6.0), rate: int = RATE) -> Sounds:
    """Triggers of 1000 Hz, negatives of 2000 Hz and noise, by their lengths in seconds."""
    return Sounds(
        tuple(clip(tone(each, 1000, rate=rate), "anna", "hey") for each in triggers),
        tuple(clip(tone(each, 2000, rate=rate), "bert", "no") for each in negatives),
        tuple(noise(each, seed, rate=rate) for seed, each in enumerate(backgrounds)),
        rate,
    )


def level(samples: np.ndarray) -> float:
    """Root of the mean square in dB relative to full scale."""
    return 20 * np.log10(rms(samples) + 1e-9)
