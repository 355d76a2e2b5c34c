"""How the audio door says no: one exception, one sentence."""

import operator
import os
from contextlib import contextmanager
from dataclasses import dataclass

import soundfile

from course_utils import places

MIN_RATE, MAX_RATE = 1_000, 768_000  # Hz
MAX_SAMPLES = 2**29  # three hours at 48 kHz, 2 GiB: more would fill a laptop's memory
COMPLETE = "a complete file: copy, download or record it again"


class AudioError(ValueError):
    """A sound that cannot be used: one sentence that says what, where and what to do."""


@dataclass(frozen=True)
class Name:
    """A file's name for a message: relative inside the course, as given elsewhere.

    Worked out where a message is made: a set has thousands of files and hardly an unfit one, and
    asking the system where each of them lies would take as long as reading it.
    """

    path: str

    def __str__(self) -> str:
        text = self.path
        if os.path.isabs(text):
            shown = places.shown(text)  # short, and the same in every reader's notebook
            text = text if shown.startswith("…") else shown
        # A line break in a file's name must not break the sentence in two.
        return "".join(character if character.isprintable() else "?" for character in text)


def name_of(path: str | os.PathLike[str]) -> Name:
    """A file's name for a message; AudioError if it is no path."""
    try:
        return Name(os.fsdecode(path))
    except TypeError as error:
        raise wrong(f"{path!r:.60}", "is no path", "the name of a file") from error


def wrong(where: str | Name, found: str, expected: str) -> AudioError:
    """The one sentence: which sound, what was found, what was expected and what to do."""
    return AudioError(f"{where} {found}; expected {expected}.")


def reason_of(error: Exception) -> str:
    """What the system or libsndfile said, on one line."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def checked_rate(sample_rate: int, where: str | Name) -> int:
    """The rate as an int in Hz; AudioError unless it is whole and from 1 kHz to 768 kHz."""
    try:
        rate = operator.index(sample_rate)
    except TypeError:
        rate = 0
    if not MIN_RATE <= rate <= MAX_RATE:
        todo = f"a whole number from {MIN_RATE} to {MAX_RATE}: give the recording's own"
        raise wrong(where, f"has a rate of {sample_rate!r:.60} Hz", todo)
    return rate


@contextmanager
def one_error(name: Name):
    """Turn what the system or libsndfile says about a file into one sentence."""
    try:
        yield
    except AudioError:
        raise
    except soundfile.SoundFileError as error:
        found = f"is damaged, truncated or not audio ({reason_of(error)})"
        raise wrong(name, found, COMPLETE) from error
    except (OSError, ValueError, MemoryError) as error:
        todo = "a file that may be read and fits into memory: check its name, rights and size"
        raise wrong(name, f"cannot be read ({reason_of(error)})", todo) from error
