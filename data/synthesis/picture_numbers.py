"""What can be computed from a picture of music: its colour, its rhythm, and how both change.

A network that is asked for such numbers besides questions with yes and no has something to learn
from every picture. Asking a network for known features is from Pascual et al., *Learning
Problem-agnostic Speech Representations from Multiple Self-supervised Tasks*, Interspeech 2019,
arXiv:1904.03416.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

_CEPSTRA, _REGIONS, _RATES = 20, 6, 12
_SLOWEST, _FASTEST = 3, 48  # bins of a transform of 192 frames: about 0.5 to 8 strokes a second


def numbers(pictures: np.ndarray) -> np.ndarray:
    """Describe pictures.

    Parameters
    ----------
    pictures
        float, shape ``(n, bands, frames, planes)``, as `course_utils.features.music.MelImages`
        gives them.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(n, 204)``: of 20 cepstral coefficients, for the sharpest and the longest
        frames, the mean, the deviation and the mean change from frame to frame; and of onsets in
        six regions of frequency how strong they are in twelve ranges of repetitions a second, their
        mean and their deviation.
    """
    found = []
    for plane in (0, -1):
        cepstra = fft.dct(pictures[..., plane], axis=1, norm="ortho")[:, :_CEPSTRA]
        changes = np.abs(np.diff(cepstra, axis=2))
        found += [cepstra.mean(axis=2), cepstra.std(axis=2), changes.mean(axis=2)]
    rises = np.maximum(np.diff(pictures[..., 0], axis=2), 0)
    regions = np.array_split(rises, _REGIONS, axis=1)
    onsets = np.stack([region.mean(axis=1) for region in regions], axis=1)
    centred = onsets - onsets.mean(axis=2, keepdims=True)
    spectra = np.abs(np.fft.rfft(centred, n=2 * pictures.shape[2], axis=2))
    ranges = np.array_split(spectra[:, :, _SLOWEST:_FASTEST], _RATES, axis=2)
    rhythm = np.log(np.stack([some.mean(axis=2) for some in ranges], axis=2) + 1e-3)
    found += [rhythm.reshape(len(pictures), -1), onsets.mean(axis=2), onsets.std(axis=2)]
    return np.concatenate(found, axis=1).astype(np.float32)
