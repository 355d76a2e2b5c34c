"""Files of words: what is said in a recording and when, one ``label, milliseconds`` a line.

The format of TensorFlow's ``speech_commands`` example; ``x_labels.txt`` belongs to ``x.wav``.
"""

import math
import os
from collections.abc import Iterable
from pathlib import Path

from course_utils import files, places
from course_utils.audio.errors import Name, name_of, reason_of, wrong

_NOT_IN_LABELS = set(",\n\r\ufeff")  # the last one, a byte order mark, is not read back


def labels_beside(path: str | os.PathLike[str]) -> Path:
    """Where the words of a sound file belong: ``x_labels.txt`` beside ``x.wav``."""
    path = Path(path)
    return path.parent / f"{path.stem}_labels.txt"


def check_entries(where: str | Name, entries: Iterable[tuple[str, float]]) -> None:
    """Refuse what :func:`read_ground_truth` would not read back the same.

    That is a label that is empty, has a comma, a line break or a space at an end, and a time that
    is not finite. ``where`` is what the AudioError begins with.
    """
    for label, time in entries:
        if not label or label != label.strip() or set(label) & _NOT_IN_LABELS:
            todo = "some text without comma, line break or spaces around it: rename it"
            raise wrong(where, f"cannot hold the label {label!r}", todo)
        if not math.isfinite(time):
            todo = "milliseconds: mend what made it"
            raise wrong(where, f"cannot hold the time {time} of {label!r}", todo)


def write_ground_truth(path: str | os.PathLike[str], entries: Iterable[tuple[str, float]]) -> None:
    """Write a file of words.

    Parameters
    ----------
    path : path-like
        Written whole or not at all: if anything fails, a file that was there stays as it was.
    entries : iterable of (str, float)
        Label and time in milliseconds, in any order; the file is in order of time.

    Raises
    ------
    AudioError
        If an entry is unfit (see :func:`check_entries`), or the file cannot be written.
    """
    name, entries = name_of(path), sorted(entries, key=lambda entry: entry[1])
    check_entries(name, entries)
    lines = "".join(f"{label}, {time}\n" for label, time in entries)
    try:
        with files.whole(path) as unfinished:
            unfinished.write_text(lines, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        todo = "a folder that exists and may be written to: choose another"
        raise wrong(name, f"cannot be written ({reason_of(error)})", todo) from error


def read_ground_truth(path: str | os.PathLike[str]) -> list[tuple[str, float]]:
    """Read a file of words: one ``label, milliseconds`` a line.

    Returns
    -------
    list of (str, float)
        In order of time.

    Raises
    ------
    ValueError
        If the file cannot be read, or a line is not a label and a time. (The source skips such
        lines, and its Python tool keeps spaces in labels, so that they are never found.)
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{places.shown(path)} cannot be read ({type(error).__name__}); expected a text file"
            " with one 'label, milliseconds' a line; check its name."
        ) from error
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        label, _, time = (part.strip() for part in line.partition(","))
        try:
            time = float(time)  # of "1, 2", where a line has three fields, there is none
            good = label and math.isfinite(time)
        except ValueError:
            good = False
        if not good:
            raise ValueError(
                f"Line {number} of {places.shown(path)} is {line!r}; expected a label and"
                " a time in milliseconds, such as 'yes, 1250'; mend the line."
            )
        entries.append((label, time))
    return sorted(entries, key=lambda entry: entry[1])
