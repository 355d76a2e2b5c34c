"""Taking in a submission: a file from anybody, read without trusting it.

The JSON is read as it is, because nbformat renames duplicate ids while it reads. Only sources and
the names of cells are kept: no outputs, no metadata, no attachments.
"""

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

from course_utils import places
from course_utils.grading.source.exercises import Exercise
from course_utils.grading.submissions import matching

MAX_BYTES = 50_000_000
MAX_CELLS = 1000
MAX_SOURCE = 500_000
"""Most characters of all cells together."""
# What no file that the grader writes can hold: NUL, and halves of characters.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


class SubmissionError(ValueError):
    """A submission cannot be graded; one sentence says what was found and what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell of a submission.

    Attributes
    ----------
    kind : str
        ``"code"``, ``"markdown"`` or ``"raw"``.
    source : str
        Its text.
    grade_id : str
        nbgrader's name for it, or nothing.
    names : tuple of str
        Its id, and the one that Colab keeps in the metadata.
    """

    kind: str
    source: str
    grade_id: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """What is taken from a learner's notebook.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    cells : tuple of Cell
        In their order. A ``grade_id`` stands once: of several cells the last keeps it.
    notes : tuple of str
        Sentences for the learner.
    """

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def by_grade_id(self) -> dict[str, Cell]:
        """The cells that nbgrader's metadata names."""
        return {cell.grade_id: cell for cell in self.cells if cell.grade_id}

    @property
    def extras(self) -> tuple[Cell, ...]:
        """The cells that it does not name."""
        return tuple(cell for cell in self.cells if not cell.grade_id)


def read(path: str | os.PathLike[str]) -> Submission:
    """Read a submission.

    Parameters
    ----------
    path : path-like
        A notebook as Jupyter, VS Code or Colab saves it, format 3 or 4.

    Returns
    -------
    Submission

    Raises
    ------
    SubmissionError
        If it is missing, not a plain file, too large, not JSON, no notebook, of another format, or
        has cells that cannot be read.
    """
    path = Path(path)
    notes: list[str] = []
    found = _notebook(_json(_bytes(path), path), path, notes).get("cells")
    if not isinstance(found, list):
        raise _refused(path, "has no list of cells", "a notebook with cells", _SAVE)
    if len(found) > MAX_CELLS:
        raise _refused(
            path, f"has {len(found)} cells", f"at most {MAX_CELLS}", "delete those of no use"
        )
    cells = [_cell(cell, number, path, notes) for number, cell in enumerate(found, start=1)]
    length = sum(len(cell.source) for cell in cells)
    if length > MAX_SOURCE:
        told = f"has {length} characters in its cells"
        raise _refused(path, told, f"at most {MAX_SOURCE}", "keep data in files, not in cells")
    name = _UNWRITABLE.sub("\ufffd", path.stem)
    return Submission(name, _deduplicated(cells, notes), tuple(notes))


def exercise_of(submission: Submission, exercises: Sequence[Exercise]) -> Exercise:
    """Find out which exercise a submission belongs to.

    Parameters
    ----------
    submission : Submission
        From :func:`read`.
    exercises : sequence of Exercise
        All that there are.

    Returns
    -------
    Exercise
        The one with the most cells of the same ``grade_id``; else with the most solution cells that
        are found by their ids or their text; the file's name decides between equals.

    Raises
    ------
    SubmissionError
        If it has cells of no exercise, or of several alike.
    """
    ids = {cell.grade_id for cell in submission.cells if cell.grade_id}
    best = _most(exercises, lambda exercise: len(ids & matching.grade_ids(exercise)))
    best = best or _most(exercises, lambda exercise: _answers(exercise, submission))
    if len(best) > 1:
        best = [each for each in best if each.name.lower() in submission.name.lower()] or best
    if len(best) == 1:
        return best[0]
    known = ", ".join(exercise.name for exercise in exercises)
    if not best:
        raise SubmissionError(
            f"{submission.name!r} has no cell in which an exercise is answered: a notebook from "
            f"notebooks/exercises was expected, one of {known}; hand in that one, not the lesson."
        )
    raise SubmissionError(
        f"{submission.name!r} has cells of {' and '.join(each.name for each in best)} alike: those "
        "of one exercise were expected; hand in one notebook for each, under its own name."
    )


_SAVE = "save it again from Jupyter and hand in that file"


def _refused(path: Path, found: str, expected: str, advice: str) -> SubmissionError:
    shown = _UNWRITABLE.sub("\ufffd", places.shown(path))
    return SubmissionError(f"{shown} {found}: {expected} was expected; {advice}.")


def _bytes(path: Path) -> bytes:
    """The file, unless it is too large or anything but a plain file."""
    try:
        # A link could name the solutions, or any file of whoever grades; a pipe would never end.
        kind = path.lstat().st_mode
        if not stat.S_ISREG(kind):
            what = "a folder" if stat.S_ISDIR(kind) else "a link or a device"
            raise _refused(path, f"is {what}", "a notebook file", "name the file itself")
        with path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SubmissionError):
            raise
        why = getattr(error, "strerror", None) or "no file can have this name"
        raise _refused(
            path, f"cannot be read ({why})", "a notebook file", "check its name and its permissions"
        ) from error
    if len(found) > MAX_BYTES:
        limit = f"at most {MAX_BYTES // 1_000_000} MB"
        raise _refused(path, "is too large", limit, "clear its outputs and save it again")
    if not found.strip():
        raise _refused(path, "is empty", "a notebook", _SAVE)
    return found


def _json(found: bytes, path: Path) -> object:
    try:
        return json.loads(found)
    except json.JSONDecodeError as error:
        what = "is a web page" if found.lstrip()[:1] == b"<" else "is no JSON"
        told = f"{what} (line {error.lineno}: {error.msg})"
        raise _refused(path, told, "a notebook file", _SAVE) from error
    except UnicodeDecodeError as error:
        raise _refused(path, "is not text in UTF-8", "a notebook file", _SAVE) from error
    except (ValueError, RecursionError) as error:
        told = "holds JSON that is nested too deep or has a number too long"
        raise _refused(path, told, "a notebook file", _SAVE) from error


def _notebook(found: object, path: Path, notes: list[str]) -> dict:
    """A notebook of format 4, or one of format 3 as one of format 4."""
    version = found.get("nbformat") if isinstance(found, dict) else None
    if isinstance(version, bool) or not isinstance(version, int):
        raise _refused(path, "is JSON but no notebook", "one with nbformat and cells", _SAVE)
    if version == 3:
        try:
            upgraded = nbformat.v4.upgrade(nbformat.from_dict(found), from_version=3, from_minor=0)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            told = "is a notebook of format 3 with parts missing"
            raise _refused(path, told, "a whole one", _SAVE) from error
        notes.append("The notebook was in the old format 3 and was converted to format 4.")
        return upgraded
    if version != 4:
        raise _refused(path, f"is a notebook of format {version}", "format 4", _SAVE)
    return found


def _cell(found: object, number: int, path: Path, notes: list[str]) -> Cell:
    """What is taken from one cell."""
    kind = found.get("cell_type") if isinstance(found, dict) else None
    source = found.get("source") if isinstance(found, dict) else None
    if source is None:
        source = ""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if kind not in ("code", "markdown", "raw") or not isinstance(source, str):
        told = f"has a cell {number} that is neither code nor text"
        raise _refused(path, told, "cell_type and source in it", _SAVE)
    # Python takes every kind of line end for the same; those who read by line do not.
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if _UNWRITABLE.search(source):
        source = _UNWRITABLE.sub("\ufffd", source)
        notes.append(
            f"Cell {number} holds characters that are none (NUL or half of one); each was replaced "
            "by the sign \ufffd."
        )
    metadata = found.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader = metadata.get("nbgrader")
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else ""
    names = tuple(
        each for each in (found.get("id"), metadata.get("id")) if isinstance(each, str) and each
    )
    return Cell(kind, source, grade_id if isinstance(grade_id, str) else "", names)


def _deduplicated(cells: list[Cell], notes: list[str]) -> tuple[Cell, ...]:
    """Let the last of several cells keep their ``grade_id``, as nbgrader does."""
    left = Counter(cell.grade_id for cell in cells if cell.grade_id)
    for name, count in left.items():
        if count > 1:
            notes.append(
                f"{count} cells are copies with the grade_id {_UNWRITABLE.sub('?', name)!r}; the "
                "last one counts, so delete the others."
            )
    kept = []
    for cell in cells:
        left[cell.grade_id] -= 1
        kept.append(replace(cell, grade_id="") if left[cell.grade_id] > 0 else cell)
    return tuple(kept)


def _most(exercises: Iterable[Exercise], count: matching.Count) -> list[Exercise]:
    """Those with the highest count above nought."""
    counted = [(count(exercise), exercise) for exercise in exercises]
    highest = max((number for number, _ in counted), default=0)
    return [exercise for number, exercise in counted if number == highest > 0]


def _answers(exercise: Exercise, submission: Submission) -> int:
    """How many solution cells of an exercise a submission has, by ids or by text."""
    solutions = {task.solution.id for task in exercise.tasks}
    return len(solutions & set(matching.which(exercise, submission.cells).values()))
