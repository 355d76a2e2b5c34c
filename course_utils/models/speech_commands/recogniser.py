"""From raw sound to scores by label, and back from disk."""

import os
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np

from course_utils import files, places
from course_utils.datasets.speech_commands import batches
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.features.front_end import FrontEnd
from course_utils.models.speech_commands import svdf  # noqa: F401  Keras finds a layer once loaded
from course_utils.models.speech_commands.ends import (
    check_labels,
    fitted,
    read_labels,
    write_labels,
)

MODEL_FILE = "model.keras"


class Recogniser:
    """A network with its front end before it and its labels behind it.

    Parameters
    ----------
    front_end : FrontEnd
    network : keras.Model
        From features (batch, frames, bins) to logits (batch, labels).
    labels : sequence of str

    Attributes
    ----------
    front_end, network, labels
        As given.
    model : keras.Model
        From samples (batch, samples) to probabilities (batch, labels), all in one.

    Raises
    ------
    ValueError
        If the network has not one output for each label.
    """

    def __init__(self, front_end: FrontEnd, network: keras.Model, labels: tuple[str, ...]) -> None:
        self.front_end, self.network, self.labels = front_end, network, tuple(labels)
        check_labels(self.labels, network.output_shape[-1], "The labels given")
        samples = keras.Input((front_end.samples,), name="samples")
        scores = keras.layers.Softmax(name="scores")(network(front_end(samples)))
        self.model = keras.Model(samples, scores, name="recogniser")

    @property
    def sample_rate(self) -> int:
        """The rate that the front end is made for, in Hz."""
        return self.front_end.sample_rate

    def predict(self, samples: np.ndarray, sample_rate: int) -> dict[str, float]:
        """Scores of one clip.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1], at most as long as a training clip; a shorter one gets zeros at its
            end, one of another rate is resampled.
        sample_rate : int
            In Hz.

        Returns
        -------
        dict
            Probability by label, in the order of ``labels``; their sum is one.

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see :func:`audio.check`) or longer than a clip.
        """
        clip = fitted(samples, sample_rate, self.sample_rate, self.front_end.samples)
        scores = np.asarray(self.model(clip[None], training=False))[0]
        return dict(zip(self.labels, scores.tolist(), strict=True))

    def scores(self, examples: ExampleSet, batch_size: int = 100, seed: int = 0) -> np.ndarray:
        """Probabilities of many clips, shape (clips, labels), float32.

        Silence is drawn by ``seed``, the same as in :func:`batches.heard`.

        Raises
        ------
        ValueError
            If the clips have another rate or length than the front end is made for.
        """
        logits = self.logits(examples, batch_size, seed)
        return np.asarray(keras.ops.softmax(logits))

    def logits(self, examples: ExampleSet, batch_size: int = 100, seed: int = 0) -> np.ndarray:
        """Like :meth:`scores`, before the softmax."""
        clips, samples = examples.clips, self.front_end.samples
        if (clips.sample_rate, clips.steps.shape[1]) != (self.sample_rate, samples):
            raise ValueError(
                f"The clips have {clips.steps.shape[1]} samples at {clips.sample_rate} Hz; expected"
                f" {samples} at {self.sample_rate} Hz, as the recogniser was trained; prepare the"
                " examples with that rate and length."
            )
        found = batches.evaluation(examples, self.front_end, batch_size=batch_size, seed=seed)
        return np.concatenate([self.network(table, training=False) for table, _ in found])

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``model.keras`` and ``labels.txt`` into a folder; each whole or not at all.

        Returns
        -------
        Path
            The folder, for :func:`load`.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with files.whole(folder / MODEL_FILE) as unfinished:
            self.model.save(unfinished)
        write_labels(folder, self.labels)
        return folder


def load(run_folder: str | os.PathLike[str]) -> Recogniser:
    """A trained recogniser.

    Parameters
    ----------
    run_folder : path-like
        A folder that :meth:`Recogniser.save` or a training run wrote, such as
        ``runs/02_speech_commands_cnn``.

    Returns
    -------
    Recogniser

    Raises
    ------
    ValueError
        If there is no recogniser, its file is damaged, or the labels are not those of the model.
    """
    folder = Path(run_folder)
    file = folder / MODEL_FILE
    if not file.is_file():
        raise ValueError(
            f"There is no {MODEL_FILE} in {places.shown(folder)}; expected the folder of a finished"
            " training run; finish lesson 02 or train one there first."
        )
    try:
        model = keras.saving.load_model(file, compile=False)
        front_end, network = (model.get_layer(index=i) for i in (1, 2))
        if not isinstance(front_end, FrontEnd) or not isinstance(network, keras.Model):
            raise ValueError("it is another kind of model")
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{places.shown(file)} cannot be read ({reason}); expected a recogniser as training"
            " writes it; train it again."
        ) from error
    return Recogniser(front_end, network, read_labels(folder, model.output_shape[-1]))
