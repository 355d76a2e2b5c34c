"""A learner's own recordings, in the layout that ``datasets.trigger_word.from_folder`` reads.

Source of the layout: ``raw_data`` of the deeplearning.ai assignment "Trigger Word Detection".
Lesson: 05.
"""

import math
import os
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils import audio, places
from course_utils.audio.errors import name_of
from course_utils.datasets.trigger_word import FOLDERS

_SHORTEST_S = 0.1
_FULL = 32766 / 32768  # the last but one step of 16 bits, because converters stop short of the last
_QUIET_DB = -45.0  # a peak below it is room noise: speech at a metre reaches -30 dBFS and more
# JupyterLab may answer two recorders of one folder in two threads, and a number is for one clip.
_TURN = threading.Lock()


class Saved(NamedTuple):
    """A clip that was saved.

    Attributes
    ----------
    path : Path
    seconds : float
    peak_db : float
        The highest sample, in dBFS.
    warning : str
        One sentence if it is clipped or next to silent, else empty.
    """

    path: Path
    seconds: float
    peak_db: float
    warning: str


class Recordings:
    """A folder with ``activates``, ``negatives`` and ``backgrounds``: numbered WAV files.

    Parameters
    ----------
    folder : path-like
        Made when the first clip is saved.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._added: list[Path] = []

    def add(
        self, kind: str, samples: np.ndarray, sample_rate: int, name: str = "The clip"
    ) -> Saved:
        """Save a clip as 16-bit WAV under the next free number: whole, and over no other.

        Parameters
        ----------
        kind : str
            One of ``FOLDERS``.
        samples : np.ndarray of float32, shape (samples,)
            In [-1, 1].
        sample_rate : int
            In Hz.
        name : str
            What a message calls it.

        Raises
        ------
        AudioError
            If the clip is shorter than 0.1 s, holds only zeros, is no sound, or cannot be written.
        ValueError
            If there is no such kind.
        """
        checked_kind(kind)
        samples, sample_rate = audio.check(samples, sample_rate, name)
        seconds, peak = len(samples) / sample_rate, float(np.abs(samples).max())
        if seconds < _SHORTEST_S:
            raise audio.AudioError(
                f"{name} lasts {seconds:.3f} s; expected at least {_SHORTEST_S} s; it was not"
                " saved, so record for as long as the word lasts."
            )
        if not peak:
            raise audio.AudioError(
                f"{name} holds only zeros; expected sound; it was not saved, so see whether the"
                " microphone is muted or another one is chosen."
            )
        with _TURN:
            path = self._next(kind)
            audio.save(path, samples, sample_rate)
            self._added.append(path)
        return Saved(path, seconds, 20 * math.log10(peak), _warning(samples, peak))

    def _next(self, kind: str) -> Path:
        folder = self.folder / kind
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise audio.AudioError(
                f"The folder {places.shown(folder)} cannot be made ({error.strerror}); expected a"
                " place that may be written to; choose another."
            ) from error
        # Whatever the ending: 7.flac that a learner put there is number 7, too.
        taken = [int(path.stem) for path in folder.iterdir() if path.stem.isdecimal()]
        return folder / f"{max(taken, default=0) + 1}.wav"

    def undo(self) -> Path:
        """Delete the clip that was saved last and is still there, and tell which.

        Raises
        ------
        ValueError
            If none of those saved from here is left.
        """
        with _TURN:
            while self._added:
                path = self._added.pop()
                if path.exists():
                    path.unlink()
                    return path
        raise ValueError(
            f"There is no clip left that was saved from here in {places.shown(self.folder)};"
            " expected one to delete; delete older ones in the file browser."
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many WAV files there are of each kind."""
        return {kind: len(list((self.folder / kind).glob("[!.]*.wav"))) for kind in FOLDERS}


def checked_kind(kind: str) -> str:
    """The kind, if there is such a one; else ValueError."""
    if kind not in FOLDERS:
        raise ValueError(f"There is no kind {kind!r} of clip; choose one of {', '.join(FOLDERS)}.")
    return kind


def opened(name: str, content: bytes, sample_rate: int | None = None) -> tuple[np.ndarray, int]:
    """A sound file that came from a browser, see ``audio.load``; errors name it as it is there."""
    # audio.load is the one door for sound, and it reads files.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        try:
            return audio.load(path, sample_rate)
        except audio.AudioError as error:
            raise audio.AudioError(str(error).replace(str(name_of(path)), name)) from error


def _warning(samples: np.ndarray, peak: float) -> str:
    full = int(np.count_nonzero(np.abs(samples) >= _FULL))
    if full:
        return (
            f"{full} samples are at full scale, so the clip is distorted; move away from the"
            " microphone or lower its level, and record it again."
        )
    if 20 * math.log10(peak) < _QUIET_DB:
        return (
            f"The clip is next to silent (peak −{-20 * math.log10(peak):.0f} dBFS); see which"
            " microphone is chosen and come closer, and record it again."
        )
    return ""
