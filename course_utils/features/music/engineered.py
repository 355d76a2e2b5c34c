"""A part of a track as a row of named numbers: the features of classical learning."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from course_utils import audio, features
from course_utils.features.music import descriptors
from course_utils.features.music.windows import Settings, check_length, check_whole

_FRAME_MS, _HOP_MS = 92, 23
_N_MFCC, _N_MELS, _LOW_HZ, _HIGH_HZ = 20, 64, 20, 8000
# About what rounding to 16 bits leaves in a band. Digital silence, at features.LOG_FLOOR, would lie
# further from music than anything in music lies apart, and its share would be all that counts.
_FLOOR = 1e-3
_QUIETEST_DB = -100.0
_SHORTEST_SECONDS = 3.0  # two beats of the slowest tempo

_NOTES = ("C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B")


def _over_time(sample_rate: int) -> tuple[str, ...]:
    """Names of the columns of which mean and deviation are taken."""
    edges = descriptors.contrast_edges(sample_rate)
    bands = (f"{low:g} to {high:g} Hz" for low, high in pairwise(edges))
    return (
        *(f"MFCC {k}" for k in range(_N_MFCC)), *(f"chroma {note}" for note in _NOTES),
        *(f"contrast {band}" for band in bands), "centroid", "roll-off", "flatness",
        "zero crossings", "onset strength", "level",
    )  # fmt: skip


@dataclass(frozen=True)
class EngineeredFeatures(Settings):
    """Features that people have found telling, each with a name.

    Attributes
    ----------
    sample_rate : int
        In Hz, at least 16000.
    windows : int
        Equal parts that a clip is cut into, whatever its length; each becomes one row.

    Raises
    ------
    ValueError
        If a setting is no whole number, or too small.

    Notes
    -----
    20 MFCC (64 mel bands up to 8 kHz), 12 chroma, 7 spectral contrasts, centroid, roll-off,
    flatness, zero crossings, onset strength and level in dB, over frames of 92 ms every 23 ms: of
    each the mean and the standard deviation over time. Then the tempo and how regular its beat is.
    Values are not scaled: each has its own unit, and what they are scaled with has to come from
    training tracks. (The source system scales every clip by itself, so that all clips have the same
    means, and what tells them apart is gone.) A silent frame has finite values.
    """

    KIND: ClassVar[str] = "engineered features"

    sample_rate: int = 22050
    windows: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be computed."""
        check_whole("sample_rate", self.sample_rate, descriptors.LEAST_RATE)
        check_whole("windows", self.windows, 1)

    @property
    def seconds(self) -> float:
        """Least length of a part; a part is as long as the clip makes it."""
        return _SHORTEST_SECONDS

    @property
    def names(self) -> tuple[str, ...]:
        """What each number is, such as ``MFCC 3, mean``; length ``shape[0]``."""
        columns = _over_time(self.sample_rate)
        return (
            *(f"{name}, mean" for name in columns), *(f"{name}, deviation" for name in columns),
            "tempo", "regularity of the beat",
        )  # fmt: skip

    @property
    def shape(self) -> tuple[int]:
        """What one part becomes: (features,)."""
        return (len(self.names),)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Features of a clip.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1] of ``sample_rate``.

        Returns
        -------
        np.ndarray of float32, shape (windows, features)

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``) or a part of it would be shorter than 3 s.
        """
        samples, _ = audio.check(samples, self.sample_rate)
        needed = int(np.ceil(self.windows * self.seconds * self.sample_rate))
        what = f"{self.seconds:g} s for each of its parts, of which there are {self.windows}"
        check_length(len(samples), needed, self.sample_rate, what)
        edges = np.linspace(0, len(samples), self.windows + 1).astype(int)
        parts = [samples[a:b] for a, b in pairwise(edges)]
        return np.stack([self._row(part) for part in parts]).astype(np.float32)

    def _row(self, samples: np.ndarray) -> np.ndarray:
        """Features of one part, shape (features,)."""
        table, onsets = _frame_by_frame(samples, self.sample_rate)
        hop = features.milliseconds_to_samples(_HOP_MS, self.sample_rate)
        beat = descriptors.tempo(onsets, self.sample_rate / hop)
        return np.concatenate([table.mean(axis=0), table.std(axis=0), beat])


def _frame_by_frame(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The columns of :func:`_over_time`, shape (frames, columns), and the onset strength."""
    length, hop = (features.milliseconds_to_samples(ms, rate) for ms in (_FRAME_MS, _HOP_MS))
    cut = features.frames(samples, length, hop)
    power = features.power_spectrogram(samples, rate, _FRAME_MS, _HOP_MS)
    magnitudes = np.sqrt(power)
    bank = features.mel_filterbank(power.shape[1], rate, _N_MELS, _LOW_HZ, _HIGH_HZ)
    log_mel = np.log(np.maximum(magnitudes @ bank.astype(np.float32), _FLOOR))
    onsets = descriptors.onset_strength(log_mel)
    mean_square = np.square(cut).mean(axis=1)
    level = 10 * np.log10(np.maximum(mean_square, 10 ** (_QUIETEST_DB / 10)))
    columns = [
        log_mel @ features.dct_matrix(_N_MELS, _N_MFCC), descriptors.chroma(power, rate),
        descriptors.contrast(magnitudes, rate), descriptors.centroid(magnitudes, rate),
        descriptors.roll_off(magnitudes, rate), descriptors.flatness(magnitudes),
        descriptors.zero_crossings(cut), onsets, level,
    ]  # fmt: skip
    return np.column_stack(columns), onsets
