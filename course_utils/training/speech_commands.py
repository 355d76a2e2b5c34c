"""Recipes for the recogniser of spoken commands, and the run that follows one.

A recipe says everything about a run except the clips: features, network, changes to the clips,
optimizer, learning rates, seed. On one machine the same clips and the same recipe give the same
recogniser, bit by bit, interrupted or not; only a GPU adds up in an order of its own.
"""

import math
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import keras
import numpy as np

from course_utils.datasets.speech_commands import batches
from course_utils.datasets.speech_commands.batches import Augmentation
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.features.front_end import FrontEnd
from course_utils.models import speech_commands as models
from course_utils.training.keras_loop import Loop, Plan
from course_utils.training.validation import Picture, Validation

_TENSORBOARD = "tensorboard"
_OPTIMIZERS = ("gradient_descent", "momentum", "adamw")

_AS_IN_THE_EXAMPLE = Augmentation()


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run except the clips.

    The defaults are those of TensorFlow's ``speech_commands`` example.

    Attributes
    ----------
    architecture : str
        One of ``models.speech_commands.ARCHITECTURES``.
    front_end : dict
        Options of :class:`FrontEnd`, without the sample rate and length, which the clips decide.
    steps, learning_rates : tuple
        One entry for each stage: so many batches at this rate.
    batch_size : int
    optimizer : {"gradient_descent", "momentum", "adamw"}
        ``momentum`` is Nesterov's with 0.9; ``adamw`` also shrinks weights by ``weight_decay``.
    weight_decay : float
    label_smoothing : float
        Share of the target that is spread over all labels.
    augmentation : Augmentation
    evaluate_every, save_every : int
        Steps between two evaluations and two checkpoints.
    seed : int

    Raises
    ------
    ValueError
        If stages and rates differ in number, an architecture or optimizer is unknown, or a number
        is impossible. Options of the front end are checked when the run begins.
    """

    architecture: str = "conv"
    front_end: dict = field(default_factory=dict)
    steps: tuple[int, ...] = (15000, 3000)
    learning_rates: tuple[float, ...] = (0.001, 0.0001)
    batch_size: int = 100
    optimizer: str = "gradient_descent"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augmentation: Augmentation = _AS_IN_THE_EXAMPLE
    evaluate_every: int = 400
    save_every: int = 100
    seed: int = 59185

    def __post_init__(self) -> None:
        """Refuse a recipe that cannot be followed."""
        self._check_stages()
        for name, known in (("architecture", models.ARCHITECTURES), ("optimizer", _OPTIMIZERS)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"There is no {name} {getattr(self, name)!r}; choose one of {', '.join(known)}."
                )
        least = {"batch_size": 1, "evaluate_every": 1, "save_every": 1, "seed": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if not isinstance(value, int) or value < low:
                raise ValueError(
                    f"{name} is {value!r}; expected a whole number from {low} on; correct it."
                )
        if not 0 <= self.label_smoothing < 1 or not 0 <= self.weight_decay < math.inf:
            raise ValueError(
                f"label_smoothing is {self.label_smoothing} and weight_decay {self.weight_decay};"
                " expected a share from 0 to below 1, and 0 or more; correct them."
            )

    def _check_stages(self) -> None:
        stages = (self.steps, self.learning_rates)
        if not all(isinstance(stage, tuple | list) and stage for stage in stages):
            raise ValueError(
                f"steps is {self.steps!r} and learning_rates {self.learning_rates!r}; expected a"
                " tuple with one entry for each stage; write steps=(900,) for a single stage."
            )
        if len(self.steps) != len(self.learning_rates):
            raise ValueError(
                f"steps has {len(self.steps)} entries and learning_rates {len(self.learning_rates)}"
                "; expected one rate for each stage; make the two equally long."
            )
        if not all(isinstance(count, int) and count > 0 for count in self.steps):
            raise ValueError(
                f"steps is {self.steps}; expected whole numbers above 0; leave out a stage that"
                " has none."
            )
        if not all(0 < rate < math.inf for rate in self.learning_rates):
            raise ValueError(
                f"learning_rates is {self.learning_rates}; expected numbers above 0; correct it."
            )

    @property
    def total_steps(self) -> int:
        """Steps of all stages."""
        return sum(self.steps)

    def make_optimizer(self) -> keras.optimizers.Optimizer:
        """The optimizer, with the staged learning rate inside."""
        # A stage of n steps is over after step n - 1, because Keras counts from zero.
        ends = [int(end) - 1 for end in np.cumsum(self.steps[:-1])]
        rate = self.learning_rates[0]
        if ends:
            rate = keras.optimizers.schedules.PiecewiseConstantDecay(ends, self.learning_rates)
        if self.optimizer == "adamw":
            return keras.optimizers.AdamW(rate, weight_decay=self.weight_decay)
        momentum = 0.9 if self.optimizer == "momentum" else 0.0
        return keras.optimizers.SGD(rate, momentum=momentum, nesterov=momentum > 0)


@dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes
    ----------
    recogniser : models.speech_commands.Recogniser
    history : list of dict
        See :class:`course_utils.training.keras_loop.Loop`.
    """

    recogniser: models.Recogniser
    history: list[dict]


def train(
    folder: Path,
    recipe: Recipe,
    training: ExampleSet,
    validation: ExampleSet,
    *,
    picture: Picture | None = None,
    report: Callable[[dict], None] = lambda entry: print(as_line(entry)),
) -> Run:
    """Train a recogniser, or go on with a run that was interrupted.

    Parameters
    ----------
    folder : Path
        Gets ``checkpoint.npz``, ``tensorboard/`` and, at the end, ``model.keras`` and
        ``labels.txt``. A run that is finished there is not repeated.
    recipe : Recipe
    training, validation : ExampleSet
    picture : callable, optional
        Draws the validation result for TensorBoard.
    report : callable
        Is given each new entry of the history; by default it is printed.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the folder holds a checkpoint of another recipe, other labels or other clips.
    keras_loop.Diverged
        If a loss, gradient or weight is not finite.
    KeyboardInterrupt
        If there was one. The state is saved first, so that the same call goes on from there.
    """
    folder = Path(folder)
    recogniser = _fresh(recipe, training)
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing
    )
    identity = {"recipe": _comparable(recipe), "labels": training.labels,
                "training clips": _fingerprint(training)}  # fmt: skip
    loop = Loop(folder, recogniser.network, recipe.make_optimizer(), loss, identity)
    drawn = batches.training(
        training, recogniser.front_end, steps=recipe.total_steps, first_step=loop.step,
        batch_size=recipe.batch_size, augmentation=recipe.augmentation, seed=recipe.seed,
    )  # fmt: skip
    plan = Plan(recipe.total_steps, recipe.batch_size, recipe.save_every, recipe.evaluate_every)
    judge = Validation(folder / _TENSORBOARD, recogniser, validation, picture)
    loop.run(drawn, plan, judge.evaluate, lambda entry: (judge.log(entry), report(entry)))
    recogniser.save(folder)
    return Run(recogniser, loop.history)


def as_line(entry: dict) -> str:
    """One entry of a history, for people."""
    speed = entry["step"] / entry["seconds"] if entry["seconds"] else float("nan")
    return (
        f"step {entry['step']:5}, rate {entry['rate']:g}: loss {entry['loss']:.3f}, training"
        f" {entry['accuracy']:6.1%}, validation {entry['validation_accuracy']:6.1%}"
        f" (N={entry['validation_n']}), {speed:.1f} steps/s"
    )


def _fresh(recipe: Recipe, training: ExampleSet) -> models.Recogniser:
    """A recogniser as it is before the first step."""
    clips = training.clips
    front_end = FrontEnd(
        sample_rate=clips.sample_rate,
        clip_duration_ms=1000 * clips.steps.shape[1] / clips.sample_rate,
        **recipe.front_end,
    )
    # Keras takes the seed of each initializer and dropout from Python's own random generator.
    keras.utils.set_random_seed(recipe.seed)
    network = models.build(recipe.architecture, front_end.output_size, len(training.labels))
    return models.Recogniser(front_end, network, training.labels)


def _fingerprint(examples: ExampleSet) -> str:
    """Tells one set of clips from another."""
    clips = examples.clips
    checksum = 0
    for array in (examples.classes, clips.steps, *examples.noise):
        checksum = zlib.crc32(np.ascontiguousarray(array), checksum)
    return f"{examples.n} at {clips.sample_rate} Hz (checksum {checksum:08x})"


def _comparable(recipe: Recipe) -> dict:
    """The recipe without what may change between two sittings of a run."""
    return {k: v for k, v in asdict(recipe).items() if k not in ("evaluate_every", "save_every")}


AUGMENTATIONS = {
    "tutorial": _AS_IN_THE_EXAMPLE,
    "light": Augmentation(
        speed_percentage=10, time_masks=1, time_mask_frames=10, band_masks=1, band_mask_bins=5
    ),
    "strong": Augmentation(
        speed_percentage=10, time_masks=2, time_mask_frames=10, band_masks=2, band_mask_bins=5,
        mixup_share=0.5,
    ),
}  # fmt: skip
"""Changes to the clips by name: the more steps a run has, the stronger ones it can bear."""

_OURS = Recipe(
    front_end={"kind": "log_mel", "high_hz": 7600, "floor": 1e-3},
    steps=(700, 150), learning_rates=(0.004, 0.0004), optimizer="adamw", weight_decay=1e-3,
    label_smoothing=0.1, augmentation=AUGMENTATIONS["light"],
)  # fmt: skip

RECIPES: dict[str, Recipe] = {
    "single_fc": Recipe("single_fc"),
    "conv": Recipe("conv"),
    "low_latency_conv": Recipe(
        "low_latency_conv", steps=(20000, 6000), learning_rates=(0.01, 0.001)
    ),
    "low_latency_svdf": Recipe(
        "low_latency_svdf", steps=(100000, 35000), learning_rates=(0.01, 0.005)
    ),
    "tiny_conv": Recipe("tiny_conv"),
    "tiny_embedding_conv": Recipe("tiny_embedding_conv"),
    "ds_cnn": replace(_OURS, architecture="ds_cnn"),
    "tc_resnet": replace(_OURS, architecture="tc_resnet"),
    "res_cnn": replace(_OURS, architecture="res_cnn"),
}
"""A recipe for each architecture: the published one of the tutorial's six, ours for the rest."""
