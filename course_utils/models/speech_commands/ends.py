"""The two ends of a recogniser, which need no framework: sound in, labels out."""

from pathlib import Path

import numpy as np

from course_utils import audio, files, places

LABELS_FILE = "labels.txt"

# A resampler may give one sample more than a clip holds.
_SAMPLES_TOO_MANY = 1


def fitted(samples: np.ndarray, sample_rate: int, clip_rate: int, length: int) -> np.ndarray:
    """Exactly one clip.

    Parameters
    ----------
    samples : np.ndarray of float, shape (samples,)
        Sound in [-1, 1], at most as long as a clip; a shorter one gets zeros at its end.
    sample_rate, clip_rate : int
        Rate of the sound and of a clip, in Hz; where they differ, the sound is resampled.
    length : int
        Samples of a clip.

    Returns
    -------
    np.ndarray of float32, shape (length,)

    Raises
    ------
    audio.AudioError
        If the sound is unfit (see :func:`audio.check`) or longer than a clip.
    """
    samples = audio.resample(samples, sample_rate, clip_rate)
    room = length - len(samples)
    if room < -_SAMPLES_TOO_MANY:
        raise audio.AudioError(
            f"The sound lasts {len(samples) / clip_rate:.6g} s; expected at most"
            f" {length / clip_rate:g} s, the length of a training clip; cut the word out of it"
            " first."
        )
    return np.pad(samples, (0, max(room, 0)))[:length]


def write_labels(folder: Path, labels: tuple[str, ...]) -> None:
    """Write ``labels.txt`` into a folder, one label a line, whole or not at all."""
    with files.whole(folder / LABELS_FILE) as unfinished:
        unfinished.write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")


def read_labels(folder: Path, outputs: int | None = None) -> tuple[str, ...]:
    """Read ``labels.txt`` in a folder, and hold it to the number of outputs of its model.

    Raises
    ------
    ValueError
        If the file is missing, is no text, or has not one different label for each output.
    """
    path = folder / LABELS_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = "is no text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        raise ValueError(
            f"{places.shown(path)} is missing or {found}; expected the labels of the model beside"
            " it, one a line; copy the file there from where the model was trained."
        ) from error
    labels = tuple(line.strip() for line in text.splitlines() if line.strip())
    if outputs is not None:
        check_labels(labels, outputs, places.shown(path))
    return labels


def check_labels(labels: tuple[str, ...], outputs: int, where: str) -> None:
    """Refuse labels that are not one different label for each output (ValueError)."""
    if len(labels) != outputs or len(set(labels)) != len(labels):
        raise ValueError(
            f"{where}: found {len(labels)} labels, {len(set(labels))} of them different, for a"
            f" model with {outputs} outputs; expected one different label for each output; take"
            " the labels that were written with the model."
        )
