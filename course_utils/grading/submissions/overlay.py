"""Laying a submission over the pristine notebook: of the learner's only the code counts.

Checks, set-up and text, their order, tags, timeouts and points come from the source notebook alone.
"""

import copy
from collections import defaultdict
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from course_utils.grading.source import rules
from course_utils.grading.source.exercises import GIVEN_S, Exercise, released
from course_utils.grading.submissions import matching
from course_utils.grading.submissions.intake import Cell, Submission
from course_utils.grading.submissions.learner_code import NO_PYTHON, parsed, without_markers

EXTRA = "learner-extra"


@dataclass(frozen=True)
class Overlaid:
    """A submission that is ready to run.

    Attributes
    ----------
    notebook : NotebookNode
        The source notebook with the learner's code; no outputs.
    notes : tuple of str
        Sentences for the learner: what was missing, put back, moved or left out.
    sources : dict
        The learner's code by the ``grade_id`` of the solution cell; the blank one where it is
        missing.
    extras : tuple of str
        Code of the learner's own cells, in their order.
    """

    notebook: NotebookNode
    notes: tuple[str, ...]
    sources: dict[str, str]
    extras: tuple[str, ...]


def lay_over(exercise: Exercise, submission: Submission) -> Overlaid:
    """Put a learner's code into the source notebook.

    Parameters
    ----------
    exercise : Exercise
        The pristine notebook.
    submission : Submission
        What came back.

    Returns
    -------
    Overlaid
        Its solution cells hold what the learner's cells of the same ``grade_id`` hold, else of the
        same id, else with the same function in it. The learner's own code cells stand right behind
        the known cell that they followed, or before the first known one; where no cell is known,
        none is kept.
    """
    places = matching.which(exercise, submission.cells)
    submitted = {name: submission.cells[index] for index, name in places.items()}
    notes: list[str] = []
    behind, extras = _own_cells(exercise, submission, places, notes)
    sources: dict[str, str] = {}
    notebook = copy.deepcopy(exercise.notebook)
    cells = behind.get("", [])
    for cell in notebook.cells:
        found = submitted.get(cell.id)
        if rules.about(cell).get("solution"):
            _fill(cell, found, notes)
            sources[cell.metadata.nbgrader.grade_id] = cell.source
        elif cell.cell_type == "code":
            notes += _given(cell, found)
            if not rules.about(cell).get("grade"):
                cell.metadata["course"] = {"timeout_s": GIVEN_S} | cell.metadata.get("course", {})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells += [cell, *behind.get(cell.id, [])]
    notebook.cells = cells
    return Overlaid(notebook, tuple(notes), sources, tuple(extras))


def _fill(cell: NotebookNode, found: Cell | None, notes: list[str]) -> None:
    """Put the learner's code into a solution cell."""
    name = cell.metadata.nbgrader.grade_id
    if found is None:
        notes.append(f"The cell of the task {name!r} is missing, so it counts as not written.")
        cell.source = released(cell)
        return
    cell.source = _cleaned(found.source, f"The cell of the task {name!r}", notes)
    if found.kind != "code":
        notes.append(f"The cell of the task {name!r} had become text; it was run as code.")
    try:
        parsed(cell.source)
    except NO_PYTHON as error:
        line = getattr(error, "lineno", None)
        where = f" in line {line}" if line else ""
        notes.append(f"The cell of the task {name!r} is no Python{where}: {_first_line(error)}.")
    except (RuntimeError, MemoryError):
        notes.append(f"The cell of the task {name!r} is too long or too deep to be looked through.")


def _given(cell: NotebookNode, found: Cell | None) -> list[str]:
    """A note on a cell of the exercise that is not the learner's to write."""
    if found is None:
        return [f"The cell {cell.id!r} is missing; the exercise's own was put back."]
    texts = {matching.dense(cell.source), matching.dense(released(cell))}
    if found.kind == "code" and matching.dense(found.source) in texts:
        return []
    return [f"The cell {cell.id!r} was changed; the exercise's own was run instead."]


def _own_cells(
    exercise: Exercise, submission: Submission, places: dict[int, str], notes: list[str]
) -> tuple[dict[str, list[NotebookNode]], list[str]]:
    """The learner's own code cells by the id of the known cell before them, "" at the start."""
    behind: dict[str, list[NotebookNode]] = defaultdict(list)
    sources: list[str] = []
    texts, before = 0, ""
    for index, cell in enumerate(submission.cells):
        before = places.get(index, before)
        if index in places or not cell.source.strip():
            continue
        if cell.kind != "code":
            texts += 1
            continue
        source = _cleaned(cell.source, f"Your own cell {index + 1}", notes)
        sources.append(source)
        behind[before].append(
            nbformat.v4.new_code_cell(source, id=f"{EXTRA}-{len(sources)}", metadata={})
        )
    if sources and not places:
        notes.append(
            f"{len(sources)} cells of code were left out: no cell of the exercise is near."
        )
        return {}, []
    if texts:
        notes.append(f"Cells of text that are your own: {texts}; nothing in them is graded.")
    return behind, sources


def _cleaned(source: str, whose: str, notes: list[str]) -> str:
    clean = without_markers(source)
    if clean != source:
        notes.append(f"{whose} holds marks for nbval in comments; they were made harmless.")
    return clean


def _first_line(error: BaseException) -> str:
    return (str(getattr(error, "msg", "") or error).splitlines() or [type(error).__name__])[0]
