"""From what the check cell of a task left behind to its points."""

from collections.abc import Iterable

from course_utils.grading.checks import scores, values
from course_utils.grading.judging.judge import Judge
from course_utils.grading.judging.results import TaskResult
from course_utils.grading.running.execution import Execution
from course_utils.grading.source.exercises import ExerciseTask
from course_utils.grading.submissions import learner_code

_FATAL = ("dead", "timeout")


def award(task: ExerciseTask, source: str, run: Execution, judge: Judge | None) -> TaskResult:
    """Find the points of one task.

    Parameters
    ----------
    task : ExerciseTask
        The task, of the source notebook.
    source : str
        What the learner wrote for it.
    run : Execution
        The notebook's run in the sandbox.
    judge : Judge or None
        Checks recorded answers; None takes the score that the check cell itself gave.

    Returns
    -------
    TaskResult

    Raises
    ------
    JudgeError
        If the source notebook itself does not run.
    """
    result = TaskResult(0.0, task.points)
    found = learner_code.mentions(source, task.without)
    if found:
        result.reason = (
            f"The cell mentions {' and '.join(found)}, the finished thing; expected your own code; "
            "write it yourself."
        )
        return result
    evidence, result.reason = _evidence(task, run, judge is not None)
    if evidence is None:
        return result
    try:
        if judge is not None:
            evidence = judge.judge(task.check.id, evidence["outcomes"])
        result.checks = [_check(**check) for check in evidence["checks"]]
    except (TypeError, ValueError):
        result.reason = (
            "The answers cannot be read; take out whatever writes results in their place."
        )
        return result
    result.points = task.points if evidence["points"] == task.points else 0.0
    if not result.points:
        result.reason = _own_cell(task, run)
    return result


def borrowed(task: ExerciseTask, own_cells: Iterable[str]) -> list[str]:
    """Note the learner's own cells that mention what a task does without.

    They cost nothing: to compare with the finished thing is good practice.

    Parameters
    ----------
    task : ExerciseTask
        The task.
    own_cells : iterable of str
        Sources of the cells that the learner has added.

    Returns
    -------
    list of str
        A sentence, or nothing.
    """
    found = learner_code.mentions("\n".join(own_cells), task.without)
    says = f"A cell of the learner's own mentions {' and '.join(found)}, what {task.name} builds."
    return [says] if found else []


def _own_cell(task: ExerciseTask, run: Execution) -> str:
    """What happened to the learner's cell, if it did not run through."""
    cell = run.cells.get(task.solution.id)
    if cell is None or cell.status in ("ok", "not run"):
        return ""
    if cell.status == "timeout":
        return (
            f"Your cell ran for more than {task.timeout_s:g} s and was stopped: does it ever end?"
        )
    errors = [output for output in cell.outputs if output.get("output_type") == "error"]
    told = f": {errors[0].get('ename')}: {errors[0].get('evalue')}"[:300] if errors else ""
    return f"Your cell did not run to its end{told or '; Python ended in it'}."


def _check(says: str, correct: bool, hint: str) -> dict:
    """A check of a score that may have been written by anybody."""
    return {"says": str(says), "correct": correct is True, "hint": str(hint)}


def _evidence(task: ExerciseTask, run: Execution, recorded: bool) -> tuple[dict | None, str]:
    """What the check cell of a task gave, or the reason why there is nothing to judge."""
    cell = run.cells.get(task.check.id)
    if cell is None or cell.status != "ok":
        return None, _why_not(cell.status if cell else "not run", run, task)
    mime = values.MIME if recorded else scores.MIME
    found = [out["data"][mime] for out in cell.outputs if mime in out.get("data", {})]
    wanted = {"task", "outcomes"} if recorded else {"task", "points", "checks"}
    if (
        len(found) == 1
        and isinstance(found[0], dict)
        and wanted <= found[0].keys()
        and found[0]["task"] == task.name
    ):
        return found[0], ""
    return None, (
        f"The check gave {len(found)} answers, or none that can be read; expected exactly one of "
        "its own; take out whatever prints or changes results in its place."
    )


def _why_not(status: str, run: Execution, task: ExerciseTask) -> str:
    sentences = {
        "error": "The check itself could not run to its end; let your cell change nothing but what "
        "the task asks for.",
        "timeout": f"The check ran for more than {task.timeout_s:g} s and was stopped; a loop may "
        "never end.",
        "dead": "Python ended while the check ran; take out what ends it.",
        "not run": "The check did not run.",
    }
    stopped = next((name for name, cell in run.cells.items() if cell.status in _FATAL), None)
    if status == "not run" and stopped and not run.reason:
        return f"The check did not run, because everything ended in the cell {stopped!r}."
    return f"{sentences[status]} {run.reason}".strip()
