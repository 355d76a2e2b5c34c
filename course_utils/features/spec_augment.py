"""SpecAugment: hide stripes of a spectrogram, so that a recogniser does not rely on any of them.

Source: Daniel S. Park et al., *SpecAugment: A Simple Data Augmentation Method for Automatic Speech
Recognition*, Interspeech 2019, arXiv:1904.08779. Its time warping, which helped least there, is
left out. Lesson: 06.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Spans(NamedTuple):
    """What is masked: ``[first, stop)`` of each mask in frames and in bins; a mask may be empty."""

    time: list[tuple[int, int]]
    frequency: list[tuple[int, int]]


@dataclass(frozen=True)
class SpecAugment:
    """Masks in time and in frequency, drawn anew for each utterance.

    Attributes
    ----------
    time_masks, frequency_masks : int
        How many of each; they may overlap.
    time_width, frequency_width : int
        Widest mask, in frames and in bins; every width from 0 to it is as likely.
    time_share : float
        All time masks together never cover more than this share of an utterance's frames: one
        covers at most ``time_share / time_masks``, the paper's p.

    Raises
    ------
    ValueError
        If a number or a width is negative, or the share is not between 0 and 1.
    """

    time_masks: int = 2
    time_width: int = 20
    frequency_masks: int = 2
    frequency_width: int = 10
    time_share: float = 0.3

    def __post_init__(self) -> None:
        for name in ("time_masks", "time_width", "frequency_masks", "frequency_width"):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; expected a whole number from 0 up; 0"
                    " switches such masks off."
                )
        if not 0 <= self.time_share <= 1:
            raise ValueError(
                f"time_share is {self.time_share}; expected a share from 0 to 1; 0.3 is usual."
            )

    def spans(self, frames: int, bins: int, rng: np.random.Generator) -> Spans:
        """Draw what is masked in a spectrogram of some frames and bins.

        Parameters
        ----------
        frames, bins : int
        rng : np.random.Generator

        Returns
        -------
        Spans
        """
        longest = int(frames * self.time_share / max(self.time_masks, 1))
        return Spans(
            _drawn(self.time_masks, min(self.time_width, longest), frames, rng),
            _drawn(self.frequency_masks, min(self.frequency_width, bins), bins, rng),
        )

    def __call__(self, frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Mask a copy.

        Parameters
        ----------
        frames : np.ndarray of float, shape (frames, bins)
            Each bin with mean 0, so that a mask, which is 0, holds the mean.
        rng : np.random.Generator

        Returns
        -------
        np.ndarray of float32, shape (frames, bins)

        Raises
        ------
        ValueError
            If ``frames`` has not two dimensions.
        """
        masked = np.array(frames, np.float32)
        if masked.ndim != 2:
            raise ValueError(
                f"Found an array of shape {masked.shape}; expected (frames, bins) of one"
                " utterance; mask the utterances of a batch one by one."
            )
        spans = self.spans(*masked.shape, rng)
        for first, stop in spans.time:
            masked[first:stop] = 0
        for first, stop in spans.frequency:
            masked[:, first:stop] = 0
        return masked


def _drawn(count: int, widest: int, length: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Some spans of random width and place within a length."""
    widths = rng.integers(0, widest + 1, count)
    firsts = rng.integers(0, length - widths + 1)
    return [(int(first), int(first + width)) for first, width in zip(firsts, widths, strict=True)]
