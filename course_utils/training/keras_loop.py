"""The training loop in Keras: step by step, interruptible, with one clear stop when it diverges.

A hand-written loop rather than ``Model.fit``, because three promises need what happens between two
steps: a run that was killed goes on at the step of its checkpoint and not at the next epoch, a step
whose loss is not a number is not taken, and the layer where it happened is named.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_utils.datasets.progress import bar
from course_utils.training import keras_checkpoint

CHECKPOINT = "checkpoint.npz"


class Diverged(ArithmeticError):
    """Training stopped because a number left what a computer can hold."""


@dataclass(frozen=True)
class Plan:
    """How long to train, and when to stop and look.

    Attributes
    ----------
    steps : int
        Batches in all.
    batch_size : int
        Examples a batch, for the display of speed.
    save_every, evaluate_every : int
        Steps between two checkpoints, and between two evaluations; both also happen at the end.
    """

    steps: int
    batch_size: int
    save_every: int = 100
    evaluate_every: int = 400


class Loop:
    """One training run in one folder.

    Parameters
    ----------
    folder : Path
        Where ``checkpoint.npz`` lies or will lie.
    model : keras.Model
        From features to logits.
    optimizer : keras.optimizers.Optimizer
    loss : keras.losses.Loss
        Of (one-hot labels, logits).
    identity : dict
        What makes this run this run; a checkpoint with other entries is refused.

    Attributes
    ----------
    step : int
        Steps taken so far, those before an interruption included.
    history : list of dict
        One entry for each evaluation: ``step``, ``rate``, ``loss``, ``accuracy`` (means over the
        training batches since the last entry), ``seconds`` and what the evaluation gave.

    Raises
    ------
    ValueError
        If the folder holds a checkpoint of another run.
    """

    def __init__(
        self,
        folder: Path,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss: keras.losses.Loss,
        identity: dict,
    ) -> None:
        self.model, self._optimizer, self._loss, self._identity = model, optimizer, loss, identity
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / CHECKPOINT
        self.step, self.history = 0, []
        self._seconds, self._sums = 0.0, np.zeros(3)
        optimizer.build(model.trainable_variables)
        self._gradients = tf.function(self._compute, reduce_retracing=True)
        self._apply = tf.function(self._take, reduce_retracing=True)
        if self._file.exists():
            self._restore()

    @property
    def _variables(self) -> list[keras.Variable]:
        return [*self.model.variables, *self._optimizer.variables]

    def _restore(self) -> None:
        record = keras_checkpoint.restore(self._file, self._variables, self._identity)
        self.step, self.history = record["step"], record["history"]
        self._seconds, self._sums = record["seconds"], np.array(record["sums"])

    def save(self) -> None:
        """Write the checkpoint."""
        record = self._identity | {
            "step": self.step, "history": self.history,
            "seconds": self._seconds, "sums": self._sums.tolist(),
        }  # fmt: skip
        keras_checkpoint.save(self._file, self._variables, record)

    def run(
        self,
        batches: Iterable[tuple[tf.Tensor, tf.Tensor]],
        plan: Plan,
        evaluate: Callable[[], dict] = dict,
        report: Callable[[dict], None] = lambda entry: None,
    ) -> list[dict]:
        """Train to the end of the plan.

        Parameters
        ----------
        batches : iterable
            (features, one-hot labels) of the steps from ``self.step`` on.
        plan : Plan
        evaluate : callable
            Gives numbers to be kept in the history.
        report : callable
            Is given each new entry of the history.

        Returns
        -------
        list of dict
            The history.

        Raises
        ------
        Diverged
            If a loss or a gradient is not finite. The step is not taken; the checkpoint stays.
        """
        examples = plan.steps * plan.batch_size
        with bar(examples, self.model.name, " examples") as shown:
            shown.update(self.step * plan.batch_size)
            begun = time.monotonic() - self._seconds
            for table, labels in batches:
                self._train(table, labels)
                shown.update(len(table))
                self._seconds = time.monotonic() - begun
                last = self.step == plan.steps
                if last or self.step % plan.evaluate_every == 0:
                    report(self._entry(evaluate()))
                if last or self.step % plan.save_every == 0:
                    self.save()
        return self.history

    def _train(self, table: tf.Tensor, labels: tf.Tensor) -> None:
        """Take one step, or raise :class:`Diverged` and take none."""
        loss, right, finite, gradients = self._gradients(table, labels)
        if not finite:
            raise Diverged(self._diagnosis(table, float(loss)))
        self._apply(gradients)
        self.step += 1
        self._sums += [float(loss) * len(table), float(right), len(table)]

    def _compute(self, table: tf.Tensor, labels: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            logits = self.model(table, training=True)
            loss = self._loss(labels, logits)
        gradients = tape.gradient(loss, [v.value for v in self.model.trainable_variables])
        right = tf.reduce_sum(tf.cast(tf.argmax(labels, 1) == tf.argmax(logits, 1), tf.float32))
        # The sum of a tensor is finite only if all of it is.
        total = loss + tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])
        return loss, right, tf.math.is_finite(total), gradients

    def _take(self, gradients: list[tf.Tensor]) -> None:
        self._optimizer.apply(gradients, self.model.trainable_variables)

    def _entry(self, evaluated: dict) -> dict:
        loss, right, count = self._sums
        rate = self._optimizer.learning_rate
        entry = {
            "step": self.step, "rate": float(rate), "loss": loss / count,
            "accuracy": right / count, "seconds": self._seconds, **evaluated,
        }  # fmt: skip
        self.history.append(entry)
        self._sums = np.zeros(3)
        return entry

    def _diagnosis(self, table: tf.Tensor, loss: float) -> str:
        """The sentence that names the layer."""
        where = _first_not_finite(self.model, table)
        return (
            f"Training of {self.model.name!r} stopped before step {self.step + 1}: the loss is"
            f" {loss:g}, and {where} is where the first number that is not finite appears; expected"
            " finite numbers; lower the learning rate, and look at that layer's input. The last"
            f" checkpoint, {self._file.name}, is untouched."
        )


def _first_not_finite(model: keras.Model, table: tf.Tensor) -> str:
    """Where a number that is not finite appears first: features, a layer's weights or output."""
    if not np.isfinite(table).all():
        return "the input ('features')"
    outputs = keras.Model(model.inputs, [layer.output for layer in model.layers])
    for layer, output in zip(model.layers, outputs(table, training=False), strict=True):
        if any(not np.isfinite(weight).all() for weight in layer.get_weights()):
            return f"a weight of layer {layer.name!r}"
        if not np.isfinite(output).all():
            return f"the output of layer {layer.name!r}"
    return f"the gradient behind layer {model.layers[-1].name!r}"
