"""Where in a clip something is heard."""

import numpy as np

from course_utils.features import milliseconds_to_samples

_BELOW_DB = 25
_MOMENT_MS = 30
_QUIETEST = 0.1


def active_span(samples: np.ndarray, sample_rate: int) -> tuple[int, int]:
    """The part of a clip with the word in it, as far as loudness tells.

    Parameters
    ----------
    samples : np.ndarray of float, shape (samples,)
    sample_rate : int
        In Hz.

    Returns
    -------
    (int, int)
        First sample, and the one after the last, of the moments of 30 ms that are no more than
        25 dB below the loudest one, and in a noisy clip nearer, in decibels, to the loudest moment
        than to its noise: the level that a tenth of its moments stay below. Digital silence, and a
        sound shorter than a moment, are active as a whole.
    """
    moment = milliseconds_to_samples(_MOMENT_MS, sample_rate)
    if len(samples) <= moment:
        return 0, len(samples)
    total = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    energy = total[moment:] - total[:-moment]
    most, noise = energy.max(), max(np.quantile(energy, _QUIETEST), 0)
    # Halfway in decibels is the geometric mean.
    loud = np.flatnonzero(energy >= max(most * 10 ** (-_BELOW_DB / 10), np.sqrt(most * noise)))
    return int(loud[0]), int(loud[-1]) + moment
