"""From raw sound to scores by label, and back from disk."""

import os
from pathlib import Path

import keras
import numpy as np

from course_utils import audio, places
from course_utils.datasets.speech_commands import batches
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.features.front_end import FrontEnd

MODEL_FILE, LABELS_FILE = "model.keras", "labels.txt"

# A resampler may give one sample more than a clip holds.
_SAMPLES_TOO_MANY = 1


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
        _check_labels(self.labels, network.output_shape[-1], "The labels given")
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
        clip = self._fitted(audio.resample(samples, sample_rate, self.sample_rate))
        scores = self.model(clip[None], training=False)[0]
        return dict(zip(self.labels, map(float, scores), strict=True))

    def _fitted(self, samples: np.ndarray) -> np.ndarray:
        """Exactly one clip."""
        room = self.front_end.samples - len(samples)
        if room < -_SAMPLES_TOO_MANY:
            seconds = len(samples) / self.sample_rate
            raise audio.AudioError(
                f"The sound lasts {seconds:.2f} s; expected at most"
                f" {self.front_end.samples / self.sample_rate:g} s, the length of a training clip;"
                " cut the word out of it first."
            )
        return np.pad(samples, (0, max(room, 0)))[: self.front_end.samples]

    def scores(self, examples: ExampleSet, batch_size: int = 100, seed: int = 0) -> np.ndarray:
        """Probabilities of many clips, shape (clips, labels), float32.

        Silence is drawn by ``seed``, the same as in :func:`batches.heard`.
        """
        logits = self.logits(examples, batch_size, seed)
        return np.asarray(keras.ops.softmax(logits))

    def logits(self, examples: ExampleSet, batch_size: int = 100, seed: int = 0) -> np.ndarray:
        """Like :meth:`scores`, before the softmax."""
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
        unfinished = folder / f"unfinished_{MODEL_FILE}"
        self.model.save(unfinished)
        os.replace(unfinished, folder / MODEL_FILE)
        write_labels(folder, self.labels)
        return folder


def write_labels(folder: Path, labels: tuple[str, ...]) -> None:
    """Write one label a line, whole or not at all."""
    unfinished = folder / f"unfinished_{LABELS_FILE}"
    unfinished.write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
    os.replace(unfinished, folder / LABELS_FILE)


def read_labels(path: Path, outputs: int) -> tuple[str, ...]:
    """Read a labels file and hold it to the number of outputs of its model.

    Raises
    ------
    ValueError
        If the file is missing or has another number of labels.
    """
    if not path.is_file():
        raise ValueError(
            f"{places.shown(path)} is missing; expected the labels of the model beside it, one a"
            " line; copy it there from where the model was trained."
        )
    labels = tuple(path.read_text(encoding="utf-8").split("\n"))
    labels = tuple(label.strip() for label in labels if label.strip())
    _check_labels(labels, outputs, places.shown(path))
    return labels


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
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{places.shown(file)} cannot be read ({reason}); expected a recogniser as training"
            " writes it; train it again."
        ) from error
    return Recogniser(front_end, network, read_labels(folder / LABELS_FILE, model.output_shape[-1]))


def _check_labels(labels: tuple[str, ...], outputs: int, where: str) -> None:
    if len(labels) != outputs or len(set(labels)) != len(labels):
        raise ValueError(
            f"{where} hold {len(set(labels))} different labels for a model with {outputs} outputs;"
            " expected one label for each output; take the labels that were written with the model."
        )
