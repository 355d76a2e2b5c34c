"""A small exercise of two tasks, written in code, and submissions of it as files."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils.grading.source import exercises, mistakes

NAME = "42_echoes"
COUNT = '''\
def frame_count(n_samples: int, window: int, stride: int) -> int:
    """Number of frames."""
    ### BEGIN SOLUTION
    hops = (n_samples - window) // stride
    return 1 + hops
    ### END SOLUTION'''
COUNT_CHECK = """\
from course_utils.grading import Task

task = Task("frame_count", points=2)
task.that(
    lambda: frame_count(16000, 480, 160),
    98,
    says="one second",
    hints={97: "One too few: the first window counts, too.", 100: "Every window must fit."},
)
### BEGIN HIDDEN TESTS
for samples in (480, 481, 640):
    task.that(
        lambda: frame_count(samples, 480, 160),
        lambda: (samples - 480) // 160 + 1,
        says=f"{samples} samples",
    )
### END HIDDEN TESTS
task.score()"""
POWER = '''\
def power(values: np.ndarray) -> np.ndarray:
    """Power of each value."""
    ### BEGIN SOLUTION
    return values**2
    ### END SOLUTION'''
POWER_CHECK = """\
from course_utils.grading import Task

task = Task("power", points=3, without=("square", "numpy.linalg"))
values = np.arange(4.0)
task.that(
    lambda: power(values.copy()),
    lambda: values * values,
    says="a ramp",
    hints=[(lambda: 2 * values, "This is twice the value."), (lambda: values, "Not changed.")],
)
task.holds(
    lambda: power(-values),
    lambda found: (found >= 0).all(),
    says="no power is negative",
    hints=[(lambda found: found.min() < 0, "A power is never negative.")],
)
### BEGIN HIDDEN TESTS
task.that(lambda: power(values + 0.5), lambda: (values + 0.5) ** 2, says="between")
### END HIDDEN TESTS
task.score()"""
MISTAKES = {
    "frame_count": [
        {
            "name": "first forgotten",
            "solution": ["    return (n_samples - window) // stride"],
            "hint": "One too few",
        },
        {
            "name": "window forgotten",
            "solution": ["    return n_samples // stride"],
            "hint": "must fit",
        },
        {"name": "the lesson's number", "solution": ["    return 100"], "hint": "must fit"},
    ],
    "power": [
        {"name": "twice", "solution": ["    return 2 * values"], "hint": "twice"},
        {"name": "nothing done", "solution": ["    return values"], "hint": "Not changed"},
        {"name": "sign kept", "solution": ["    return values * abs(values)"], "hint": "negative"},
    ],
}


def text(name: str, source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=name)


def code(name: str, source: str, **metadata: object) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, id=name, metadata=metadata)


def solution(name: str, source: str, **own: object) -> NotebookNode:
    about = {"grade": False, "solution": True, "locked": False, "task": False}
    about |= {"grade_id": name, "schema_version": 3}
    return code(name.replace("_", "-"), source, nbgrader=about, **own)


def check(name: str, source: str, points: float, **own: object) -> NotebookNode:
    about = {"grade": True, "solution": False, "locked": True, "task": False}
    about |= {"grade_id": f"{name}_check", "schema_version": 3, "points": points}
    return code(f"{name}-check".replace("_", "-"), source, nbgrader=about, **own)


def notebook() -> NotebookNode:
    """The source notebook."""
    cells = [
        text("title", "# 42 · Exercises: echoes\n\nTwo tasks."),
        code("set-up", "import numpy as np"),
        text("frame-count-task", "## Task 1 · Count (2 points)\n\nCount the frames."),
        solution("frame_count", COUNT, course={"objective": 1}),
        check("frame_count", COUNT_CHECK, 2, course={"timeout_s": 30}),
        text("power-task", "## Task 2 · Power (3 points)\n\nSquare it."),
        solution("power", POWER),
        check("power", POWER_CHECK, 3),
        text("recap", "## Recap\n\nCounted and squared."),
    ]
    made = nbformat.v4.new_notebook(
        cells=cells,
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
    )
    made.nbformat_minor = 5
    return made


def write(folder: Path, made: NotebookNode | None = None, name: str = NAME) -> Path:
    """Write a course with this exercise, and give the path of its source notebook."""
    path = folder / "solutions" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made or notebook()), encoding="utf-8")
    path.with_suffix(".mistakes.json").write_text(json.dumps(MISTAKES), encoding="utf-8")
    return path


def exercise(folder: Path) -> exercises.Exercise:
    return exercises.read(write(folder))


def handed_in(folder: Path, raw: object, name: str = NAME) -> Path:
    """Write a submission: a notebook, any JSON value, or bytes."""
    path = folder / f"{name}.ipynb"
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    path.write_bytes(content)
    return path


def solved(made: exercises.Exercise) -> dict:
    """A complete submission as plain JSON, to be changed."""
    return copy.deepcopy(json.loads(json.dumps(mistakes.solved(made))))


def cell(raw: dict, name: str) -> dict:
    return next(each for each in raw["cells"] if each.get("id") == name)
