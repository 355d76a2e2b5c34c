"""From sound to the table that the network reads, for whole sounds and for streams.

Source: ``graph_spectrogram`` of the deeplearning.ai assignment "Trigger Word Detection", which
calls ``matplotlib.mlab.specgram`` with windows of 200 samples every 80 of 44,100 Hz, and with a
rate of 8,000 Hz, which only scales the result. Lesson: 05.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
from scipy import fft

from course_utils import features

KINDS = ("specgram", "log_specgram", "log_mel")
"""The source's power spectral density, its logarithm, and the log mel spectrogram of lesson 01."""

_SOURCE_FS = 8000  # what the source says the rate were
_PCM16 = 32768.0  # the source reads 16-bit integers
_LOG_FLOOR = 1e-3  # of the source's power, far below what one step of 16 bits gives


@dataclass(frozen=True)
class FrontEnd:
    """Samples to frames.

    Attributes
    ----------
    kind : {"specgram", "log_specgram", "log_mel"}
    sample_rate : int
        In Hz.
    window, hop : int
        Length of a frame and distance between two, in samples; they leave no gap.
    n_mels : int
        Bands of ``log_mel``.
    low_hz, high_hz : float
        Range of its filterbank.

    Raises
    ------
    ValueError
        If the kind is unknown, a length is no whole number or too small, or the hop is longer than
        the window. Impossible filterbanks are refused by ``features.mel_filterbank``.
    """

    kind: str = "log_mel"
    sample_rate: int = 16000
    window: int = 400
    hop: int = 160
    n_mels: int = 40
    low_hz: float = 20
    high_hz: float = 7600

    def __post_init__(self) -> None:
        """Refuse what cannot be computed."""
        if self.kind not in KINDS:
            raise ValueError(
                f"There is no front end {self.kind!r}; choose one of {', '.join(KINDS)}."
            )
        # A Hann window of two samples is zero.
        for name, least in (("sample_rate", 1), ("window", 3), ("hop", 1)):
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
        self(np.zeros(self.window, np.float32))

    @property
    def bins(self) -> int:
        """Features per frame."""
        return self.n_mels if self.kind == "log_mel" else self.window // 2 + 1

    @property
    def settings(self) -> dict:
        """All attributes by name, as JSON can hold them."""
        return asdict(self)

    def frames_in(self, samples: int) -> int:
        """How many whole frames a sound of so many samples has."""
        return max(0, 1 + (samples - self.window) // self.hop)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Frames of a sound in [-1, 1], shape (samples,): float32, shape (frames, bins)."""
        if self.kind == "log_mel":
            # Half a sample more, because features rounds milliseconds down to samples.
            window_ms, hop_ms = (
                (n + 0.5) * 1000 / self.sample_rate for n in (self.window, self.hop)
            )
            return features.log_mel(
                samples, self.sample_rate, window_ms, hop_ms, self.n_mels, self.low_hz, self.high_hz
            )
        power = _specgram(samples, self.window, self.hop)
        return np.log(np.maximum(power, _LOG_FLOOR)) if self.kind == "log_specgram" else power


def _specgram(samples: np.ndarray, window: int, hop: int) -> np.ndarray:
    """What ``mlab.specgram(x, NFFT=window, Fs=8000, noverlap=window - hop)`` gives, transposed."""
    taper = np.hanning(window).astype(np.float32)
    cut = features.frames(samples, window, hop) * (taper * np.float32(_PCM16))
    spectrum = fft.rfft(cut, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    # One-sided: all bins but the first, and the last of an even length, stand for two.
    power[:, 1 : (window + 1) // 2] *= 2
    return (power / np.float32(_SOURCE_FS * math.fsum(taper**2))).astype(np.float32)


SOURCE_FRONT_END = FrontEnd("specgram", sample_rate=44100, window=200, hop=80)
"""Of a scene of 10 s it makes 5511 frames of 101 bins."""


class FrameStream:
    """Frames of a sound that comes in pieces: those that each piece completes."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._front_end = front_end
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """The next piece, shape (samples,), to float32 of shape (frames, bins)."""
        sound = np.concatenate([self._rest, samples])
        count = self._front_end.frames_in(len(sound))
        self._rest = sound[count * self._front_end.hop :]
        return self._front_end(sound[: (count - 1) * self._front_end.hop + self._front_end.window])
