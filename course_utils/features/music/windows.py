"""Windows of a clip, spread evenly, and the front end that is nothing but them."""

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from course_utils import audio


def check_whole(name: str, value: object, least: int) -> None:
    """Refuse a setting that is no whole number from ``least`` up (ValueError)."""
    if not isinstance(value, int) or value < least:
        raise ValueError(
            f"{name} is {value!r}; expected a whole number from {least} up; change it."
        )


def check_length(samples: int, needed: int, sample_rate: int, what: str) -> None:
    """Refuse a sound of fewer samples than needed (audio.AudioError)."""
    if samples < needed:
        raise audio.AudioError(
            f"The sound lasts {samples / sample_rate:.6g} s; expected at least"
            f" {needed / sample_rate:.6g} s, {what}; leave it out, or take a longer part of it."
        )


def spread(samples: np.ndarray, length: int, windows: int) -> np.ndarray:
    """Windows that lie evenly over a whole sound.

    Parameters
    ----------
    samples : np.ndarray, shape (samples,)
        At least ``length``.
    length : int
        Of a window, in samples.
    windows : int

    Returns
    -------
    np.ndarray, shape (windows, length)
        The sound is cut into as many equal parts, and each window lies in the middle of its part;
        where the parts are shorter than a window, windows overlap from the sound's first sample to
        its last. In a sound of exactly one window all are the same.
    """
    # Never simply the beginning: many a track fades in.
    margin = max(0.0, len(samples) / windows - length) / 2
    starts = np.linspace(margin, len(samples) - length - margin, windows)
    return np.stack([samples[start : start + length] for start in np.rint(starts).astype(int)])


class Settings:
    """What the front ends, which are dataclasses, have in common: their settings."""

    KIND: ClassVar[str]

    @property
    def settings(self) -> dict:
        """All attributes by name and the kind, as JSON can hold them."""
        return {"kind": self.KIND, **asdict(self)}


@dataclass(frozen=True)
class RawWindows(Settings):
    """Samples as they are.

    The source system takes the first 10,000 samples of a file at its own rate, 0.227 s of a track
    that is just fading in; here they come from all over the clip, at one rate.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    samples : int
        Length of a window.
    windows : int
        How many are taken of a clip, see :func:`spread`.

    Raises
    ------
    ValueError
        If a setting is no whole number from 1 up.
    """

    KIND: ClassVar[str] = "raw windows"

    sample_rate: int = 22050
    samples: int = 10000
    windows: int = 3

    def __post_init__(self) -> None:
        """Refuse what cannot be computed."""
        for name in ("sample_rate", "samples", "windows"):
            check_whole(name, getattr(self, name), 1)

    @property
    def seconds(self) -> float:
        """Length of one window."""
        return self.samples / self.sample_rate

    @property
    def shape(self) -> tuple[int, int]:
        """What one window becomes: (samples, channels)."""
        return self.samples, 1

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Windows of a clip.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1] of ``sample_rate``.

        Returns
        -------
        np.ndarray of float32, shape (windows, samples, 1)

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``) or shorter than one window.
        """
        samples, _ = audio.check(samples, self.sample_rate)
        check_length(len(samples), self.samples, self.sample_rate, "one window")
        return spread(samples, self.samples, self.windows)[..., None]
