"""Pictures of sound, changed a little each time they are seen. TensorFlow.

A few hundred tracks are few for a network, and it soon knows each window by heart. What is changed
here leaves the genre as it was: a stripe of the picture hidden (see
:mod:`course_utils.features.spec_augment` for the idea and its source), the picture turned in time,
louder or softer.
"""

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Augmentation:
    """Changes to a picture with rows of frequency and columns of time, values in [-1, 1].

    Attributes
    ----------
    time_share, band_share : float
        Widest stripe of columns and of rows that is hidden, as a share of all; every width from 0
        to it is as likely. Hidden is what becomes -1, as if nothing sounded there.
    roll_share : float
        How far a picture is turned in time at most, as a share of its columns; what leaves on one
        side comes in on the other.
    gain : float
        All values are raised or lowered by at most this.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, or the gain is negative.
    """

    time_share: float = 0.2
    band_share: float = 0.15
    roll_share: float = 1.0
    gain: float = 0.1

    def __post_init__(self) -> None:
        for name in ("time_share", "band_share", "roll_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; expected a share from 0 to 1; 0 switches it"
                    " off."
                )
        if not 0 <= self.gain <= 2:
            raise ValueError(
                f"gain is {self.gain}; expected 0 to 2, the range of the values; 0 switches it off."
            )

    def over(self, batches: tf.data.Dataset, seed: int) -> tf.data.Dataset:
        """Batches with changed pictures, other changes in each epoch.

        Parameters
        ----------
        batches : tf.data.Dataset
            Of (float32 (batch, bands, frames, planes), classes).
        seed : int

        Returns
        -------
        tf.data.Dataset
            As many batches, in the same order.

        Raises
        ------
        ValueError
            If the batches hold something else than pictures.
        """
        shape = batches.element_spec[0].shape
        if shape.rank != 4:
            raise ValueError(
                f"The batches have shape {tuple(shape)}; expected pictures, (batch, bands, frames,"
                " planes); leave augmentation out for anything else."
            )
        seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
        changed = tf.data.Dataset.zip(batches, seeds).map(
            lambda batch, pair: (self(batch[0], tf.cast(pair % 2**31, tf.int32)), batch[1]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        # The endless stream of seeds would hide how many there are.
        known = changed.apply(tf.data.experimental.assert_cardinality(batches.cardinality()))
        return known.prefetch(tf.data.AUTOTUNE)

    def __call__(self, pictures: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Changed pictures.

        Parameters
        ----------
        pictures : tf.Tensor of float32, shape (batch, bands, frames, planes)
        seed : tf.Tensor of int32, shape (2,)
            The same seed gives the same changes.

        Returns
        -------
        tf.Tensor of float32, shape (batch, bands, frames, planes)
        """
        n, bands, frames = tf.unstack(tf.shape(pictures)[:3])
        seeds = tf.random.split(seed, 6)
        far = tf.cast(tf.cast(frames, tf.float32) * self.roll_share, tf.int32)
        turned = tf.random.stateless_uniform([n, 1], seeds[0], 0, far + 1, tf.int32)
        columns = (tf.range(frames)[None] + turned) % frames
        pictures = tf.gather(pictures, columns, axis=2, batch_dims=1)
        shift = tf.random.stateless_uniform([n, 1, 1, 1], seeds[1], -self.gain, self.gain)
        pictures = tf.clip_by_value(pictures + shift, -1, 1)
        hidden_columns = _stripes(n, frames, self.time_share, seeds[2:4])[:, None, :, None]
        hidden_rows = _stripes(n, bands, self.band_share, seeds[4:6])[:, :, None, None]
        return tf.where(hidden_columns | hidden_rows, -1.0, pictures)


def _stripes(n: tf.Tensor, length: tf.Tensor, share: float, seeds: tf.Tensor) -> tf.Tensor:
    """One stripe within each of ``n`` rows, bool (n, length)."""
    size = tf.cast(length, tf.float32)
    widths = tf.round(tf.random.stateless_uniform([n, 1], seeds[0]) * share * size)
    firsts = tf.floor(tf.random.stateless_uniform([n, 1], seeds[1]) * (size - widths + 1))
    places = tf.range(size)[None]
    return (places >= firsts) & (places < firsts + widths)
