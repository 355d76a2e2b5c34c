"""The mel scale, and the filterbank that is even on it."""

from functools import lru_cache

import numpy as np


def _hertz_to_mel(hertz: np.ndarray | float) -> np.ndarray | float:
    """Mel scale in the formula of HTK: ``1127 ln(1 + f / 700)``."""
    return 1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0)


def _mel_to_hertz(mel: np.ndarray | float) -> np.ndarray | float:
    """Inverse of :func:`_hertz_to_mel`."""
    return 700.0 * np.expm1(np.asarray(mel, np.float64) / 1127.0)


def _mel_edges(n_mels: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Where bands start, peak and end, in mel: band ``i`` spans edges ``i`` to ``i + 2``."""
    return np.linspace(_hertz_to_mel(low_hz), _hertz_to_mel(high_hz), n_mels + 2)


def mel_centres(n_mels: int = 40, low_hz: float = 20, high_hz: float = 4000) -> np.ndarray:
    """Centre of each band of :func:`mel_filterbank`, in hertz, shape (n_mels,)."""
    return _mel_to_hertz(_mel_edges(n_mels, low_hz, high_hz)[1:-1])


@lru_cache(maxsize=64)
def mel_filterbank(
    n_bins: int, sample_rate: int, n_mels: int = 40, low_hz: float = 20, high_hz: float = 4000
) -> np.ndarray:
    """Triangular filters that are equally wide on the mel scale.

    Parameters
    ----------
    n_bins : int
        Frequency bins of the spectrogram (257 for a 512-point FFT).
    sample_rate : int
        Samples per second.
    n_mels : int
        Number of filters.
    low_hz, high_hz : float
        Where the first triangle starts and the last one ends, in hertz.

    Returns
    -------
    np.ndarray, shape (n_bins, n_mels), float64, read-only
        ``magnitudes @ filterbank`` gives the mel spectrogram.

    Raises
    ------
    ValueError
        If the range is empty or reaches beyond half the sample rate.

    Notes
    -----
    The constants are those of TensorFlow's ``mfcc_mel_filterbank.cc``: bins below ``low_hz`` (and
    always bin 0) and above ``high_hz`` get no weight, and triangles are straight lines over mel,
    not over hertz.
    """
    nyquist = sample_rate / 2
    if n_bins < 2 or n_mels < 1 or not 0 <= low_hz < high_hz <= nyquist:
        raise ValueError(
            f"Found {n_mels} mel bands from {low_hz} to {high_hz} Hz over {n_bins} bins; expected "
            f"at least one band inside 0 to {nyquist:g} Hz, half the sample rate; lower high_hz."
        )
    edges = _mel_edges(n_mels, low_hz, high_hz)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    bin_hz = nyquist / (n_bins - 1)
    mel = _hertz_to_mel(np.arange(n_bins) * bin_hz)[:, None]
    weights = np.minimum((mel - left) / (centre - left), (right - mel) / (right - centre)).clip(0)
    weights[: int(1.5 + low_hz / bin_hz)] = 0
    weights[int(high_hz / bin_hz) + 1 :] = 0
    weights.flags.writeable = False
    return weights
