"""Batches for TensorFlow: shift, noise, features, masks; each one a function of seed and step.

No batch depends on the one before, so training that was interrupted goes on with exactly the
batches it would have had. Importing this module loads TensorFlow.

Source: ``get_data`` in TensorFlow's ``speech_commands`` example, with two differences: a pass
through the clips uses each of them once (there, clips are drawn with replacement), and the noise
in validation clips is the same every time (there, it is drawn anew, and accuracy jitters).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from course_utils.datasets.speech_commands.examples import ExampleSet

FrontEnd = Callable[[tf.Tensor], tf.Tensor]


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
    """

    time_shift_ms: float = 100
    background_volume: float = 0.1
    background_frequency: float = 0.8
    speed_percentage: float = 0
    time_masks: int = 0
    time_mask_frames: int = 0
    band_masks: int = 0
    band_mask_bins: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not 0 <= self.background_frequency <= 1:
            raise ValueError(
                f"background_frequency is {self.background_frequency}; expected a share from 0 to "
                "1 of the clips; 0.8 is usual."
            )
        negative = [name for name, value in vars(self).items() if not value >= 0]
        if negative or self.speed_percentage >= 100:
            name = (negative or ["speed_percentage"])[0]
            raise ValueError(
                f"{name} is {getattr(self, name)}; expected 0 or more (speed_percentage below "
                "100); 0 switches it off."
            )


NONE = Augmentation(time_shift_ms=0, background_volume=0, background_frequency=0)
"""Clips as they are."""


def training(
    examples: ExampleSet,
    front_end: FrontEnd,
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

    Returns
    -------
    tf.data.Dataset
        Of (features, one-hot labels (batch, labels)), both float32.
    """
    order = _passes(examples.n, steps * batch_size, seed).reshape(steps, batch_size)
    return _dataset(examples, front_end, order, first_step, augmentation, seed)


def evaluation(
    examples: ExampleSet, front_end: FrontEnd, *, batch_size: int = 100, seed: int = 0
) -> tf.data.Dataset:
    """All clips once, in their order and without augmentation, the same at every call.

    Parameters and result are those of :func:`training`; the last batch may be smaller.
    """
    order = np.arange(examples.n)
    whole = examples.n // batch_size
    parts = [
        order[: whole * batch_size].reshape(whole, batch_size),
        order[None, whole * batch_size :],
    ]
    sets = [
        _dataset(examples, front_end, part, 0, NONE, seed + number)
        for number, part in enumerate(parts)
        if part.size
    ]
    return sets[0] if len(sets) == 1 else sets[0].concatenate(sets[1])


def heard(examples: ExampleSet, *, batch_size: int = 100, seed: int = 0) -> np.ndarray:
    """The samples of all clips as :func:`evaluation` presents them, float32, (clips, samples)."""
    batches = evaluation(examples, tf.identity, batch_size=batch_size, seed=seed)
    return np.concatenate([samples.numpy() for samples, _ in batches])


def _passes(n: int, count: int, seed: int) -> np.ndarray:
    """``count`` row numbers: one random order of all ``n`` rows after another."""
    rng = np.random.default_rng([seed, n])
    orders = [rng.permutation(n) for _ in range(-(-count // n))]
    return np.concatenate(orders)[:count].astype(np.int32)


def _dataset(
    examples: ExampleSet,
    front_end: FrontEnd,
    order: np.ndarray,
    first_step: int,
    augmentation: Augmentation,
    seed: int,
) -> tf.data.Dataset:
    """Batches whose rows are those of ``order``, from ``first_step`` on."""
    with tf.device("/CPU:0"):
        clips = tf.constant(examples.clips.steps)
        classes, rows = tf.constant(examples.classes), tf.constant(order, tf.int32)
    mix = _Mixer(examples, augmentation)

    def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = rows[step]
        label = tf.gather(classes, chosen)
        draw = _Draws(seed, step)
        samples = tf.cast(tf.gather(clips, chosen), tf.float32) / 32768
        table = front_end(mix(samples, label == 0, draw))
        table = _masked(table, augmentation, draw)
        return table, tf.one_hot(label, len(examples.labels))

    steps = tf.data.Dataset.range(first_step, len(order))
    # Two at a time, in order: one is made while the other is trained on.
    return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)


class _Draws:
    """Random numbers that depend on nothing but seed, step and how many were drawn before."""

    def __init__(self, seed: int, step: tf.Tensor) -> None:
        self._seed = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
        self._count = 0

    def __call__(self, shape: tuple, low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        self._count += 1
        seed = tf.random.experimental.stateless_fold_in(self._seed, self._count)
        return tf.random.stateless_uniform(shape, seed, low, high)


class _Mixer:
    """Shift, speed and background noise, on a batch of samples."""

    def __init__(self, examples: ExampleSet, augmentation: Augmentation) -> None:
        self._options = augmentation
        self._length = examples.clips.steps.shape[1]
        self._shift = augmentation.time_shift_ms * examples.clips.sample_rate / 1000
        self._noise = None
        if examples.noise:
            lengths = np.array([len(recording) for recording in examples.noise])
            with tf.device("/CPU:0"):
                self._noise = tf.constant(np.concatenate(examples.noise))
                self._starts = tf.constant(np.cumsum(lengths) - lengths, tf.int32)
                self._room = tf.constant(lengths - self._length, tf.float32)

    def __call__(self, samples: tf.Tensor, silent: tf.Tensor, draw: _Draws) -> tf.Tensor:
        if self._shift or self._options.speed_percentage:
            samples = self._moved(samples, draw)
        if self._noise is None:
            return samples
        count = tf.shape(samples)[0]
        often = draw((count,)) < self._options.background_frequency
        volume = draw((count,), 0.0, self._options.background_volume)
        # Silence is noise of any volume, up to that of the recording itself.
        volume = tf.where(silent, draw((count,)), tf.where(often, volume, 0.0))
        mixed = samples + volume[:, None] * self._pieces(count, draw)
        return tf.clip_by_value(mixed, -1.0, 1.0)

    def _pieces(self, count: tf.Tensor, draw: _Draws) -> tf.Tensor:
        """A random piece of a random recording for each clip."""
        which = tf.cast(draw((count,), 0.0, float(self._starts.shape[0])), tf.int32)
        offset = draw((count,)) * tf.gather(self._room, which)
        start = tf.gather(self._starts, which) + tf.cast(offset, tf.int32)
        pieces = tf.gather(self._noise, start[:, None] + tf.range(self._length))
        return tf.cast(pieces, tf.float32) / 32768

    def _moved(self, samples: tf.Tensor, draw: _Draws) -> tf.Tensor:
        """Each clip shifted, and played at its own speed around its middle."""
        count = tf.shape(samples)[0]
        shift = tf.floor(draw((count, 1), -self._shift, self._shift))
        positions = tf.range(self._length, dtype=tf.float32)[None] - shift
        if self._options.speed_percentage:
            change = self._options.speed_percentage / 100
            speed = draw((count, 1), 1 - change, 1 + change)
            middle = self._length / 2
            positions = (positions - middle) * speed + middle
        return _read_at(samples, positions)


def _read_at(samples: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Values of each row at fractional positions, straight lines in between, zero outside."""
    length = samples.shape[1]
    padded = tf.pad(samples, [[0, 0], [1, 2]])
    positions = tf.clip_by_value(positions + 1, 0.0, length + 1.0)
    before = tf.floor(positions)
    index = tf.cast(before, tf.int32)
    left = tf.gather(padded, index, batch_dims=1)
    right = tf.gather(padded, index + 1, batch_dims=1)
    return left + (positions - before) * (right - left)


def _masked(table: tf.Tensor, options: Augmentation, draw: _Draws) -> tf.Tensor:
    """SpecAugment: stretches of time and bands of frequency become the clip's mean."""
    hidden = None
    plan = ((1, options.time_masks, options.time_mask_frames),
            (2, options.band_masks, options.band_mask_bins))  # fmt: skip
    for axis, masks, longest in plan:
        for _ in range(masks):
            count, size = tf.shape(table)[0], table.shape[axis]
            length = tf.floor(draw((count, 1), 0.0, longest + 1.0))
            start = tf.floor(draw((count, 1)) * (size - length + 1))
            place = tf.range(size, dtype=tf.float32)[None]
            mask = tf.expand_dims((place >= start) & (place < start + length), 3 - axis)
            hidden = mask if hidden is None else hidden | mask
    if hidden is None:
        return table
    return tf.where(hidden, tf.reduce_mean(table, (1, 2), keepdims=True), table)
