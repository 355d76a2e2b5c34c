"""From raw sound to genres, whatever the model; and back from disk."""

import hashlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from zipfile import BadZipFile

import numpy as np
from scipy.special import softmax

from course_utils import audio, files, places
from course_utils.features import music

RECORD_FILE, SKLEARN_FILE, KERAS_FILE = "recogniser.json", "model.skops", "model.keras"
_FORMAT = "genre recogniser 1"
_BATCH = 32  # pictures at a time: 19 MB, and what a network makes of them

# What the pipelines of `classical` hold beyond what skops trusts by itself; all of scikit-learn.
_TRUSTED = ("sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration")


class Recogniser:
    """A model with its front end before it and its labels behind it.

    Parameters
    ----------
    front_end : RawWindows, MelImages or EngineeredFeatures
    model : scikit-learn classifier or keras.Model
        Fitted. A classifier gives probabilities of classes 0, 1, 2, …, and takes what the front end
        gives flattened; a network gives logits (windows, labels).
    labels : sequence of str

    Attributes
    ----------
    front_end, model, labels
        As given.

    Raises
    ------
    ValueError
        If the model is of another kind, or has not one input for what the front end gives or one
        output for each label.
    """

    def __init__(self, front_end: music.FrontEnd, model: object, labels: tuple[str, ...]) -> None:
        self.front_end, self.model, self.labels = front_end, model, tuple(labels)
        self._check_model()
        if len(self.labels) != len(set(self.labels)) or len(self.labels) != self._outputs():
            raise ValueError(
                f"Found {len(self.labels)} labels, {len(set(self.labels))} of them different, for a"
                f" model with {self._outputs()} outputs; expected one different label for each"
                " output; give those of the tracks it was trained with."
            )

    @property
    def sample_rate(self) -> int:
        """The rate that the front end is made for, in Hz."""
        return self.front_end.sample_rate

    @property
    def is_network(self) -> bool:
        """Whether the model is one of Keras."""
        # Nothing is a Keras model where nobody has loaded Keras; asking must not load it.
        keras = sys.modules.get("keras")
        return keras is not None and isinstance(self.model, keras.Model)

    def _outputs(self) -> int:
        return self.model.output_shape[-1] if self.is_network else len(self.model.classes_)

    def _check_model(self) -> None:
        """Refuse what cannot take the windows of the front end, or answers something else."""
        if self.is_network:
            expected, found = self.model.input_shape[1:], self.front_end.shape
        else:
            if not hasattr(self.model, "predict_proba") or not hasattr(self.model, "classes_"):
                raise ValueError(
                    f"Found a model of type {type(self.model).__name__}; expected a Keras model, or"
                    " a fitted scikit-learn classifier with probabilities; fit one of"
                    " classical.METHODS."
                )
            classes = np.asarray(self.model.classes_).tolist()
            if classes != list(range(len(classes))):
                raise ValueError(
                    f"The model knows the classes {classes}; expected 0, 1, 2 and so on, one for"
                    " each label; train it with tracks of every genre."
                )
            expected, found = (self.model.n_features_in_,), (int(np.prod(self.front_end.shape)),)
        if tuple(expected) != tuple(found):
            raise ValueError(
                f"The model takes windows of shape {tuple(expected)} and the front end gives"
                f" {tuple(found)}; expected the same; build both for one another."
            )

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Probabilities of windows.

        Parameters
        ----------
        x : np.ndarray of float, shape (windows, *front_end.shape)

        Returns
        -------
        np.ndarray of float32, shape (windows, labels)

        Raises
        ------
        ValueError
            If ``x`` has another shape, or holds NaN or infinity.
        """
        x = np.asarray(x)
        if x.shape[1:] != self.front_end.shape or not len(x):
            raise ValueError(
                f"Found windows of shape {x.shape}; expected (windows, "
                f"{', '.join(map(str, self.front_end.shape))}), as the model was trained; compute"
                " them with its front end."
            )
        if not np.isfinite(x).all():
            window = int(np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))[0])
            raise ValueError(
                f"Found NaN or infinity in window {window}; expected finite numbers; compute the"
                " windows again."
            )
        if not self.is_network:
            return self.model.predict_proba(x.reshape(len(x), -1)).astype(np.float32)
        logits = self.model.predict(x, batch_size=_BATCH, verbose=0)
        return softmax(logits.astype(np.float64), axis=1).astype(np.float32)

    def predict(self, samples: np.ndarray, sample_rate: int) -> dict[str, float]:
        """Scores of one clip: the mean over its windows.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            Sound in [-1, 1], at least as long as one window; one of another rate is resampled.
        sample_rate : int
            In Hz.

        Returns
        -------
        dict
            Probability by label, in the order of ``labels``; their sum is one.

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see ``audio.check``) or too short for the front end.
        """
        x = self.front_end(audio.resample(samples, sample_rate, self.sample_rate))
        scores = self.scores(x).mean(axis=0, dtype=np.float64)
        return dict(zip(self.labels, scores.tolist(), strict=True))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model and ``recogniser.json`` into a folder, each whole or not at all.

        Returns
        -------
        Path
            The folder, for :func:`load`.

        Raises
        ------
        ValueError
            If a scikit-learn model holds types that :func:`load` would not read.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / (KERAS_FILE if self.is_network else SKLEARN_FILE)
        with files.whole(file) as unfinished:
            if self.is_network:
                self.model.save(unfinished)
            else:
                _skops().dump(self.model, unfinished)
                if unknown := _unknown_types(unfinished):
                    raise ValueError(
                        f"The model holds {unknown}; expected only parts of scikit-learn and NumPy,"
                        " or it could not be loaded again; build it of those."
                    )
        record = {
            "format": _FORMAT, "model": file.name, "sha256": _checksum(file),
            "front_end": self.front_end.settings, "labels": self.labels,
        }  # fmt: skip
        with files.whole(folder / RECORD_FILE) as unfinished:
            unfinished.write_text(json.dumps(record, indent=1), encoding="utf-8")
        return folder


def load(run_folder: str | os.PathLike[str]) -> Recogniser:
    """A trained recogniser.

    Parameters
    ----------
    run_folder : path-like
        A folder that :meth:`Recogniser.save` wrote, such as ``runs/07_genre_transfer_learning``.

    Returns
    -------
    Recogniser

    Raises
    ------
    ValueError
        If there is no recogniser, or a file of it is missing, damaged or of another kind.
    """
    folder = Path(run_folder)
    record_file = folder / RECORD_FILE
    if not record_file.is_file():
        raise ValueError(
            f"There is no {RECORD_FILE} in {places.shown(folder)}; expected the folder of a"
            " finished training run; finish lesson 07 or train one there first."
        )
    file = record_file
    try:
        record = json.loads(record_file.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record.get("format") != _FORMAT:
            raise ValueError("it is another kind of file")
        if record["model"] not in (KERAS_FILE, SKLEARN_FILE):
            raise ValueError(f"it names the model {record['model']!r}")
        front_end, labels = music.from_settings(record["front_end"]), record["labels"]
        file = folder / record["model"]
        if _checksum(file) != record["sha256"]:
            raise ValueError(f"it is not the file that {RECORD_FILE} was written for")
        return Recogniser(front_end, _model(file), labels)
    except (OSError, ValueError, LookupError, TypeError, BadZipFile) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ValueError(
            f"{places.shown(file)} cannot be read ({reason}); expected a recogniser as training"
            " writes it; train it again."
        ) from error


def _model(file: Path) -> object:
    """The model in a file, whose checksum is right."""
    if file.name == KERAS_FILE:
        import keras

        return keras.saving.load_model(file, compile=False)
    if unknown := _unknown_types(file):
        raise ValueError(f"it holds {unknown}, which loading would run")
    return _skops().load(file, trusted=list(_TRUSTED))


class _WithoutTorch:
    """A finder of modules that finds no adapter of scikit-learn for PyTorch."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "sklearn.externals.array_api_compat.torch":
            raise ImportError(f"{name} is not needed")


def _skops() -> ModuleType:
    """The module ``skops.io``, without PyTorch.

    It looks for estimators in all of scikit-learn, whose adapter for PyTorch loads that, where it
    is installed: seconds, and a second framework beside TensorFlow.
    """
    finder = _WithoutTorch()
    sys.meta_path.insert(0, finder)
    try:
        import skops.io
    finally:
        sys.meta_path.remove(finder)
    return skops.io


def _unknown_types(file: Path) -> str:
    """What a file of skops would build beside parts of scikit-learn and NumPy; usually nothing."""
    return ", ".join(sorted({*_skops().get_untrusted_types(file=file)} - {*_TRUSTED}))


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
