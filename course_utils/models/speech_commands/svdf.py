"""SVDF: a filter over time and frequency, taken apart so that it can run frame by frame.

A full filter over 98 frames of 40 bins has 3,920 weights. One of rank 1 is a frequency filter (40)
followed by a time filter (98): 138 weights, and the frequency part of a frame needs computing once
only, when the frame arrives. A memory keeps the results of the last 98 frames.

Source: Preetum Nakkiran et al., *Compressing Deep Neural Networks using a Rank-Constrained
Topology*, Interspeech 2015. In TensorFlow's example the memory is read but never written (the
``assign`` is built and not run), so that its streaming path hears one frame only;
``Stream(model, remember=False)`` does the same, for comparison.
"""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="course_utils")
class Svdf(keras.layers.Layer):
    """Rank-constrained filters over a whole clip.

    Parameters
    ----------
    units : int
        How many filters.
    rank : int
        Pairs of a frequency and a time filter that are summed to one filter.

    Notes
    -----
    Input (batch, frames, bins), output (batch, units). Weights: ``frequency`` (bins, units * rank),
    ``time`` (frames, units * rank), ``bias`` (units,).
    """

    def __init__(self, units: int, rank: int = 2, **options: object) -> None:
        super().__init__(**options)
        self.units, self.rank = units, rank

    def build(self, input_shape: tuple) -> None:
        """Make the weights for (batch, frames, bins)."""
        _, frames, bins = input_shape
        pairs, normal = self.units * self.rank, keras.initializers.TruncatedNormal(stddev=0.01)
        self.frequency = self.add_weight(shape=(bins, pairs), initializer=normal, name="frequency")
        self.time = self.add_weight(
            shape=(frames, pairs), initializer=keras.initializers.TruncatedNormal(stddev=0.01),
            name="time",
        )  # fmt: skip
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, table: tf.Tensor) -> tf.Tensor:
        """All frames at once: (batch, frames, bins) to (batch, units)."""
        return self.from_memory(table @ self.frequency)

    def from_memory(self, memory: tf.Tensor) -> tf.Tensor:
        """The second half: time filters over (batch, frames, units * rank), summed over rank."""
        pairs = tf.reduce_sum(memory * self.time, axis=1)
        return tf.reduce_sum(tf.reshape(pairs, (-1, self.units, self.rank)), axis=2) + self.bias

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, units)."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict:
        """The settings, for a saved model."""
        return super().get_config() | {"units": self.units, "rank": self.rank}


def first_layer(model: keras.Model) -> Svdf:
    """The :class:`Svdf` that a model begins with; ValueError if it begins with another layer."""
    first = model.layers[1]
    if not isinstance(first, Svdf):
        raise ValueError(
            f"The model {model.name!r} begins with {type(first).__name__}; expected Svdf, whose"
            " memory makes streaming possible; use low_latency_svdf."
        )
    return first


class Stream:
    """A model that begins with :class:`Svdf`, run frame by frame.

    Parameters
    ----------
    model : keras.Model
        ``low_latency_svdf``, from features (batch, frames, bins) to logits.
    remember : bool
        False leaves the memory as it is at the start, zeros, as TensorFlow's example does.

    Raises
    ------
    ValueError
        If the first layer of the model is not an :class:`Svdf`.
    """

    def __init__(self, model: keras.Model, remember: bool = True) -> None:
        self._svdf, self._rest, self._remember = first_layer(model), model.layers[2:], remember
        self._frames, pairs = self._svdf.time.shape
        # Twice as long as needed, so that the last frames always lie next to each other.
        self._memory = tf.Variable(tf.zeros((2 * self._frames, pairs)), trainable=False)
        self._run = tf.function(self._advance, reduce_retracing=True)
        self._heard = 0

    def push(self, frame: np.ndarray) -> np.ndarray:
        """Hear one more frame.

        Parameters
        ----------
        frame : np.ndarray, shape (bins,)

        Returns
        -------
        np.ndarray, shape (labels,)
            Logits for the clip that ends with this frame. Frames before the first one count as
            results of zero.

        Raises
        ------
        ValueError
            If the frame has another number of bins than the model was built for.
        """
        bins = self._svdf.frequency.shape[0]
        if np.shape(frame) != (bins,):
            raise ValueError(
                f"The frame has shape {np.shape(frame)}; expected ({bins},), the features of one"
                " frame; push the rows of FrontEnd's table one by one."
            )
        place = tf.constant(self._heard % self._frames)
        self._heard += 1
        return self._run(tf.constant(frame, tf.float32)[None], place).numpy()[0]

    def _advance(self, frame: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        new = frame @ self._svdf.frequency
        if self._remember:
            # Written at two places: whichever one leaves the memory, the other is still inside.
            rows = tf.stack([place, place + self._frames])[:, None]
            self._memory.scatter_nd_update(rows, tf.repeat(new, 2, axis=0))
            window = self._memory[place + 1 : place + 1 + self._frames]
        else:
            window = tf.concat([self._memory[1 : self._frames], new], axis=0)
        x = self._svdf.from_memory(window[None])
        for layer in self._rest:
            x = layer(x, training=False) if isinstance(layer, keras.layers.Dropout) else layer(x)
        return x
