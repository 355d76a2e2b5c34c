"""Batches for TensorFlow: clips as they are heard, features, masks; a function of seed and step.

No batch depends on the one before, so training that was interrupted goes on with exactly the
batches it would have had. Importing this module loads TensorFlow.

Source: ``get_data`` in TensorFlow's ``speech_commands`` example, with two differences: a pass
through the clips uses each of them once (there, clips are drawn with replacement), and the noise
in validation clips is the same every time (there, it is drawn anew, and accuracy jitters).
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.datasets.speech_commands.mixing import NONE, Augmentation, heard_clip
from course_utils.datasets.speech_commands.selection import SILENCE

__all__ = ["NONE", "Augmentation", "evaluation", "heard", "training"]

_FrontEnd = Callable[[tf.Tensor], tf.Tensor]

# Keep the random numbers of three things apart that one seed decides.
_ORDER, _TRAINING, _EVALUATION = 1, 2, 3


def training(
    examples: ExampleSet,
    front_end: _FrontEnd,
    *,
    steps: int,
    first_step: int = 0,
    batch_size: int = 100,
    augmentation: Augmentation,
    seed: int = 0,
) -> tf.data.Dataset:
    """Batches ``first_step`` to ``steps`` of a training run.

    Parameters
    ----------
    examples : ExampleSet
    front_end : callable
        Samples (batch, samples) to features (batch, frames, bins).
    steps, first_step : int
        Where the run ends and where it goes on.
    batch_size : int
    augmentation : Augmentation
    seed : int
        0 or more.

    Returns
    -------
    tf.data.Dataset
        Of (features, one-hot labels (batch, labels)), both float32.

    Raises
    ------
    ValueError
        If there is no step, no clip, no clip in a batch, ``first_step`` lies outside the run, or
        the seed is negative.
    """
    _check(examples, batch_size, seed)
    if not (steps >= 1 and 0 <= first_step <= steps):
        raise ValueError(
            f"Found first_step={first_step} of steps={steps}; expected at least one step and a"
            " first one from 0 to steps; give the length of the whole run, not of what is left."
        )
    order = _passes(examples.n, steps * batch_size, seed).reshape(steps, batch_size)

    def draw(step: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([_TRAINING, seed, step])
        clips = [_heard(examples, row, augmentation, rng) for row in order[step]]
        return np.stack(clips), examples.classes[order[step]]

    def finish(samples: tf.Tensor, target: tf.Tensor, step: tf.Tensor) -> tuple:
        seeds = tf.stack([seed, step])
        table = _masked(front_end(samples), augmentation, seeds)
        return _blended(table, target, augmentation.mixup_share, seeds)

    return _dataset(examples, tf.data.Dataset.range(first_step, steps), draw, finish, batch_size)


def evaluation(
    examples: ExampleSet, front_end: _FrontEnd, *, batch_size: int = 100, seed: int = 0
) -> tf.data.Dataset:
    """All clips once, in their order and without augmentation, the same at every call.

    Parameters, result and errors are those of :func:`training`; the last batch may be smaller.
    The noise that silence is made of depends on ``seed``, not on ``batch_size``.
    """
    _check(examples, batch_size, seed)

    def draw(start: int) -> tuple[np.ndarray, np.ndarray]:
        rows = range(start, min(start + batch_size, examples.n))
        return np.stack([_evaluated(examples, row, seed) for row in rows]), examples.classes[rows]

    def finish(samples: tf.Tensor, target: tf.Tensor, _: tf.Tensor) -> tuple:
        return front_end(samples), target

    starts = tf.data.Dataset.range(0, examples.n, batch_size)
    return _dataset(examples, starts, draw, finish, None)


def heard(examples: ExampleSet, *, seed: int = 0) -> np.ndarray:
    """The samples of all clips as :func:`evaluation` presents them, float32, (clips, samples)."""
    _check(examples, 1, seed)
    return np.stack([_evaluated(examples, row, seed) for row in range(examples.n)])


def _dataset(
    examples: ExampleSet,
    numbers: tf.data.Dataset,
    draw: Callable[[int], tuple[np.ndarray, np.ndarray]],
    finish: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    batch_size: int | None,
) -> tf.data.Dataset:
    """One batch for each number: NumPy draws the samples, TensorFlow computes the rest."""
    length = examples.clips.steps.shape[1]

    # Unconverted, an error of the front end keeps its one sentence.
    @tf.autograph.experimental.do_not_convert
    def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        samples, classes = tf.numpy_function(draw, [number], (tf.float32, tf.int32))
        samples.set_shape((batch_size, length))
        classes.set_shape((batch_size,))
        return finish(samples, tf.one_hot(classes, len(examples.labels)), number)

    # Two at a time, in order: one is made while the other is trained on.
    return numbers.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)


def _heard(
    examples: ExampleSet, row: int, augmentation: Augmentation, rng: np.random.Generator
) -> np.ndarray:
    """The samples of one clip, shape (samples,)."""
    clips, is_silence = examples.clips, examples.labels[examples.classes[row]] == SILENCE
    return heard_clip(
        clips.steps[row], is_silence, examples.noise, clips.sample_rate, augmentation, rng
    )


def _evaluated(examples: ExampleSet, row: int, seed: int) -> np.ndarray:
    """The samples of one clip, the same whatever batch it is in."""
    return _heard(examples, row, NONE, np.random.default_rng([_EVALUATION, seed, row]))


def _passes(n: int, count: int, seed: int) -> np.ndarray:
    """``count`` row numbers: one random order of all ``n`` rows after another."""
    rng = np.random.default_rng([_ORDER, seed])
    orders = [rng.permutation(n) for _ in range(-(-count // n))]
    return np.concatenate(orders)[:count].astype(np.int32)


def _masked(table: tf.Tensor, options: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """SpecAugment: stretches of time and bands of frequency become the clip's mean."""
    hidden = None
    plan = ((1, options.time_masks, options.time_mask_frames),
            (2, options.band_masks, options.band_mask_bins))  # fmt: skip
    for axis, masks, longest in plan:
        if not masks:
            continue
        size = table.shape[axis]
        draws = tf.random.stateless_uniform(
            (2, tf.shape(table)[0], masks, 1), tf.random.experimental.stateless_fold_in(seed, axis)
        )
        length = tf.floor(draws[0] * (min(longest, size) + 1))
        start = tf.floor(draws[1] * (size - length + 1))
        place = tf.range(size, dtype=tf.float32)
        mask = tf.reduce_any((place >= start) & (place < start + length), 1)
        mask = tf.expand_dims(mask, 3 - axis)
        hidden = mask if hidden is None else hidden | mask
    if hidden is None:
        return table
    return tf.where(hidden, tf.reduce_mean(table, (1, 2), keepdims=True), table)


def _blended(
    table: tf.Tensor, target: tf.Tensor, share: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """mixup: some clips get up to half of their neighbour's features, and as much of its label."""
    if not share:
        return table, target
    # Masks are drawn for axes 1 and 2 of the table; this is about axis 0.
    seed = tf.random.experimental.stateless_fold_in(seed, 0)
    chosen, weight = tf.unstack(tf.random.stateless_uniform((2, tf.shape(table)[0], 1), seed))
    weight = tf.where(chosen < share, weight / 2, 0.0)
    blended = target + weight * (tf.roll(target, 1, 0) - target)
    weight = weight[:, :, None]
    return table + weight * (tf.roll(table, 1, 0) - table), blended


def _check(examples: ExampleSet, batch_size: int, seed: int) -> None:
    if not examples.n:
        raise ValueError("There are no clips in the set; expected at least one; select some words.")
    for name, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0)):
        if value < least:
            raise ValueError(f"{name} is {value}; expected {least} or more; choose another.")
