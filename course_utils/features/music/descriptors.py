"""What can be said of each frame of music beside its MFCC, and of its beat.

Definitions are those of librosa, and the tests compare the two; NumPy alone, because librosa's
compiler takes up to half a minute when its functions are first called on a machine. Spectra are
magnitudes of shape (frames, bins), bins evenly from 0 Hz to half the rate.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy import fft

_TINY = 1e-10  # power below it counts as it, as in librosa
_ROLL_OFF = 0.85
_SEMITONES = 12
_CONTRAST_HZ = 200  # the lowest band ends here, and each of the next an octave higher
_CONTRAST_BANDS = 7
_CONTRAST_SHARE = 0.02  # of a band's bins, taken for its peaks and for its valleys
_SLOWEST, _FASTEST, _USUAL = 40, 240, 120  # beats per minute

LEAST_RATE = 16000
"""Below it the highest band of the spectral contrast, from 6400 Hz, would be nearly empty."""


def centroid(magnitudes: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mean frequency, weighted by magnitude, in Hz, shape (frames,); 0 in silence."""
    hertz = np.linspace(0, sample_rate / 2, magnitudes.shape[1])
    total = magnitudes.sum(axis=1)
    return magnitudes @ hertz / np.where(total > 0, total, 1)


def roll_off(magnitudes: np.ndarray, sample_rate: int) -> np.ndarray:
    """Frequency below which 85 % of the magnitude lie, in Hz, shape (frames,)."""
    below = np.cumsum(magnitudes, axis=1)
    bins = np.argmax(below >= _ROLL_OFF * below[:, -1:], axis=1)
    return bins * (sample_rate / 2 / (magnitudes.shape[1] - 1))


def flatness(magnitudes: np.ndarray) -> np.ndarray:
    """Geometric over arithmetic mean of the power, shape (frames,): 1 is noise, 0 a tone."""
    power = np.maximum(magnitudes**2, _TINY)
    return np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)


def zero_crossings(frames: np.ndarray) -> np.ndarray:
    """Share of the samples of each frame (frames, samples) that change sign, shape (frames,)."""
    negative = frames < 0
    return (negative[:, 1:] != negative[:, :-1]).sum(axis=1) / frames.shape[1]


@lru_cache(maxsize=8)
def chroma_bank(bins: int, sample_rate: int) -> np.ndarray:
    """Weight of each bin in each pitch class, from C to B, shape (bins, 12), read-only.

    Each bin counts for the semitones near it, equally tempered with A at 440 Hz; bins far from the
    octave of 880 Hz count less, by a bell two octaves wide. As Ellis, "Chroma feature analysis and
    synthesis" (2007), and ``librosa.filters.chroma``.
    """
    hertz = np.arange(1, bins + 1) * sample_rate / (2 * (bins - 1))
    pitch = _SEMITONES * np.log2(hertz / (440 / 16))
    pitch = np.concatenate([[pitch[0] - 1.5 * _SEMITONES], pitch])  # 0 Hz has none
    width = np.maximum(np.diff(pitch), 1)[:, None]
    pitch = pitch[:-1, None]
    half = _SEMITONES / 2
    distance = np.remainder(pitch - np.arange(_SEMITONES) + half, _SEMITONES) - half
    weights = np.exp(-0.5 * (2 * distance / width) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights *= np.exp(-0.5 * ((pitch / _SEMITONES - 5) / 2) ** 2)
    weights = np.roll(weights, -3, axis=1)  # from A first to C first
    weights.flags.writeable = False
    return weights


def chroma(power: np.ndarray, sample_rate: int) -> np.ndarray:
    """Power (frames, bins) by pitch class, the strongest being 1, shape (frames, 12)."""
    found = power @ chroma_bank(power.shape[1], sample_rate).astype(power.dtype)
    strongest = found.max(axis=1, keepdims=True)
    return found / np.where(strongest > 0, strongest, 1)


def contrast_edges(sample_rate: int) -> list[float]:
    """Where the bands of the spectral contrast begin and the last one ends, in Hz."""
    octaves = [_CONTRAST_HZ * 2.0**k for k in range(_CONTRAST_BANDS - 1)]
    return [0.0, *octaves, sample_rate / 2]


def contrast(magnitudes: np.ndarray, sample_rate: int) -> np.ndarray:
    """Peaks over valleys of the spectrum in octave bands, in dB, shape (frames, 7).

    Means of the strongest and the weakest 2 % of a band's bins, at least one. As Jiang et al.,
    "Music type classification by spectral contrast feature" (2002).
    """
    edges = np.array(contrast_edges(sample_rate)) / (sample_rate / 2) * (magnitudes.shape[1] - 1)
    edges = np.ceil(edges).astype(int)
    edges[-1] += 1  # half the rate belongs to the last band
    found = []
    for first, stop in pairwise(edges):
        band = np.sort(magnitudes[:, first:stop], axis=1)
        count = max(1, round(_CONTRAST_SHARE * band.shape[1]))
        ends = band[:, -count:].mean(axis=1), band[:, :count].mean(axis=1)
        peak, valley = (10 * np.log10(np.maximum(each**2, _TINY)) for each in ends)
        found.append(peak - valley)
    return np.stack(found, axis=1)


def onset_strength(log_mel: np.ndarray) -> np.ndarray:
    """How much louder each frame's bands (frames, bands) are than before, shape (frames,).

    Mean over the bands of what increases, in the unit of ``log_mel``; the first frame has 0.
    """
    rise = np.maximum(np.diff(log_mel, axis=0, prepend=log_mel[:1]), 0)
    return rise.mean(axis=1)


def tempo(onsets: np.ndarray, frames_per_second: float) -> tuple[float, float]:
    """The beat that the onset strength (frames,) repeats itself with.

    Returns
    -------
    (float, float)
        Beats per minute, from 40 to 240, and how regular they are: the autocorrelation, 1 for a
        sound that repeats itself wholly. Both are 0 where nothing changes. Of several multiples of
        a beat the one near 120 a minute is preferred, by a bell an octave wide, as in Ellis, "Beat
        tracking by dynamic programming" (2007).
    """
    centred = onsets - onsets.mean()
    energy = centred @ centred
    if energy <= _TINY * len(onsets):
        return 0.0, 0.0
    spectrum = fft.rfft(centred, fft.next_fast_len(2 * len(onsets), real=True))
    lags = np.arange(
        int(np.ceil(60 * frames_per_second / _FASTEST)),
        min(int(60 * frames_per_second / _SLOWEST), len(onsets) - 1) + 1,
    )
    # A sum over fewer frames is smaller: divided by how many there are, long lags count as much.
    similar = fft.irfft(np.abs(spectrum) ** 2)[lags] / (1 - lags / len(onsets)) / energy
    beats = 60 * frames_per_second / lags
    best = np.argmax(similar * np.exp(-0.5 * np.log2(beats / _USUAL) ** 2))
    return float(beats[best]), float(np.clip(similar[best], 0, 1))
