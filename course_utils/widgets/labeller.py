"""The labeller: play a long recording, mark the words in it, save them as ground truth.

Validation on real recordings needs words that somebody listened to and marked. The marks are saved
in the format of the streaming lesson, one ``label, milliseconds`` a line in ``x_labels.txt`` beside
``x.wav``, which ``streaming.read_ground_truth`` reads. Lessons: 04, 05.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from course_utils import audio
from course_utils.streaming.ground_truth import (
    check_entries,
    labels_beside,
    read_ground_truth,
    write_ground_truth,
)
from course_utils.widgets.labeller_view import COLUMNS_PER_S, Pieces, overview

LONGEST_S = 7200
"""Longest recording that is taken, in seconds."""

_RATES = (8000, 96000)  # Hz; what every browser plays
_PIECE_S = 5
_OVERVIEW_COLUMNS = 1000
_A_MARK = "expected a word and a time in milliseconds, such as ['activate', 1250]; mend it"
_STATIC = Path(__file__).parent / "static"
_MOMENTS = {
    "beginning": "A mark's time is the beginning of its word, as in the streaming lesson.",
    "end": "A mark's time is the end of its word, as in the scenes of a trigger word.",
}


class Labeller(anywidget.AnyWidget):
    """A player with marks on its time line; shown by being the last line of a cell.

    The browser is given the recording in pieces of five seconds, when it wants to show or to play
    them, so that its length matters neither for a message nor for the browser's memory.

    Parameters
    ----------
    samples : np.ndarray of float32, shape (samples,)
        Kept, not copied.
    sample_rate : int
        In Hz, from 8000 to 96000.
    words : sequence of str
        What may be marked; the keys 1 to 9 choose among the first nine.
    path : path-like, optional
        The recording's own file, ``x.wav``: `save` writes ``x_labels.txt`` beside it. Without it
        nothing can be saved, and ``marks`` are there to be used.
    marks : iterable of (str, float)
        Words marked already: label and time in milliseconds.
    moment : "beginning" or "end"
        What a mark's time means to those who will use it: the beginning of its word, as in the
        streaming lesson, or its end, as in the scenes of a trigger word. It only changes the text
        that is shown.

    Attributes
    ----------
    marks : list of [str, float]
        Label and time in milliseconds, in order of time; always what the browser shows. To change
        them from Python, assign another list.
    words : list of str
    status : str
        The last sentence that was said.

    Raises
    ------
    ValueError
        If the recording is no sound (AudioError), longer than two hours or of another rate; words,
        marks or moment are unfit; or the file of words cannot be read.
    """

    _esm = _STATIC / "labeller.js"
    _css = _STATIC / "labeller.css"
    marks = traitlets.Any().tag(sync=True)
    words = traitlets.List().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    _saved = traitlets.List().tag(sync=True)
    _sound = traitlets.Dict().tag(sync=True)
    _overview = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        samples: np.ndarray,
        sample_rate: int,
        words: Sequence[str],
        *,
        path: str | os.PathLike[str] | None = None,
        marks: Iterable[tuple[str, float]] = (),
        moment: str = "beginning",
    ) -> None:
        samples, rate = _checked_sound(samples, sample_rate)
        if moment not in _MOMENTS:
            raise ValueError(
                f"The moment is {moment!r}; expected 'beginning' or 'end' of the word; choose one."
            )
        outline, loudest = overview(samples, _OVERVIEW_COLUMNS)
        self._pieces = Pieces(samples, rate, _PIECE_S, loudest)
        self._path = None if path is None else labels_beside(Path(path).absolute())
        # JupyterLab may answer every message in a thread of its own.
        self._turn = threading.RLock()
        sound = {
            "rate": rate, "samples": len(samples), "piece_s": _PIECE_S, "columns": COLUMNS_PER_S,
            "file": self._path and self._path.name, "note": _MOMENTS[moment],
        }  # fmt: skip
        super().__init__(
            words=_checked_words(words), marks=marks, _sound=sound, _overview=outline.tobytes()
        )
        self._saved = self._fit(self.marks) if self.marks == self._on_disk() else []
        self.on_msg(self._answer)

    @property
    def seconds(self) -> float:
        """How long the recording lasts."""
        return self._sound["samples"] / self._sound["rate"]

    @property
    def unsaved(self) -> bool:
        """Whether the marks differ from what was last read or saved."""
        return self.marks != self._saved

    def __repr__(self) -> str:
        counted = Counter(label for label, _ in self.marks)
        kinds = ", ".join(f"{label} {n}" for label, n in counted.items())
        return (
            f"labeller: {self.seconds:.2f} s at {self._sound['rate']} Hz,"
            f" {_number(self.marks)}{f' ({kinds})' if kinds else ''}"
            f"{', not saved' if self.unsaved else ''}"
        )

    def save(self, *, overwrite: bool = False) -> Path:
        """Write the marks to the file of words, whole or not at all.

        Parameters
        ----------
        overwrite : bool
            Also if the file has other words by now than this labeller has read or saved.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        ValueError
            If no path was given, the file has other words, or it cannot be read or written
            (AudioError); it then stays as it was.
        """
        return self._save(self.marks, overwrite)

    def _save(self, marks: Iterable, overwrite: bool = False) -> Path:
        if self._path is None:
            raise ValueError(
                "This labeller has no file to save to; expected the path of the recording; make it"
                " with labeller.open(path), or use its marks as they are."
            )
        with self._turn:
            marks = self._fit(marks)
            there = self._on_disk()
            if self._path.exists() and there != self._saved and not overwrite:
                raise ValueError(
                    f"{self._path.name} holds {_number(there)} that this labeller has neither read"
                    " nor saved; expected its own; open the recording again with labeller.open, or"
                    " replace them with labeller.save(overwrite=True)."
                )
            write_ground_truth(self._path, marks)
            self._saved = marks
        self._say(f"Saved {_number(marks)} to {self._path.name}.")
        return self._path

    def _on_disk(self) -> list[list]:
        """The words of the file, none if it is not there."""
        there = self._path is not None and self._path.exists()
        return [[label, time] for label, time in read_ground_truth(self._path)] if there else []

    @traitlets.validate("marks")
    def _validate_marks(self, proposal: dict) -> list[list]:
        return self._fit(proposal["value"])

    def _fit(self, marks: Iterable) -> list[list]:
        """A new list of marks in order of time; ValueError if one is unfit."""
        try:
            marks = list(marks)
        except TypeError as error:
            raise ValueError(f"The marks are {marks!r:.60}; {_A_MARK}.") from error
        fit = [self._fit_mark(number, mark) for number, mark in enumerate(marks, start=1)]
        return sorted(fit, key=lambda mark: mark[1])

    def _fit_mark(self, number: int, mark: object) -> list:
        pair = isinstance(mark, (tuple, list)) and len(mark) == 2
        if not pair or not isinstance(mark[1], Real) or isinstance(mark[1], bool):
            raise ValueError(f"Mark {number} is {mark!r:.60}; {_A_MARK}.")
        label, time = mark
        if label not in self.words:
            raise ValueError(
                f"The word of mark {number} is {label!r:.60}; expected one of"
                f" {', '.join(self.words)}; make the labeller with this word, or mend the mark."
            )
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not 0 <= time <= 1000 * self.seconds:
            raise ValueError(
                f"Mark {number} ({label}) is at {time} ms; expected a time within the recording,"
                f" 0 to {1000 * self.seconds:g} ms; see which recording it belongs to."
            )
        return [label, int(time) if time == int(time) else float(time)]

    def set_state(self, sync_data: dict) -> None:
        """Take what the browser sends: marks, if they are fit, and nothing else."""
        with self._turn:
            try:
                if "marks" in sync_data:
                    super().set_state({"marks": self._fit(sync_data["marks"])})
            except ValueError as error:
                self._say(str(error))
                self.send_state("marks")  # the browser goes back to what is true here

    def _answer(self, widget: object, asked: object, buffers: object) -> None:
        """Give a piece of the recording, or save: the browser sends the marks that it shows.

        A message may overtake the one with the last change of ``marks``.
        """
        number = asked.get("piece") if isinstance(asked, dict) else None
        try:
            if isinstance(asked, dict) and "save" in asked:
                self._save(asked["save"])
            elif type(number) is int and 0 <= number < len(self._pieces):
                sound, picture = self._pieces.sound(number), self._pieces.picture(number)
                self.send({"piece": number}, [sound, picture])
            else:
                raise ValueError(
                    f"The browser asked for {asked!r:.60}; expected marks to save, or a piece from"
                    f" 0 to {len(self._pieces) - 1}; run the cell again."
                )
        except ValueError as error:
            self._say(str(error))

    def _say(self, sentence: str) -> None:
        self.status = ""  # so that the same sentence is said again
        self.status = sentence


def open(
    path: str | os.PathLike[str], words: Sequence[str] = ("activate",), *, moment: str = "beginning"
) -> Labeller:
    """A labeller for a sound file, with the marks of ``x_labels.txt`` if that is beside ``x.wav``.

    Words that this file has and ``words`` has not are added to them. Parameters and errors:
    :class:`Labeller`.
    """
    samples, sample_rate = audio.load(path)
    labels = labels_beside(path)
    marks = read_ground_truth(labels) if labels.exists() else []
    words = dict.fromkeys([*_checked_words(words), *(label for label, _ in marks)])
    return Labeller(samples, sample_rate, list(words), path=path, marks=marks, moment=moment)


def _checked_sound(samples: np.ndarray, sample_rate: int) -> tuple[np.ndarray, int]:
    samples, rate = audio.check(samples, sample_rate, "The recording")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ValueError(
            f"The recording has a rate of {rate} Hz; expected {_RATES[0]} to {_RATES[1]}, which"
            " every browser plays; load it with audio.load(path, 16000)."
        )
    if len(samples) > LONGEST_S * rate:
        raise ValueError(
            f"The recording lasts {len(samples) / rate:.1f} s; expected at most {LONGEST_S} s"
            f" ({LONGEST_S / 3600:g} hours); cut it into parts."
        )
    return samples, rate


def _checked_words(words: Sequence[str]) -> list[str]:
    """Words that a file of words can hold, each once."""
    fit = [] if isinstance(words, str) else list(words)
    if not fit or not all(isinstance(word, str) for word in fit):
        raise ValueError(
            f"The words are {words!r:.60}; expected a list of at least one, such as ['activate'];"
            " write it with brackets."
        )
    check_entries("The file of words", [(word, 0) for word in fit])
    return list(dict.fromkeys(fit))


def _number(marks: list) -> str:
    return f"{len(marks)} mark{'' if len(marks) == 1 else 's'}"
