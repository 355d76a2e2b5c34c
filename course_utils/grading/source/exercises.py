"""The exercises of the course: finding and reading their source notebooks."""

import itertools
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils import places
from course_utils.grading.source import check_cells, marks, rules

SOLUTIONS, EXERCISES = "solutions", "exercises"
TIMEOUT_S = 20.0
"""How long a cell may take that says nothing itself."""
GIVEN_S = 60.0
"""How long a given cell may take that says nothing about it: loading TensorFlow takes half a minute
on a busy machine, and the learner can do nothing about it."""


class ExerciseError(ValueError):
    """A source notebook cannot be used; one sentence says why and what to do."""


@dataclass(frozen=True)
class ExerciseTask:
    """What gives points: a cell that the learner writes in, and the check right below it.

    Attributes
    ----------
    name : str
        The ``grade_id`` of the solution cell.
    points : float
        What it gives.
    solution, check : NotebookNode
        The two cells, as they stand in the exercise's notebook.
    timeout_s : float
        How long either of them may take.
    objective : int or None
        Number of the lesson's objective that it practises.
    without : tuple of str
        Names that the learner's cell may not mention.
    hints : tuple of str
        Sentences for known mistakes that the check may show.
    """

    name: str
    points: float
    solution: NotebookNode
    check: NotebookNode
    timeout_s: float
    objective: int | None
    without: tuple[str, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Exercise:
    """A notebook of tasks, as it is written: with solutions and hidden tests.

    Attributes
    ----------
    name : str
        The file's name without its ending, which is that of its lesson.
    path : Path
        The source notebook.
    tasks : tuple of ExerciseTask
        In their order.
    notebook : NotebookNode
        All its cells. Copy it before a change.
    """

    name: str
    path: Path
    tasks: tuple[ExerciseTask, ...]
    notebook: NotebookNode

    @property
    def points(self) -> float:
        """What all tasks give together."""
        return sum(task.points for task in self.tasks)

    @property
    def code(self) -> list[tuple[str, str]]:
        """Id and source of the code cells, in their order."""
        return [(cell.id, cell.source) for cell in self.notebook.cells if cell.cell_type == "code"]

    def task(self, name: str) -> ExerciseTask:
        """The task of that name.

        Raises
        ------
        ExerciseError
            If there is none.
        """
        for task in self.tasks:
            if task.name == name:
                return task
        raise ExerciseError(
            f"There is no task {name!r} in the exercise {self.name}: its tasks are "
            f"{', '.join(task.name for task in self.tasks)}; name one of these."
        )


def course_folder() -> Path:
    """The folder that holds ``solutions/`` and ``exercises/``.

    Returns
    -------
    Path
        ``notebooks`` in a checkout. An installed wheel carries no notebooks; there it is
        ``notebooks`` in the current folder, so that the grader works inside a copy of the course.
    """
    return places.project_root() / "notebooks"


def find(folder: str | os.PathLike[str] | None = None, *, released: bool = False) -> list[Exercise]:
    """Read all exercises of the course.

    Parameters
    ----------
    folder : path-like, optional
        What holds ``solutions/`` and ``exercises/``; by default :func:`course_folder`.
    released : bool
        Whether to read what learners get, without solutions and hidden tests.

    Returns
    -------
    list of Exercise
        In the order of the lessons.

    Raises
    ------
    ExerciseError
        If there are none, or one of them cannot be used.
    """
    sources = course_folder() if folder is None else Path(folder)
    sources /= EXERCISES if released else SOLUTIONS
    found = sorted(sources.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ExerciseError(
            f"No exercises in {places.shown(sources)}: the exercises of the course were "
            "expected there as NN_topic.ipynb; run this in the folder of the course."
        )
    return [read(path, released=released) for path in found]


def read(path: str | os.PathLike[str], *, released: bool = False) -> Exercise:
    """Read a source notebook and hold it to the rules.

    Parameters
    ----------
    path : path-like
        A notebook with solutions.
    released : bool
        Whether it is one without.

    Returns
    -------
    Exercise

    Raises
    ------
    ExerciseError
        If it cannot be read, or breaks a rule of nbgrader's schema or of ours
        (:mod:`course_utils.grading.source.rules`, :mod:`course_utils.grading.source.check_cells`).
    """
    path = Path(path)
    try:
        notebook = nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
        for cell in notebook.cells:
            cell.source = "".join(cell.source)
            if cell.metadata.get("nbgrader", {}).get("solution") and released:
                cell.source = marks.marked(cell.source)
    except OSError as error:
        raise ExerciseError(
            f"{places.shown(path)} cannot be read ({error.strerror}): a source notebook was "
            "expected there; mend its path or its permissions."
        ) from error
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ExerciseError(
            f"{places.shown(path)} is no notebook ({type(error).__name__}): JSON with cells was "
            "expected; restore the file."
        ) from error
    for problem in rules.problems(notebook):
        raise ExerciseError(f"In {places.shown(path)} {problem}; mend the source notebook.")
    return Exercise(path.stem, path, tuple(_tasks(notebook.cells)), notebook)


def released(cell: NotebookNode) -> str:
    """What a learner gets of a cell: no solution, no hidden tests.

    Parameters
    ----------
    cell : NotebookNode
        A cell of a source notebook.

    Returns
    -------
    str
        The same text that nbgrader's preprocessors leave.
    """
    if rules.about(cell).get("solution"):
        return marks.stub(cell.source)
    return marks.without_hidden_tests(cell.source)


def timeout_s(cell: NotebookNode) -> float:
    """How long a cell may take, in seconds."""
    return float(cell.metadata.get("course", {}).get("timeout_s", TIMEOUT_S))


def _tasks(cells: Iterable[NotebookNode]) -> Iterator[ExerciseTask]:
    """The pairs of cells that are tasks, in a notebook that keeps the rules."""
    for solution, check in itertools.pairwise(cells):
        if not rules.about(check).get("grade"):
            continue
        says = check_cells.read(check.source)
        own = solution.metadata.get("course", {}) | check.metadata.get("course", {})
        yield ExerciseTask(
            name=says.name,
            points=says.points,
            solution=solution,
            check=check,
            timeout_s=max(timeout_s(solution), timeout_s(check)),
            objective=own.get("objective"),
            without=says.without,
            hints=says.hints,
        )
