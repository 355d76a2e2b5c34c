"""From samples to features: the course's reference front end, in NumPy.

Every function here is the tested twin of something that lesson 01 builds by hand. With the default
settings the numbers are those of TensorFlow's ``AudioSpectrogram`` and ``Mfcc`` operations, the
front end of the Speech Commands tutorial, and the tests hold the two together.

The steps::

    samples --frames--> windowed frames --FFT--> power spectrogram
            --mel filterbank--> mel spectrogram --log--> log-mel --DCT--> MFCC

Time is the first axis of every array, shape ``(frames, something)``. Arithmetic is in double
precision, because the logarithm of a small number shows all rounding before it; results are
float32.
"""

from functools import lru_cache

import numpy as np
from scipy import fft

from course_utils.features.mel import mel_centres, mel_filterbank

__all__ = [
    "LOG_FLOOR", "average", "dct_matrix", "fft_length", "frames", "hann", "log_mel", "mel_centres",
    "mel_filterbank", "mfcc", "milliseconds_to_samples", "power_spectrogram",
]  # fmt: skip

LOG_FLOOR = 1e-12
"""Smallest value that enters a logarithm (TensorFlow's ``Mfcc`` uses the same one)."""


def milliseconds_to_samples(milliseconds: float, sample_rate: int) -> int:
    """Whole samples in a time span, rounded down: 30 ms at 16000 Hz is 480."""
    return int(sample_rate * milliseconds / 1000)


def frames(samples: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Cut a signal into overlapping frames, without padding or centring.

    Parameters
    ----------
    samples : np.ndarray, shape (samples,)
    frame_length, hop_length : int
        Length of a frame and distance between the starts of two frames, in samples.

    Returns
    -------
    np.ndarray, shape (frames, frame_length)
        A read-only view of ``samples``. Samples after the last whole frame are left out, and a
        signal shorter than one frame gives no frames.

    Raises
    ------
    ValueError
        If ``samples`` is not one-dimensional or a length is below one.
    """
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise ValueError(
            f"Found an array of shape {samples.shape} where one channel of shape (samples,) was "
            "expected; average or choose a channel first."
        )
    if frame_length < 1 or hop_length < 1:
        raise ValueError(
            f"A frame of {frame_length} samples every {hop_length} samples is impossible: "
            "both lengths must be at least one sample; raise window_ms or stride_ms."
        )
    if len(samples) < frame_length:
        return np.empty((0, frame_length), samples.dtype)
    return np.lib.stride_tricks.sliding_window_view(samples, frame_length)[::hop_length]


def fft_length(frame_length: int) -> int:
    """Next power of two at or above ``frame_length``: 480 becomes 512."""
    return 1 << max(0, frame_length - 1).bit_length()


def power_spectrogram(
    samples: np.ndarray, sample_rate: int, window_ms: float = 30, stride_ms: float = 10
) -> np.ndarray:
    """Squared magnitude of the short-time Fourier transform.

    Parameters
    ----------
    samples : np.ndarray, shape (samples,)
        Sound in [-1, 1].
    sample_rate : int
        Samples per second.
    window_ms, stride_ms : float
        Length of a frame and distance between two frames, in milliseconds.

    Returns
    -------
    np.ndarray, shape (frames, fft_length // 2 + 1), float32
        Power per frequency bin; bin ``k`` is at ``k * sample_rate / fft_length`` hertz.

    Notes
    -----
    Periodic Hann window, zero-padded to the next power of two, no centring: TensorFlow's
    ``AudioSpectrogram`` with ``magnitude_squared=True``.
    """
    frame_length = milliseconds_to_samples(window_ms, sample_rate)
    hop_length = milliseconds_to_samples(stride_ms, sample_rate)
    windowed = frames(samples, frame_length, hop_length) * hann(frame_length)
    if len(windowed) == 0:
        return np.empty((0, fft_length(frame_length) // 2 + 1), np.float32)
    spectrum = fft.rfft(windowed, fft_length(frame_length), axis=1)
    return (spectrum.real**2 + spectrum.imag**2).astype(np.float32)


def _mel_spectrogram(
    samples: np.ndarray,
    sample_rate: int,
    window_ms: float = 30,
    stride_ms: float = 10,
    n_mels: int = 40,
    low_hz: float = 20,
    high_hz: float = 4000,
) -> np.ndarray:
    """Magnitude spectrogram summed in triangular mel bands, float64, shape (frames, n_mels)."""
    power = power_spectrogram(samples, sample_rate, window_ms, stride_ms)
    bank = mel_filterbank(power.shape[1], sample_rate, n_mels, low_hz, high_hz)
    return np.sqrt(power, dtype=np.float64) @ bank


def log_mel(
    samples: np.ndarray,
    sample_rate: int,
    window_ms: float = 30,
    stride_ms: float = 10,
    n_mels: int = 40,
    low_hz: float = 20,
    high_hz: float = 4000,
) -> np.ndarray:
    """Natural logarithm of a mel spectrogram, floored at :data:`LOG_FLOOR`.

    Parameters, errors: :func:`power_spectrogram`, :func:`mel_filterbank`. Returns float32, shape
    (frames, n_mels).
    """
    mel = _mel_spectrogram(samples, sample_rate, window_ms, stride_ms, n_mels, low_hz, high_hz)
    return _floored_log(mel).astype(np.float32)


@lru_cache(maxsize=64)
def dct_matrix(n_mels: int, n_mfcc: int) -> np.ndarray:
    """Cosines of the DCT-II, every row scaled by ``sqrt(2 / n_mels)``.

    Returns
    -------
    np.ndarray, shape (n_mels, n_mfcc), float64, read-only

    Notes
    -----
    An orthonormal DCT would scale coefficient 0 by another ``1 / sqrt(2)``; HTK and TensorFlow
    do not.
    """
    if not 1 <= n_mfcc <= n_mels:
        raise ValueError(
            f"Found n_mfcc={n_mfcc} with {n_mels} mel bands; expected 1 to {n_mels} coefficients; "
            "raise n_mels or lower n_mfcc."
        )
    band = np.arange(n_mels)[:, None] + 0.5
    matrix = np.sqrt(2 / n_mels) * np.cos(np.pi / n_mels * band * np.arange(n_mfcc))
    matrix.flags.writeable = False
    return matrix


def mfcc(
    samples: np.ndarray,
    sample_rate: int,
    window_ms: float = 30,
    stride_ms: float = 10,
    n_mfcc: int = 40,
    *,
    n_mels: int = 40,
    low_hz: float = 20,
    high_hz: float = 4000,
) -> np.ndarray:
    """Mel-frequency cepstral coefficients.

    Parameters
    ----------
    samples : np.ndarray, shape (samples,)
        Sound in [-1, 1].
    sample_rate : int
        Samples per second.
    window_ms, stride_ms : float
        Length of a frame and distance between two frames, in milliseconds.
    n_mfcc : int
        Coefficients to keep, at most ``n_mels``.
    n_mels, low_hz, high_hz
        The filterbank, see :func:`mel_filterbank`.

    Returns
    -------
    np.ndarray, shape (frames, n_mfcc), float32
        ``frames`` is ``1 + (samples - window) // stride``, or 0 for a signal that is shorter than
        one window.

    Notes
    -----
    Equal to TensorFlow's ``Mfcc`` operation on ``AudioSpectrogram`` (see the tests). The idea is
    from Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word
    recognition" (1980). Lesson: 01.
    """
    mel = _mel_spectrogram(samples, sample_rate, window_ms, stride_ms, n_mels, low_hz, high_hz)
    return _mfcc_from_mel(mel, n_mfcc)


def _mfcc_from_mel(mel: np.ndarray, n_mfcc: int) -> np.ndarray:
    """Logarithm and DCT of a mel spectrogram of shape (frames, n_mels): the last step of MFCC."""
    return (_floored_log(mel) @ dct_matrix(mel.shape[-1], n_mfcc)).astype(np.float32)


def _floored_log(mel: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(mel, LOG_FLOOR))


def average(
    samples: np.ndarray,
    sample_rate: int,
    window_ms: float = 30,
    stride_ms: float = 10,
    n_bins: int = 40,
) -> np.ndarray:
    """Power spectrogram averaged over neighbouring bins: the tutorial's "average" front end.

    Parameters
    ----------
    n_bins : int
        Columns aimed at. The pool width is ``bins // n_bins`` (6 for 257 bins), and the result has
        as many columns as pools of that width need to cover all bins, 43 for the defaults.

    Returns
    -------
    np.ndarray, shape (frames, columns), float32

    Notes
    -----
    TensorFlow's mean pooling with ``padding="SAME"``: the padding is split over both ends, and a
    pool at the edge averages only the bins that exist.
    """
    power = power_spectrogram(samples, sample_rate, window_ms, stride_ms)
    if not 1 <= n_bins <= power.shape[1]:
        raise ValueError(
            f"Found n_bins={n_bins} for a spectrogram of {power.shape[1]} bins; expected 1 to "
            f"{power.shape[1]}; lower n_bins or lengthen window_ms."
        )
    width = power.shape[1] // n_bins
    columns = -(-power.shape[1] // width)
    padding = columns * width - power.shape[1]
    starts = np.maximum(np.arange(columns) * width - padding // 2, 0)
    stops = np.append(starts[1:], power.shape[1])
    pools = np.add.reduceat(power, starts, axis=1, dtype=np.float64)
    return (pools / (stops - starts)).astype(np.float32)


@lru_cache(maxsize=64)
def hann(length: int) -> np.ndarray:
    """Periodic Hann window: the symmetric one of length + 1 without its last sample.

    Bit for bit ``scipy.signal.get_window("hann", length)``, whose module takes half a second to
    load. Returns float64, shape (length,), read-only.
    """
    window = (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, length + 1)))[:-1]
    if length == 1:
        window = np.ones(1)
    window.flags.writeable = False
    return window
