"""A short sound that says: heard."""

import numpy as np

from course_utils.audio.errors import checked_rate, wrong

_TONES_HZ = (880.0, 1174.66)  # A5 and the D above it
_TONE_S, _RISE_S, _DECAY_S = 0.15, 0.005, 0.05
_PEAK = 0.5


def chime(sample_rate: int) -> np.ndarray:
    """Two tones, the second higher, each rising in 5 ms and dying away: no click, 0.3 s in all.

    Parameters
    ----------
    sample_rate : int
        In Hz, at least 4000.

    Returns
    -------
    np.ndarray of float32, shape (samples,)
        Its peak is at most 0.5.

    Raises
    ------
    AudioError
        If the rate is absurd, or too low for the tones.
    """
    rate = checked_rate(sample_rate, "The chime")
    if rate < 4000:
        found = f"has a rate of {rate} Hz, too low for its tone of {_TONES_HZ[1]:.0f} Hz"
        raise wrong("The chime", found, "at least 4000 Hz: play it at another rate")
    time_s = np.arange(round(_TONE_S * rate)) / rate
    left_s = _TONE_S - time_s
    loudness = np.exp(-time_s / _DECAY_S) * np.minimum(np.minimum(time_s, left_s) / _RISE_S, 1)
    tones = [np.sin(2 * np.pi * tone * time_s) * loudness for tone in _TONES_HZ]
    return (_PEAK * np.concatenate(tones)).astype(np.float32)
