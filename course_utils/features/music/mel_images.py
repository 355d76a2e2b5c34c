"""A window of music as a picture for an image network: log-mel spectrograms in three planes."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy import fft, sparse

from course_utils import audio, features
from course_utils.features.music.windows import Settings, check_length, check_whole, spread

FRAME_MS = (23, 46, 92)
"""Length of a frame in each plane: drum strokes are sharp in the first, bass notes in the last."""

LOUDEST_DB, QUIETEST_DB = -10.0, -90.0
"""What becomes 1 and -1. In decibels of full scale, the same for every clip."""

_LOW_HZ = 20
_LARGEST = 1024  # more bands than any ear or network tells apart


@dataclass(frozen=True)
class MelImages(Settings):
    """Pictures of sound, scaled as MobileNetV2 expects its input.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    seconds : float
        Length of a window. The hop is chosen so that it gives exactly ``size`` frames; of its
        samples fewer than ``size`` are left over, at its end.
    size : int
        Rows (mel bands from 20 Hz to half the rate, the highest on top) and columns (frames).
    windows : int
        How many are taken of a clip, see :func:`~course_utils.features.music.windows.spread`.

    Raises
    ------
    ValueError
        If a setting is impossible: not a number of its kind, a window too short for ``size``
        frames, or so long that sound stays unheard between the longest frames.

    Notes
    -----
    The three planes, where a photograph has red, green and blue, are three spectrograms of the same
    moments with frames of 23, 46 and 92 ms (:data:`FRAME_MS`). One spectrogram three times over is
    the other usual way; then every filter for colour contrast that a network brings from
    photographs sees grey, while here such a filter compares what is sharp in time with what is
    sharp in frequency. The idea is from Palanisamy, Singhania and Yao, "Rethinking CNN models for
    audio classification" (2020), who take 25, 50 and 100 ms with three hops and stretch the planes
    to one size; here they share one hop, and frames of one column share their middle.

    Values are the power in each band in decibels of full scale (bands add up to the mean square of
    the sound: -3 dB for a sine of amplitude 1), from -90 dB (-1) to -10 dB (1), clipped. The range
    is fixed: scaled clip by clip, the hiss of a quiet passage would look like music, how loud and
    how dense a genre is mastered would be lost, and a window would depend on the rest of its clip.
    It holds music whole: of the loudest masters all bands together have about -10 dB, and 80 dB
    lower there is little but what encoders and 16 bits leave.

    The source system computes frames at one fixed hop and fills its square with the first 50,176
    values, whatever frames they come from; here every value is where its band and its moment are.
    """

    KIND: ClassVar[str] = "mel images"

    sample_rate: int = 22050
    seconds: float = 3.0
    size: int = 224
    windows: int = 3

    def __post_init__(self) -> None:
        """Refuse what cannot be computed."""
        for name, least in (("sample_rate", audio.MIN_RATE), ("size", 2), ("windows", 1)):
            check_whole(name, getattr(self, name), least)
        if self.size > _LARGEST:
            raise ValueError(
                f"size is {self.size}; expected at most {_LARGEST} bands; 224 is usual."
            )
        shortest = (self._frames[-1] + self.size - 1) / self.sample_rate
        longest = self._frames[-1] * self.size / self.sample_rate
        # Written so that NaN fails, too.
        if not (isinstance(self.seconds, int | float) and shortest <= self.seconds <= longest):
            raise ValueError(
                f"seconds is {self.seconds!r}; expected {shortest:.3g} to {longest:.3g}, so that"
                f" {self.size} frames of {FRAME_MS[-1]} ms begin at different samples and leave no"
                " gap; change seconds or size."
            )

    @property
    def _frames(self) -> list[int]:
        """Length of a frame in each plane, in samples."""
        return [features.milliseconds_to_samples(ms, self.sample_rate) for ms in FRAME_MS]

    @property
    def _samples(self) -> int:
        """Length of a window."""
        return round(self.seconds * self.sample_rate)

    @property
    def hop(self) -> int:
        """Distance between two frames, in samples."""
        return (self._samples - self._frames[-1]) // (self.size - 1)

    @cached_property
    def _n_fft(self) -> int:
        """The shortest transform, a power of two, that leaves no mel filter without a bin."""
        n_fft = features.fft_length(self._frames[-1])
        while not self._dense_bank(n_fft).any(axis=0).all():
            n_fft *= 2
        return n_fft

    def _dense_bank(self, n_fft: int) -> np.ndarray:
        """The filters, shape (n_fft // 2 + 1, size)."""
        bins = n_fft // 2 + 1
        return features.mel_filterbank(
            bins, self.sample_rate, self.size, _LOW_HZ, self.sample_rate / 2
        )

    @cached_property
    def _bank(self) -> sparse.csc_array:
        """The same, mostly zeros: a tenth of the time, and no threads."""
        return sparse.csc_array(self._dense_bank(self._n_fft).astype(np.float32))

    @property
    def shape(self) -> tuple[int, int, int]:
        """What one window becomes: (bands, frames, planes)."""
        return self.size, self.size, len(FRAME_MS)

    def decibels(self, window: np.ndarray) -> np.ndarray:
        """Power per band in decibels of full scale, before it is clipped and scaled.

        Parameters
        ----------
        window : np.ndarray of float, shape (samples,)
            One window.

        Returns
        -------
        np.ndarray of float32, shape (bands, frames, planes)
            At least -200 dB; the highest band comes first.
        """
        planes = []
        for length in self._frames:
            # Shorter frames lie in the middle of the longest, so that the planes fit together.
            first = (self._frames[-1] - length) // 2
            cut = features.frames(window[first:], length, self.hop)[: self.size]
            taper = features.hann(length).astype(np.float32)
            spectrum = fft.rfft(cut * taper, self._n_fft, axis=1)
            # By Parseval: the bands of a sound add up to its mean square.
            scale = 2 / (self._n_fft * (features.hann(length) ** 2).sum())
            planes.append((spectrum.real**2 + spectrum.imag**2) @ self._bank * scale)
        power = np.stack(planes, axis=-1).transpose(1, 0, 2)[::-1]
        return (10 * np.log10(np.maximum(power, 1e-20))).astype(np.float32)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Pictures of a clip.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1] of ``sample_rate``.

        Returns
        -------
        np.ndarray of float32, shape (windows, size, size, 3)
            In [-1, 1].

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``) or shorter than one window.
        """
        samples, _ = audio.check(samples, self.sample_rate)
        check_length(len(samples), self._samples, self.sample_rate, "one window")
        cut = spread(samples, self._samples, self.windows)
        values = np.stack([self.decibels(window) for window in cut])
        values -= (LOUDEST_DB + QUIETEST_DB) / 2
        values /= (LOUDEST_DB - QUIETEST_DB) / 2
        return values.clip(-1, 1)
