"""Which cell of a submission is which cell of an exercise.

Jupyter and VS Code keep nbgrader's metadata and the ids of cells; Colab keeps ids in the metadata;
a learner who puts a notebook together by hand keeps neither, but the text.
"""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from nbformat import NotebookNode

from course_utils.grading.source import exercises, marks, rules

Count = Callable[[exercises.Exercise], int]
"""How much an exercise has of something."""


class SubmittedCell(Protocol):
    """What :class:`course_utils.grading.submissions.intake.Cell` has."""

    kind: str
    source: str
    grade_id: str
    names: tuple[str, ...]


def grade_ids(exercise: exercises.Exercise) -> set[str]:
    """The names by which nbgrader knows the cells of an exercise."""
    return {found["grade_id"] for cell in exercise.notebook.cells if (found := rules.about(cell))}


def which(exercise: exercises.Exercise, cells: Sequence[SubmittedCell]) -> dict[int, str]:
    """Find the cells of an exercise in a submission.

    Parameters
    ----------
    exercise : Exercise
        What was given out.
    cells : sequence of Cell
        What came back.

    Returns
    -------
    dict
        Index of a submitted cell -> id of the exercise's cell, each at most once. A ``grade_id``
        counts more than an id, an id more than the text; of several that fit, the last is taken.
    """
    found: dict[int, str] = {}
    for keys, fits in (
        (lambda cell: [cell.grade_id] if cell.grade_id else [], _grade_id),
        (lambda cell: [] if cell.grade_id else cell.names, _id),
        (lambda cell: [] if cell.grade_id else [(cell.kind, dense(cell.source))], _texts),
    ):
        places = {key: index for index, cell in enumerate(cells) for key in keys(cell)}
        for known in _missing(exercise, found):
            left = [places[key] for key in fits(known) if places.get(key, -1) not in {-1, *found}]
            found |= {index: known.id for index in left[:1]}
    for known in _missing(exercise, found):
        patterns = _signature(known) if rules.about(known).get("solution") else []
        for index in reversed(range(len(cells)) if patterns else ()):
            cell = cells[index]
            if index in found or cell.grade_id or cell.kind != "code":
                continue
            if all(pattern.search(cell.source) for pattern in patterns):
                found[index] = known.id
                break
    return found


def dense(text: str) -> str:
    """A text without its white space, for comparing."""
    return "".join(text.split())


def _missing(exercise: exercises.Exercise, found: dict[int, str]) -> list[NotebookNode]:
    return [cell for cell in exercise.notebook.cells if cell.id not in found.values()]


def _grade_id(known: NotebookNode) -> list[str]:
    return [rules.about(known).get("grade_id", "")]


def _id(known: NotebookNode) -> list[str]:
    return [known.id]


def _texts(known: NotebookNode) -> list[tuple[str, str]]:
    texts = (exercises.released(known), known.source)
    return [(known.cell_type, dense(text)) for text in texts if text.strip()]


def _signature(known: NotebookNode) -> list[re.Pattern[str]]:
    """Patterns of what tells a solution cell: the functions given in it, else all given lines."""
    given = [line for line in marks.with_solution(known.source, []).split("\n") if line.strip()]
    heads = [found[0] for line in given if (found := re.match(r"(async def|def|class) \w+", line))]
    lines = [r"\s+".join(map(re.escape, head.split())) + r"\b" for head in heads] or [
        r"\s*".join(map(re.escape, line.split())) + r"\s*$" for line in given
    ]
    return [re.compile("^" + line, re.MULTILINE) for line in lines]
