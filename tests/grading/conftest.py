"""The exercise of lesson 01, and a grader for it."""

import json
from pathlib import Path

import nbformat
import pytest
import small_exercise

from course_utils.grading import grader
from course_utils.grading.judging.results import Result
from course_utils.grading.source import exercises, mistakes
from course_utils.grading.source.exercises import Exercise

FIRST = "01_spectrograms_and_mfccs"


@pytest.fixture(scope="session")
def first() -> Exercise:
    """The exercise of lesson 01."""
    return next(exercise for exercise in exercises.find() if exercise.name == FIRST)


@pytest.fixture(scope="session")
def untouched(first) -> dict:
    """What is handed in by somebody who has written nothing, as JSON."""
    return json.loads(nbformat.writes(mistakes.untouched(first)))


@pytest.fixture(scope="session")
def solved(first) -> dict:
    """What is handed in by somebody who has solved everything, as JSON."""
    return json.loads(nbformat.writes(mistakes.solved(first)))


@pytest.fixture
def exercise(tmp_path) -> Exercise:
    """A small exercise that nobody else has."""
    return small_exercise.exercise(tmp_path / "course")


@pytest.fixture
def raw(exercise) -> dict:
    """What is handed in by somebody who has solved the small exercise, as JSON."""
    return small_exercise.solved(exercise)


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    """A function that grades notebooks, given as JSON by name; the report's folder may be named."""

    def grade(
        notebooks: dict[str, dict], folder: Path | None = None, **options: object
    ) -> dict[str, Result]:
        folder = folder or tmp_path_factory.mktemp("grading")
        named = {}
        for number, (name, notebook) in enumerate(notebooks.items()):
            path = folder / "handed_in" / f"{number}.ipynb"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(notebook), encoding="utf-8")
            named[name] = path
        options = grader.Options(**({"jobs": 2} | options))
        with grader.Grader(options, folder / "report") as grading:
            found = grading.grade(named, lambda result: None)
        return {result.name: result for result in found}

    return grade
