"""The training loop in Keras: step by step, interruptible, with one clear stop when it diverges.

A hand-written loop rather than ``Model.fit``, because three promises need what happens between two
steps: a run that was killed goes on at the step of its checkpoint and not at the next epoch, a step
whose loss is not a number is not taken, and the layer where it happened is named.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tqdm

from course_utils.progress import bar
from course_utils.training import interrupts, keras_checkpoint, keras_diagnosis

_CHECKPOINT = "checkpoint.npz"


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
        One entry for each evaluation: ``step``, ``rate`` (of that step), ``loss``, ``accuracy``
        (means over the training batches since the last entry), ``seconds`` and what the evaluation
        gave.

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
        self._file = folder / _CHECKPOINT
        self.step, self.history = 0, []
        self._seconds, self._sums = 0.0, np.zeros(3)
        self._rate = float("nan")
        optimizer.build(model.trainable_variables)
        self._graph = tf.function(self._take, reduce_retracing=True)
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
        """Write the checkpoint.

        Raises
        ------
        Diverged
            If a weight is not finite; the last checkpoint stays.
        """
        self._check()
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
            If a loss or a gradient is not finite: that step is not taken. Or if a weight is not.
            In both cases the checkpoint stays as it is.
        KeyboardInterrupt
            If there was one; the step that was under way is finished, and saved, first.
        """
        begun = time.monotonic() - self._seconds
        with self._shown(plan) as shown, interrupts.postponed() as interrupted:
            for table, labels in batches:
                self._train(table, labels)
                shown.update(len(table))
                self._seconds = time.monotonic() - begun
                last = self.step == plan.steps
                if last or self.step % plan.evaluate_every == 0:
                    self._check()
                    entry = self._entry(evaluate())
                    with shown.external_write_mode():  # or text would be printed behind the bar
                        report(entry)
                if last or self.step % plan.save_every == 0 or interrupted():
                    self.save()
                if interrupted():
                    raise KeyboardInterrupt(
                        f"stopped after step {self.step} of {plan.steps}, which is saved; run the"
                        " same again to go on"
                    )
        return self.history

    @contextmanager
    def _shown(self, plan: Plan) -> Iterator[tqdm.tqdm]:
        """A bar that begins where the run goes on."""
        with bar(plan.steps * plan.batch_size, self.model.name, " examples") as shown:
            # Steps of an earlier sitting do not count as speed of this one.
            shown.initial = shown.n = shown.last_print_n = self.step * plan.batch_size
            shown.unit_scale = True
            yield shown

    def _train(self, table: tf.Tensor, labels: tf.Tensor) -> None:
        """Take one step, or raise :class:`Diverged` and take none."""
        loss, right, self._rate, taken = self._graph(table, labels).numpy().tolist()
        if not taken:
            found = keras_diagnosis.in_step(self.model, self._loss, table, labels)
            when = f"before step {self.step + 1}, whose loss is {loss:g}"
            raise Diverged(self._sentence(when, *found))
        self.step += 1
        self._sums += [loss * len(table), right, len(table)]

    def _take(self, table: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """One step as a graph: (loss, how many right, learning rate, whether it was taken)."""
        model, optimizer = self.model, self._optimizer
        # The forward pass moves running means and random generators before the loss is known.
        before = [(v, tf.identity(v.value)) for v in model.non_trainable_variables]
        rate = tf.identity(optimizer.learning_rate)
        with tf.GradientTape() as tape:
            logits = model(table, training=True)
            loss = self._loss(labels, logits)
        gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
        right = tf.reduce_sum(tf.cast(tf.argmax(labels, 1) == tf.argmax(logits, 1), tf.float32))
        # The sum of a tensor is finite only if all of it is.
        total = loss + tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

        def take() -> tf.Tensor:
            optimizer.apply(gradients, model.trainable_variables)
            return tf.constant(1.0)

        def leave() -> tf.Tensor:
            for variable, value in before:
                variable.assign(value)
            return tf.constant(0.0)

        return tf.stack([loss, right, rate, tf.cond(tf.math.is_finite(total), take, leave)])

    def _check(self) -> None:
        """Refuse weights that are not finite: nothing good can come after them."""
        found = keras_diagnosis.in_state(self.model, self._optimizer.variables)
        if found:
            raise Diverged(self._sentence(f"after step {self.step}", *found))

    def _sentence(self, when: str, place: str, remedy: str) -> str:
        then = "train again"
        if self._file.exists():
            then = f"train in another folder ({self._file.name} in this one, untouched, fits only"
            then += " what it was made with)"
        return (
            f"Training of {self.model.name!r} stopped {when}: the first number that is not finite"
            f" is in {place}; expected finite numbers; {remedy}, and {then}."
        )

    def _entry(self, evaluated: dict) -> dict:
        loss, right, count = self._sums.tolist()
        entry = {
            "step": self.step, "rate": self._rate, "loss": loss / count,
            "accuracy": right / count, "seconds": self._seconds, **evaluated,
        }  # fmt: skip
        self.history.append(entry)
        self._sums = np.zeros(3)
        return entry
