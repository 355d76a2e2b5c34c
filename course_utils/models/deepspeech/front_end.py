"""From an utterance to the table that the network reads: log mel, each band brought to one scale.

Source: the ``MelSpectrogram`` of the tutorial "Building an end-to-end speech recognition model in
PyTorch" (AssemblyAI, 2020), which takes no logarithm, does not normalise, and has four filters that
never hear anything. Lesson: 06.
"""

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from scipy import fft, sparse

from course_utils import audio, features

_BLOCK = 1024  # frames at a time, so that an hour of sound needs no more memory than ten seconds
# What rounding to 16 bits alone leaves in a band. Quieter is only digital silence, such as a
# microphone's first moments: at features.LOG_FLOOR it would lie further from speech than anything
# in speech lies apart, and the scale of the band would be its scale.
_FLOOR = 1e-4
_LEAST_SPREAD = 1e-3  # a band that varies less is silent, and its rounding must not be blown up
_USUAL_SPREAD = 2.0  # about the standard deviation of a band of speech


@dataclass(frozen=True)
class FrontEnd:
    """Samples to frames.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    window, hop : int
        Length of a frame and distance between two, in samples; they leave no gap.
    n_fft : int
        Length that a frame is filled up to with zeros before the Fourier transform, even and at
        least ``window``: the more, the closer its bins lie.
    n_mels : int
        Bands.
    low_hz, high_hz : float
        Range of the filterbank.
    own_spread : bool
        Whether each band is divided by its own standard deviation over the utterance, or all by the
        same number. Measured with one recipe each: the first is better for the synthetic voices
        that ship (12.3 against 15.3 % of the words wrong), the second for people (AN4: 13.1 against
        11.4 %).

    Raises
    ------
    ValueError
        If a length is no whole number, too small or does not fit the others, or if a mel filter
        lies between the bins and is zero. Impossible filterbanks are refused by
        ``features.mel_filterbank``.
    """

    sample_rate: int = 16000
    window: int = 400
    hop: int = 160
    n_fft: int = 512
    n_mels: int = 64
    low_hz: float = 20
    high_hz: float = 7600
    own_spread: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be computed."""
        # A Hann window of two samples is zero.
        for name, least in (("sample_rate", 1), ("window", 3), ("hop", 1), ("n_mels", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(
                    f"{name} is {value!r}; expected a whole number from {least} up; change it."
                )
        if self.hop > self.window:
            raise ValueError(
                f"hop is {self.hop} and window {self.window}; expected a hop of at most one window,"
                " so that all of the sound is heard; shorten the hop."
            )
        if not isinstance(self.n_fft, int) or self.n_fft < self.window or self.n_fft % 2:
            raise ValueError(
                f"n_fft is {self.n_fft!r} and window {self.window}; expected an even whole number"
                f" from the window up; {features.fft_length(self.window)} is usual."
            )
        if deaf := self._deaf(self.n_mels, self.n_fft):
            raise ValueError(
                f"{deaf} of {self.n_mels} mel filters lie between two bins of n_fft={self.n_fft}"
                " and are zero; expected filters that each hear something; use"
                f" {self._advice()}."
            )

    def _advice(self) -> str:
        """What would leave no filter without a bin: fewer of them, or closer bins."""
        fewer = range(min(self.n_mels - 1, self.n_fft // 2), 0, -1)
        longer = (features.fft_length(self.n_fft + 1) << k for k in range(5))
        ways = [f"n_mels={n}" for n in fewer if not self._deaf(n, self.n_fft)][:1]
        ways += [f"n_fft={n}" for n in longer if not self._deaf(self.n_mels, n)][:1]
        return " or ".join(ways) or "a wider range from low_hz to high_hz"

    def _bank(self, n_mels: int, n_fft: int) -> np.ndarray:
        """The filters, shape (n_fft // 2 + 1, n_mels)."""
        return features.mel_filterbank(
            n_fft // 2 + 1, self.sample_rate, n_mels, self.low_hz, self.high_hz
        )

    @cached_property
    def _sparse_bank(self) -> sparse.csc_array:
        """The same of this front end, mostly zeros: no threads, which spin where others work."""
        return sparse.csc_array(self._bank(self.n_mels, self.n_fft))

    def _deaf(self, n_mels: int, n_fft: int) -> int:
        """How many filters are zero."""
        return int((self._bank(n_mels, n_fft).max(axis=0) == 0).sum())

    @property
    def bins(self) -> int:
        """Features per frame."""
        return self.n_mels

    @property
    def settings(self) -> dict:
        """All attributes by name, as JSON can hold them."""
        return asdict(self)

    def frames_in(self, samples: int) -> int:
        """How many frames a sound of so many samples has."""
        return max(0, 1 + (samples - self.window) // self.hop)

    def log_mel(self, samples: np.ndarray) -> np.ndarray:
        """What is then normalised: ``features.log_mel``, but for ``n_fft`` and a higher floor.

        Parameters and errors as :meth:`__call__`; gives float64, shape (frames, bins).
        """
        samples, _ = audio.check(samples, self.sample_rate)
        cut = features.frames(samples, self.window, self.hop)
        taper = features.hann(self.window)
        found = np.empty((len(cut), self.n_mels))
        for first in range(0, len(cut), _BLOCK):
            part = slice(first, first + _BLOCK)
            mel = np.abs(fft.rfft(cut[part] * taper, self.n_fft, axis=1)) @ self._sparse_bank
            np.log(np.maximum(mel, _FLOOR), out=found[part])
        return found

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Frames of an utterance; each band has mean 0 over it and a deviation of about 1.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1] of ``sample_rate``.

        Returns
        -------
        np.ndarray of float32, shape (frames, bins)
            A sound that is shorter than one window has no frames. A band that never changes, as
            every one in digital silence, is zero but for rounding.

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``).
        """
        bands = self.log_mel(samples)
        if len(bands):
            bands -= bands.mean(axis=0)
            own = np.maximum(bands.std(axis=0), _LEAST_SPREAD)
            bands /= own if self.own_spread else _USUAL_SPREAD
        return bands.astype(np.float32)
