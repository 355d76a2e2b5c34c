"""Recipes for the recogniser of spoken commands, and the run that follows one.

A recipe says everything about a run except the clips: features, network, changes to the clips,
optimizer, learning rates, seed. The same clips and the same recipe give the same recogniser.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_utils.datasets.speech_commands import batches
from course_utils.datasets.speech_commands.batches import Augmentation
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.features.front_end import FrontEnd
from course_utils.models import speech_commands as models
from course_utils.training.keras_loop import Loop, Plan

TENSORBOARD = "tensorboard"
OPTIMIZERS = ("gradient_descent", "momentum", "adamw")

_AS_IN_THE_EXAMPLE = Augmentation()

Picture = Callable[[tuple[str, ...], np.ndarray, np.ndarray], bytes]
"""Draws (labels, true classes, scores) as PNG."""


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
        is impossible.
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
        if len(self.steps) != len(self.learning_rates) or not self.steps:
            raise ValueError(
                f"steps has {len(self.steps)} entries and learning_rates {len(self.learning_rates)}"
                "; expected one rate for each stage; make the two equally long."
            )
        for name, known in (("architecture", models.ARCHITECTURES), ("optimizer", OPTIMIZERS)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"There is no {name} {getattr(self, name)!r}; choose one of {', '.join(known)}."
                )
        whole = {"batch_size": self.batch_size, "evaluate_every": self.evaluate_every,
                 "save_every": self.save_every, "steps": min(self.steps)}  # fmt: skip
        for name, value in whole.items():
            if value < 1:
                raise ValueError(f"{name} is {value}; expected at least 1; raise it.")
        if not 0 <= self.label_smoothing < 1 or not min(self.learning_rates) > 0:
            raise ValueError(
                f"label_smoothing is {self.label_smoothing} and learning_rates are"
                f" {self.learning_rates}; expected a share from 0 to below 1, and rates above 0;"
                " correct them."
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
        If the folder holds a checkpoint of another recipe or other labels.
    keras_loop.Diverged
        If the loss is not a number.
    """
    folder = Path(folder)
    recogniser = _fresh(recipe, training)
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing
    )
    identity = {"architecture": recipe.architecture, "labels": training.labels,
                "recipe": _comparable(recipe)}  # fmt: skip
    loop = Loop(folder, recogniser.network, recipe.make_optimizer(), loss, identity)
    drawn = batches.training(
        training, recogniser.front_end, steps=recipe.total_steps, first_step=loop.step,
        batch_size=recipe.batch_size, augmentation=recipe.augmentation, seed=recipe.seed,
    )  # fmt: skip
    plan = Plan(recipe.total_steps, recipe.batch_size, recipe.save_every, recipe.evaluate_every)
    watch = _Watch(folder / TENSORBOARD, recogniser, validation, picture)
    loop.run(drawn, plan, watch.evaluate, lambda entry: (watch.log(entry), report(entry)))
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
    # Keras numbers its random generators; cleared, a run does not depend on what was built before.
    keras.utils.set_random_seed(recipe.seed)
    network = models.build(recipe.architecture, front_end.output_size, len(training.labels))
    return models.Recogniser(front_end, network, training.labels)


def _comparable(recipe: Recipe) -> dict:
    """The recipe without what may change between two sittings of a run."""
    return {k: v for k, v in asdict(recipe).items() if k not in ("evaluate_every", "save_every")}


class _Watch:
    """Looks at the validation clips, and writes TensorBoard's log."""

    def __init__(
        self,
        folder: Path,
        recogniser: models.Recogniser,
        validation: ExampleSet,
        picture: Picture | None,
    ) -> None:
        self._labels, self._picture, self._network = recogniser.labels, picture, recogniser.network
        # Features are computed once; they are the same at every evaluation.
        self._batches = batches.evaluation(validation, recogniser.front_end).cache()
        self._classes = validation.classes
        self._logits = np.zeros((0, len(self._labels)))
        self._writer = tf.summary.create_file_writer(str(folder))

    def evaluate(self) -> dict:
        """Loss and accuracy on the validation clips."""
        forward = [self._network(table, training=False) for table, _ in self._batches]
        self._logits = np.concatenate(forward)
        loss = keras.losses.sparse_categorical_crossentropy(
            self._classes, self._logits, from_logits=True
        )
        return {
            "validation_loss": float(np.mean(loss)),
            "validation_accuracy": float(np.mean(self._logits.argmax(1) == self._classes)),
            "validation_n": len(self._classes),
        }

    def log(self, entry: dict) -> None:
        """Write an entry of the history, and the picture."""
        with self._writer.as_default(step=entry["step"]):
            for name, value in entry.items():
                if name not in ("step", "validation_n"):
                    tf.summary.scalar(name, value)
            if self._picture:
                scores = np.asarray(keras.ops.softmax(self._logits))
                drawn = self._picture(self._labels, self._classes, scores)
                tf.summary.image("confusion", tf.io.decode_png(drawn, channels=3)[None])
        self._writer.flush()


_LOG_MEL = {"kind": "log_mel", "high_hz": 7600, "floor": 1e-3}
_MASKS = Augmentation(time_masks=1, time_mask_frames=10, band_masks=1, band_mask_bins=5)
_OURS = Recipe(
    front_end=_LOG_MEL, steps=(900, 200), learning_rates=(0.004, 0.0004), optimizer="adamw",
    weight_decay=1e-3, label_smoothing=0.1, augmentation=_MASKS,
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
}
"""A recipe for each architecture: the published one of the tutorial's six, ours for the rest."""
