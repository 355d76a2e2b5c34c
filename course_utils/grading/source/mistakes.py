"""Mistakes that people make, listed beside each source notebook, and notebooks that hold them.

``NN_topic.mistakes.json`` holds, by the names of tasks, lists of ``name``, ``solution`` (lines in
place of those between the marks) and ``hint`` (a piece of the sentence that must be shown).
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from course_utils import places
from course_utils.grading.source import marks, rules
from course_utils.grading.source.exercises import Exercise, ExerciseTask, released

AT_LEAST = 3
"""Mistakes for each task."""


class MistakesError(ValueError):
    """A list of mistakes cannot be used; one sentence says why and what to do."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer.

    Attributes
    ----------
    name : str
        What is wrong, in a few words.
    solution : tuple of str
        Lines that stand in place of those between the marks.
    hint : str
        A piece of the sentence that the check must show.
    """

    name: str
    solution: tuple[str, ...]
    hint: str


def read(exercise: Exercise) -> dict[str, tuple[Mistake, ...]]:
    """Read the mistakes listed for an exercise.

    Parameters
    ----------
    exercise : Exercise
        Its source notebook has the list beside it.

    Returns
    -------
    dict
        Task -> mistakes, in the order of the tasks.

    Raises
    ------
    MistakesError
        If the list is missing, is not of the form above, leaves out a task or names an unknown one,
        has fewer than three mistakes for one, or a mistake that is no Python in its place, equals
        the solution, has the name of another, or expects a hint that its check does not have.
    """
    path = exercise.path.with_suffix(".mistakes.json")
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MistakesError(
            f"{places.shown(path)} cannot be read ({error}): the mistakes of the exercise were "
            "expected there as JSON; write or mend it."
        ) from error
    for problem in _problems(exercise, listed):
        raise MistakesError(f"In {places.shown(path)} {problem}; mend the list.")
    return {
        task.name: tuple(
            Mistake(each["name"], tuple(each["solution"]), each["hint"])
            for each in listed[task.name]
        )
        for task in exercise.tasks
    }


def solved(exercise: Exercise) -> NotebookNode:
    """What a learner hands in who has solved everything.

    Returns
    -------
    NotebookNode
        The released notebook with the solutions, without marks and hidden tests.
    """
    return _handed_in(exercise, "")


def untouched(exercise: Exercise) -> NotebookNode:
    """What a learner hands in who has written nothing: the released notebook."""
    return _handed_in(exercise, None)


def placed(exercise: Exercise, task: str, mistake: Mistake) -> NotebookNode:
    """What a learner hands in who has solved everything but for one mistake.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    task : str
        The task in which the mistake is made.
    mistake : Mistake
        From :func:`read`.

    Returns
    -------
    NotebookNode

    Raises
    ------
    ExerciseError
        If there is no such task.
    """
    return _handed_in(exercise, exercise.task(task).name, list(mistake.solution))


def _handed_in(
    exercise: Exercise, task: str | None, lines: list[str] | None = None
) -> NotebookNode:
    """The released notebook, solved unless task is None, with lines in place of one solution."""
    notebook = copy.deepcopy(exercise.notebook)
    for cell in notebook.cells:
        name = rules.about(cell).get("grade_id")
        if rules.about(cell).get("solution") and task is not None:
            own = lines if name == task else marks.solution(cell.source)
            cell.source = marks.with_solution(cell.source, own or [])
        else:
            cell.source = released(cell)
    return notebook


def _problems(exercise: Exercise, listed: object) -> Iterator[str]:
    names = [task.name for task in exercise.tasks]
    if not isinstance(listed, dict) or set(listed) != set(names):
        found = sorted(listed) if isinstance(listed, dict) else type(listed).__name__
        yield f"the tasks are {found}, expected {sorted(names)}"
        return
    for task in exercise.tasks:
        found = listed[task.name]
        if not isinstance(found, list) or len(found) < AT_LEAST:
            number = len(found) if isinstance(found, list) else "no list"
            yield f"{task.name!r} has {number} mistakes, expected at least {AT_LEAST}"
            continue
        if not all(_formed(mistake) for mistake in found):
            yield f"a mistake of {task.name!r} is not whole, expected name, solution (lines), hint"
            continue
        called = [mistake["name"] for mistake in found]
        for name in sorted({each for each in called if called.count(each) > 1}):
            yield f"{task.name!r} has two mistakes {name!r}, expected names of their own"
        for mistake in found:
            for problem in _wrong_with(task, mistake):
                yield f"the mistake {mistake['name']!r} of {task.name!r} {problem}"


def _formed(mistake: object) -> bool:
    return (
        isinstance(mistake, dict)
        and mistake.keys() == {"name", "solution", "hint"}
        and all(isinstance(mistake[key], str) and mistake[key].strip() for key in ("name", "hint"))
        and isinstance(mistake["solution"], list)
        and bool(mistake["solution"])
        and all(isinstance(line, str) and "\n" not in line for line in mistake["solution"])
    )


def _wrong_with(task: ExerciseTask, mistake: dict) -> Iterator[str]:
    source = marks.with_solution(task.solution.source, mistake["solution"])
    try:
        compile(source, "<mistake>", "exec", dont_inherit=True)  # which also knows a stray return
    except (SyntaxError, ValueError) as error:
        yield f"is no Python in its place ({error}), expected lines with their indentation"
    if mistake["solution"] == marks.solution(task.solution.source):
        yield "is the solution itself, expected something wrong"
    if not any(mistake["hint"] in hint for hint in task.hints):
        yield f"expects {mistake['hint']!r}, expected a piece of a hint of its check"
