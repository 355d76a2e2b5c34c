"""A look at the validation clips every now and then, kept in TensorBoard's log."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_utils.datasets.speech_commands import batches
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.models.speech_commands import Recogniser

Picture = Callable[[tuple[str, ...], np.ndarray, np.ndarray], bytes]
"""Draws (labels, true classes, scores) as PNG."""


class Validation:
    """Judges a recogniser while it is trained.

    Parameters
    ----------
    folder : Path
        Of the log; made with its first entry.
    recogniser : Recogniser
    examples : ExampleSet
    picture : callable, optional
    """

    def __init__(
        self, folder: Path, recogniser: Recogniser, examples: ExampleSet, picture: Picture | None
    ) -> None:
        self._folder, self._labels, self._picture = folder, recogniser.labels, picture
        network, size = recogniser.network, recogniser.front_end.output_size
        # Traced once, for batches of any size.
        self._forward = tf.function(
            lambda table: network(table, training=False)
        ).get_concrete_function(tf.TensorSpec((None, *size)))
        # Features are computed once; they are the same at every evaluation.
        self._batches = batches.evaluation(examples, recogniser.front_end).cache()
        self._classes = examples.classes
        self._logits = np.zeros((0, len(self._labels)))

    @cached_property
    def _writer(self) -> tf.summary.SummaryWriter:
        return tf.summary.create_file_writer(str(self._folder))

    def evaluate(self) -> dict:
        """Cross entropy (in nats), accuracy and number of the validation clips."""
        self._logits = np.concatenate([self._forward(table) for table, _ in self._batches])
        loss = keras.losses.sparse_categorical_crossentropy(
            self._classes, self._logits, from_logits=True
        )
        return {
            "validation_loss": float(np.mean(loss)),
            "validation_accuracy": float(np.mean(self._logits.argmax(1) == self._classes)),
            "validation_n": len(self._classes),
        }

    def log(self, entry: dict) -> None:
        """Write an entry of the history, and the picture of the evaluation before it."""
        with self._writer.as_default(step=entry["step"]):
            for name, value in entry.items():
                if name not in ("step", "validation_n"):
                    tf.summary.scalar(name, value)
            if self._picture:
                scores = np.asarray(keras.ops.softmax(self._logits))
                drawn = self._picture(self._labels, self._classes, scores)
                tf.summary.image("confusion", tf.io.decode_png(drawn, channels=3)[None])
        self._writer.flush()
