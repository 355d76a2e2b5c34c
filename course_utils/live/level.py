"""How loud it is, and how loud it is when nothing happens: a noise floor that follows the room.

The floor is a low quantile of the levels of the last seconds. That is quantile-based noise
estimation (Stahl, Fischer, Bippus: "Quantile based noise estimation for spectral subtraction and
Wiener filtering", ICASSP 2000), for the whole band instead of every frequency: whoever speaks is
silent for moments, so the low levels belong to the room and speech does not pull the floor up. Read
aloud without a pause (LibriSpeech, 20 dB above the noise), the tenth percentile stays within 1 dB
of the noise's level; the source's median would rise with the voice.
"""

import math
from collections import deque
from itertools import islice

import numpy as np

SILENCE_DB = -120.0
"""The level of digital silence: below the quietest step of 16 bits, and finite."""

_BLOCK_S = 0.05
_WINDOW = 100  # blocks that the floor looks back on: 5 s
_QUANTILE = 0.1
_KNOWN = 20  # blocks without which nothing is known of the room: 1 s
_RISE_S = 1.0  # a trigger word and the delay of its label


def level_db(samples: np.ndarray) -> float:
    """The level of a sound of shape (samples,) in dBFS: 0 is a square wave from -1 to 1.

    A constant in it is left out, for cheap microphones have one and nobody hears it.
    """
    return _decibel(float(np.var(samples, dtype=np.float64))) if len(samples) else SILENCE_DB


class Meter:
    """Levels of a stream in blocks of 50 ms, however it is cut into pieces.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Attributes
    ----------
    floor_db : float
        The noise floor now, in dBFS: the tenth percentile of the last 5 s that were heard. It
        follows a room that gets quieter in half a second, one that gets louder in 4.5 s.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._block = max(1, round(_BLOCK_S * sample_rate))
        self._rest = np.zeros(0, np.float32)
        self._position = 0  # in samples, the rest included
        # When each block ended, in seconds, and its level; detections look a little back.
        self._blocks: deque[tuple[float, float]] = deque(maxlen=2 * _WINDOW)
        self.floor_db = SILENCE_DB

    def push(self, samples: np.ndarray) -> None:
        """Measure the next piece, float32 of shape (samples,)."""
        self._position += len(samples)
        samples = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(samples) // self._block * self._block
        self._rest = samples[whole:].copy()
        if whole:
            powers = samples[:whole].reshape(-1, self._block).var(axis=1, dtype=np.float64)
            first = self._position - len(samples)
            for number, power in enumerate(powers.tolist(), start=1):
                self._blocks.append(((first + number * self._block) / self._rate, _decibel(power)))
            self.floor_db = _floor(self._levels())

    def skip(self, samples: int) -> None:
        """Let time pass of which nothing is known: it says nothing about the room."""
        if samples:
            self._position += samples
            self._rest = self._rest[:0]

    def rise_db(self, time_s: float) -> float:
        """How far the loudest block of the second before a time was above the floor then, in dB.

        Infinite where too little has been heard to know.
        """
        before = [(end, level) for end, level in self._blocks if end <= time_s]
        loud = [level for end, level in before if end > time_s - _RISE_S]
        if len(before) < _KNOWN or not loud:
            return math.inf
        return max(loud) - _floor([level for _, level in before[-_WINDOW:]])

    def _levels(self) -> list[float]:
        newest = islice(reversed(self._blocks), _WINDOW)
        return [level for _, level in newest]


def _floor(levels: list[float]) -> float:
    return sorted(levels)[int(_QUANTILE * len(levels))]


def _decibel(power: float) -> float:
    return max(10 * math.log10(power), SILENCE_DB) if power > 0 else SILENCE_DB
