"""Training a network of music genres with Keras' own ``fit``, and votes over a track's windows.

A run that was interrupted goes on after its last full epoch (``BackupAndRestore``): with the same
weights and the same optimizer, though not with the same order of the windows and the same dropout,
whose draws begin anew. Where every step has to be the same again, as for the spoken commands, the
course has a loop of its own (:mod:`course_utils.training.keras_loop`). Lesson: 07.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_utils import progress
from course_utils.training import genre_record, interrupts
from course_utils.training.genre_augmentation import Augmentation
from course_utils.training.genre_recipe import Recipe

__all__ = ["Augmentation", "Recipe", "as_line", "batches", "build", "fit", "votes"]

_TENSORBOARD, _BACKUP = "tensorboard", "backup"


def votes(scores: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """What the windows of each track say together: the mean of their probabilities.

    Parameters
    ----------
    scores : np.ndarray of float, shape (windows, labels)
        Probabilities.
    tracks : np.ndarray of int, shape (windows,)
        Number of each window's track, from 0.

    Returns
    -------
    np.ndarray of float64, shape (tracks, labels)

    Raises
    ------
    ValueError
        If the two differ in length, a row is not one of probabilities (such as logits), or a
        number between 0 and the highest has no window.
    """
    scores, tracks = np.asarray(scores, np.float64), np.asarray(tracks)
    if scores.ndim != 2 or tracks.shape != scores.shape[:1] or not len(tracks):
        raise ValueError(
            f"scores has shape {scores.shape} and tracks {tracks.shape}; expected (windows, labels)"
            " and (windows,) with at least one window; give a track for each row of scores."
        )
    if not ((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3)):
        raise ValueError(
            "A row of scores is not made of probabilities; expected numbers from 0 on that add up"
            " to 1; apply softmax to logits first."
        )
    counts = np.bincount(tracks)
    if not counts.all():
        raise ValueError(
            f"Track {counts.argmin()} has no windows, but track {len(counts) - 1} has some;"
            " expected windows of every track; number the tracks from 0 without gaps."
        )
    sums = np.zeros((len(counts), scores.shape[1]))
    np.add.at(sums, tracks, scores)
    return sums / counts[:, None]


def batches(
    x: np.ndarray, classes: np.ndarray, batch_size: int, *, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Windows in memory as :func:`fit` wants them, read like those in records.

    Parameters
    ----------
    x : np.ndarray, shape (windows, *shape)
    classes : np.ndarray of int, shape (windows,)
    batch_size : int
    shuffle_seed : int, optional
        Another order in each epoch; None keeps the order.

    Returns
    -------
    tf.data.Dataset
        Of (x, class).
    """
    order = tf.data.Dataset.range(len(x))
    if shuffle_seed is not None:
        order = order.shuffle(len(x), seed=shuffle_seed)
    # Only numbers are shuffled: a buffer of all windows would hold each of them twice.
    held_x, held_classes = tf.constant(x), tf.constant(classes, tf.int64)
    return order.batch(batch_size).map(
        lambda rows: (tf.gather(held_x, rows), tf.gather(held_classes, rows))
    )


def build(
    make: Callable[[], keras.Model], seed: int, strategy: tf.distribute.Strategy | None = None
) -> keras.Model:
    """A network whose first weights a seed decides, on all devices of a strategy.

    Parameters
    ----------
    make : callable
        Makes the network, such as ``lambda: networks.raw_cnn("small")``.
    seed : int
    strategy : tf.distribute.Strategy, optional
        See :func:`course_utils.training.distribution.strategy`.

    Returns
    -------
    keras.Model
    """
    keras.utils.set_random_seed(seed)
    with (strategy or tf.distribute.get_strategy()).scope():
        return make()


def fit(
    folder: str | Path,
    model: keras.Model,
    training: tf.data.Dataset,
    validation: tf.data.Dataset,
    recipe: Recipe,
    *,
    classes: np.ndarray | None = None,
    labels: Sequence[str] | None = None,
    report: Callable[[dict], None] = lambda entry: print(as_line(entry)),
) -> list[dict]:
    """Train a network, or go on with a run that was interrupted.

    Parameters
    ----------
    folder : path-like
        Gets ``history.json``, ``best.npz`` and ``tensorboard/``, and ``backup/`` while it runs. A
        run that is finished there is not repeated.
    model : keras.Model
        Gives logits. At the end it has the weights of the epoch with the lowest validation loss.
        Made within a strategy's scope (:func:`build`), it learns on all of the strategy's devices.
    training, validation : tf.data.Dataset
        Of (x, class) batches; how many must be known.
    recipe : Recipe
    classes : np.ndarray of int, optional
        Of all training windows; without them the training data are read once more to see that
        every genre is there.
    labels : sequence of str, optional
        Names of the genres, for errors.
    report : callable
        Is given each new entry of the history; by default it is printed.

    Returns
    -------
    list of dict
        For each epoch ``epoch`` (from 1), ``rate``, ``loss``, ``accuracy``, ``validation_loss``,
        ``validation_accuracy`` and ``seconds`` since the beginning.

    Raises
    ------
    ValueError
        If a genre is absent from training, the number of batches is unknown, or the folder holds
        a run of another recipe or network.
    keras_loop.Diverged
        If the loss is not a finite number.
    KeyboardInterrupt
        If there was one. The same call goes on from the last full epoch.
    """
    folder = Path(folder)
    steps = _steps(training, "training"), _steps(validation, "validation")
    _check_classes(training, classes, model.output_shape[-1], labels)
    keras.utils.set_random_seed(recipe.seed)
    _compile(model, recipe, steps[0])
    identity = {"recipe": asdict(recipe), "network": model.name, "steps": list(steps),
                "parameters": [model.count_params(), _learning(model)]}  # fmt: skip
    if recipe.augmentation:
        training = recipe.augmentation.over(training, recipe.seed)
    one_hot = _one_hot(model.output_shape[-1])
    with (
        interrupts.postponed() as interrupted,
        progress.bar(recipe.epochs * sum(steps), model.name, " batches") as shown,
    ):
        record = genre_record.Record(
            folder, model, identity, recipe.patience, interrupted, shown, report
        )
        if not record.finished:
            backup = keras.callbacks.BackupAndRestore(folder / _BACKUP, double_checkpoint=True)
            board = keras.callbacks.TensorBoard(folder / _TENSORBOARD)
            with warnings.catch_warnings():
                # Keras says so of every model inside a model, though it restores all of it.
                warnings.filterwarnings("ignore", "Skipping nested container")
                model.fit(
                    training.map(one_hot), validation_data=validation.map(one_hot),
                    epochs=recipe.epochs, shuffle=False, verbose=0,
                    callbacks=[record, board, backup],
                )  # fmt: skip
    record.restore_best()
    return record.entries


def as_line(entry: dict) -> str:
    """One entry of a history, for people."""
    return (
        f"epoch {entry['epoch']:3}: loss {entry['loss']:.3f}, training {entry['accuracy']:6.1%},"
        f" validation {entry['validation_accuracy']:6.1%} of windows, {entry['seconds']:.0f} s"
    )


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
    with model.distribute_strategy.scope():
        model.compile(
            recipe.make_optimizer(recipe.epochs * steps),
            keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=recipe.label_smoothing
            ),
            metrics=["accuracy"],
            jit_compile=False,  # compiling takes longer than the course's networks learn
        )


def _one_hot(depth: int) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Classes as targets that can be smoothed."""
    return lambda x, classes: (x, tf.one_hot(classes, depth))


def _learning(model: keras.Model) -> int:
    """How many of a network's parameters can learn."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _steps(data: tf.data.Dataset, part: str) -> int:
    """How many batches there are."""
    steps = int(data.cardinality())
    if steps <= 0:
        known = {-1: "endlessly many", -2: "an unknown number of"}.get(steps, "no")
        raise ValueError(
            f"The {part} data have {known} batches; expected a number that is known, so that an"
            " epoch is all of them; state it with tf.data.experimental.assert_cardinality."
        )
    return steps


def _check_classes(
    training: tf.data.Dataset, classes: np.ndarray | None, n: int, labels: Sequence[str] | None
) -> None:
    """Refuse training data in which a genre is absent, or that has more than the network."""
    if classes is None:
        classes = np.concatenate([found for _, found in training.as_numpy_iterator()])
    counts = np.bincount(classes, minlength=n)
    if len(counts) > n:
        raise ValueError(
            f"The training data have class {len(counts) - 1}, but the network has {n} outputs;"
            " expected one for each genre; make the network with more classes."
        )
    absent = [labels[place] if labels else str(place) for place in np.flatnonzero(counts == 0)]
    if absent:
        raise ValueError(
            f"The training data have no windows of {', '.join(absent)}; expected some of each of"
            f" the network's {n} genres; add tracks, or leave these genres out."
        )
