"""A recipe for training a network of music genres."""

import math
from dataclasses import dataclass, replace

import keras

from course_utils.training.genre_augmentation import Augmentation

_SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run except the network and the windows.

    Attributes
    ----------
    epochs : int
    batch_size : int
        Of the batches that are given to :func:`course_utils.training.genres.fit`.
    learning_rate : float
        Of Adam. For fine-tuning about a tenth of what the last layer had: see
        :meth:`for_fine_tuning`.
    schedule : {"cosine", "constant"}
        ``cosine`` lets the rate fall to 0 at the end.
    weight_decay : float
        Above 0: AdamW.
    label_smoothing : float
        Share of the target that is spread over all genres.
    patience : int or None
        Stop when the validation loss has not fallen for so many epochs.
    augmentation : Augmentation or None
        For pictures.
    seed : int

    Raises
    ------
    ValueError
        If a number is impossible or the schedule unknown.
    """

    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    patience: int | None = None
    augmentation: Augmentation | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a recipe that cannot be followed."""
        least = {"epochs": 1, "batch_size": 1, "seed": 0, "patience": 1}
        for name, low in least.items():
            value = getattr(self, name)
            if (value is not None or name != "patience") and (
                not isinstance(value, int) or value < low
            ):
                raise ValueError(
                    f"{name} is {value!r}; expected a whole number from {low} on; correct it."
                )
        if self.schedule not in _SCHEDULES:
            raise ValueError(
                f"There is no schedule {self.schedule!r}; choose one of {', '.join(_SCHEDULES)}."
            )
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(
                f"learning_rate is {self.learning_rate}; expected a number above 0; correct it."
            )
        if not 0 <= self.label_smoothing < 1 or not 0 <= self.weight_decay < math.inf:
            raise ValueError(
                f"label_smoothing is {self.label_smoothing} and weight_decay {self.weight_decay};"
                " expected a share from 0 to below 1, and 0 or more; correct them."
            )

    def for_fine_tuning(self, epochs: int, share: float = 0.1) -> "Recipe":
        """The same with another number of epochs, and a share of the learning rate."""
        return replace(self, epochs=epochs, learning_rate=self.learning_rate * share)

    def make_optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        """The optimizer for a run of so many steps, with the schedule inside."""
        rate = self.learning_rate
        if self.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(rate, steps)
        if self.weight_decay:
            return keras.optimizers.AdamW(rate, weight_decay=self.weight_decay)
        return keras.optimizers.Adam(rate)
