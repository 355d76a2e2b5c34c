"""Label sound files: the best few labels of each, as TensorFlow's ``label_wav.py`` prints them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from course_utils import audio, places

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")
"""Endings of the files that :func:`label_folder` takes for sound, in any case."""


class Predictor(Protocol):
    """A ``Recogniser`` or an ``ExportedRecogniser``."""

    def predict(self, samples: np.ndarray, sample_rate: int) -> dict[str, float]:
        """Scores by label."""


@dataclass(frozen=True)
class Labelled:
    """What came of one file.

    Attributes
    ----------
    path : Path
    best : list of (str, float)
        Labels and scores, best first; empty if the file could not be labelled.
    error : str
        Why not, in one sentence; empty if it could.
    """

    path: Path
    best: list[tuple[str, float]]
    error: str = ""


def label_wav(
    recogniser: Predictor, path: str | os.PathLike[str], count: int = 3
) -> list[tuple[str, float]]:
    """The best labels of one sound file.

    Parameters
    ----------
    recogniser : Recogniser or ExportedRecogniser
    path : path-like
        Any file that :func:`audio.load` can read, at most as long as a clip.
    count : int
        How many labels.

    Returns
    -------
    list of (str, float)
        Labels and scores, best first; where scores are equal, in the order of the labels.

    Raises
    ------
    audio.AudioError
        If the file cannot be read, or the sound is unfit or too long.
    ValueError
        If ``count`` is below one.
    """
    if count < 1:
        raise ValueError(f"count is {count}; expected at least 1 label to show; raise it.")
    sound = audio.load(path)
    try:
        scores = recogniser.predict(*sound)
    except audio.AudioError as error:
        raise audio.AudioError(f"{places.shown(path)}: {error}") from error
    return sorted(scores.items(), key=lambda found: -found[1])[:count]


def label_folder(
    recogniser: Predictor, folder: str | os.PathLike[str], count: int = 3
) -> list[Labelled]:
    """The best labels of every sound file that lies in a folder, sorted by name.

    A file that cannot be labelled does not stop the rest; its result says why. Folders inside the
    folder are not searched.

    Raises
    ------
    ValueError
        If there is no such folder, no sound file in it, or ``count`` is below one.
    """
    folder = Path(folder)
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not paths:
        found = "holds no sound file" if folder.is_dir() else "is no folder"
        raise ValueError(
            f"{places.shown(folder)} {found}; expected files that end in {', '.join(SUFFIXES)};"
            " choose another folder."
        )
    return [_labelled(recogniser, path, count) for path in paths]


def _labelled(recogniser: Predictor, path: Path, count: int) -> Labelled:
    try:
        return Labelled(path, label_wav(recogniser, path, count))
    except audio.AudioError as error:
        return Labelled(path, [], str(error))
