"""One training clip as it is heard: moved in time, played faster or slower, with noise.

Plain NumPy, one clip at a time: cutting a row out of an array costs next to nothing there, and
looking up every sample of a batch by its number, as tensors would need, costs five times more.

Source: ``get_data`` in TensorFlow's ``speech_commands`` example. A change of speed and
SpecAugment's masks are not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """What is changed about a training clip each time it is drawn.

    Attributes
    ----------
    time_shift_ms : float
        A clip starts up to this much earlier or later.
    background_volume : float
        Upper end of the factor that background noise is mixed in with.
    background_frequency : float
        Share of the clips that get noise, 0 to 1.
    speed_percentage : float
        A clip is played up to this much faster or slower; pitch follows.
    time_masks, time_mask_frames, band_masks, band_mask_bins : int
        SpecAugment (Park et al., 2019, arXiv:1904.08779): so many stretches of up to so many
        frames, and of up to so many bins, are replaced by the clip's mean.
    mixup_share : float
        mixup (Zhang et al., 2018, arXiv:1710.09412): share of the clips, 0 to 1, that are blended
        with another clip of the batch, features and label alike.

    Raises
    ------
    ValueError
        If a value is negative, infinite or no number, a share is above 1, or
        ``speed_percentage`` is 100 or more.
    """

    time_shift_ms: float = 100
    background_volume: float = 0.1
    background_frequency: float = 0.8
    speed_percentage: float = 0
    time_masks: int = 0
    time_mask_frames: int = 0
    band_masks: int = 0
    band_mask_bins: int = 0
    mixup_share: float = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        for name in ("background_frequency", "mixup_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; expected a share of the clips from 0 to 1;"
                    " 0 switches it off."
                )
        unfit = [name for name, value in vars(self).items() if not 0 <= value < np.inf]
        if unfit or self.speed_percentage >= 100:
            name = (unfit or ["speed_percentage"])[0]
            raise ValueError(
                f"{name} is {getattr(self, name)}; expected 0 or more (speed_percentage below "
                "100); 0 switches it off."
            )


NONE = Augmentation(time_shift_ms=0, background_volume=0, background_frequency=0)
"""Clips as they are."""


def heard_clip(
    clip: np.ndarray,
    is_silence: bool,
    noise: Sequence[np.ndarray],
    sample_rate: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> np.ndarray:
    """One clip, changed at random.

    Parameters
    ----------
    clip : np.ndarray of int16, shape (samples,)
        Zeros for silence.
    is_silence : bool
        Silence is noise of any volume, up to that of the recording itself.
    noise : sequence of np.ndarray of int16
        Recordings longer than the clip; with none of them nothing is mixed in.
    sample_rate : int
        In Hz.
    augmentation : Augmentation
    rng : np.random.Generator

    Returns
    -------
    np.ndarray of float32, shape (samples,)
        In [-1, 1].
    """
    samples = clip if is_silence else _moved(clip, sample_rate, augmentation, rng)
    volume = 0.0
    if is_silence:
        volume = rng.uniform(0, 1)
    elif rng.random() < augmentation.background_frequency:
        volume = rng.uniform(0, augmentation.background_volume)
    samples = samples / np.float32(32768)
    if volume and noise:
        recording = noise[rng.integers(len(noise))]
        start = rng.integers(len(recording) - len(clip))
        samples += recording[start : start + len(clip)] * np.float32(volume / 32768)
    return np.clip(samples, -1, 1, out=samples)


def _moved(
    clip: np.ndarray, sample_rate: int, augmentation: Augmentation, rng: np.random.Generator
) -> np.ndarray:
    """The clip shifted, and played at its own speed around its middle; zeros enter."""
    most = int(augmentation.time_shift_ms * sample_rate / 1000)
    shift = int(rng.integers(-most, most)) if most else 0
    if not augmentation.speed_percentage:
        return _shifted(clip, shift)
    change = augmentation.speed_percentage / 100
    speed = rng.uniform(1 - change, 1 + change)
    place, middle = np.arange(len(clip)), len(clip) / 2
    wanted = (place - shift - middle) * speed + middle
    return np.interp(wanted, place, clip, left=0, right=0).astype(np.float32)


def _shifted(clip: np.ndarray, shift: int) -> np.ndarray:
    """The clip so many samples later, or earlier for a negative shift."""
    moved = np.zeros_like(clip)
    if shift >= 0:
        moved[shift:] = clip[: max(len(clip) - shift, 0)]
    else:
        moved[:shift] = clip[-shift:]
    return moved
