"""A source notebook is read, or the first rule that it breaks is named in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_exercise

from course_utils import places
from course_utils.grading.source import check_cells, exercises, marks
from course_utils.grading.source.exercises import ExerciseError

CHECK = small_exercise.POWER_CHECK


def test_a_good_exercise_is_read_whole(tmp_path):
    path = small_exercise.write(tmp_path)
    (found,) = exercises.find(tmp_path)
    assert (found.name, found.path, found.points) == ("42_echoes", path, 5)
    count, power = found.tasks
    assert (count.name, count.points, count.timeout_s, count.objective) == ("frame_count", 2, 30, 1)
    assert (power.name, power.points, power.timeout_s, power.objective) == ("power", 3, 20, None)
    assert count.without == () and power.without == ("square", "numpy.linalg")
    assert power.hints == ("This is twice the value.", "Not changed.", "A power is never negative.")
    assert power.solution is found.notebook.cells[6] and power.check is found.notebook.cells[7]
    assert found.task("power") is power


def test_a_missing_task_is_an_error(tmp_path):
    with pytest.raises(ExerciseError, match=r"no task 'mel' in the exercise 42_echoes: .*name one"):
        small_exercise.exercise(tmp_path).task("mel")


def test_the_released_text_has_no_solution_and_no_hidden_test(tmp_path):
    found = small_exercise.exercise(tmp_path)
    count, power = found.tasks
    assert exercises.released(count.solution).split("\n")[2:] == [
        "    # YOUR CODE HERE",
        "    raise NotImplementedError()",
    ]
    assert "between" not in exercises.released(power.check)
    assert exercises.released(power.check).endswith("\n)\ntask.score()")
    assert exercises.released(found.notebook.cells[1]) == "import numpy as np"
    assert marks.solution(count.solution.source)[1] == "    return 1 + hops"


def test_no_exercises_are_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert exercises.course_folder() == places.project_root() / "notebooks"
    monkeypatch.setattr(places, "_repository", lambda: None)  # as in an installed wheel
    assert exercises.course_folder() == Path.cwd() / "notebooks"
    with pytest.raises(ExerciseError, match=r"No exercises .* expected .*; run this in the"):
        exercises.find()


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"cells": [7]}', "[" * 100_000])
def test_what_is_no_notebook_is_an_error(tmp_path, content):
    path = small_exercise.write(tmp_path)
    path.write_text(content)
    with pytest.raises(ExerciseError, match=r"is no notebook .* JSON .* expected; restore"):
        exercises.read(path)


def test_a_missing_notebook_is_an_error(tmp_path):
    with pytest.raises(ExerciseError, match=r"cannot be read \(No such file.* expected .*; mend"):
        exercises.read(tmp_path / "43_rooms.ipynb")


def refusal(folder: Path, notebook) -> str:
    with pytest.raises(ExerciseError) as found:
        exercises.read(small_exercise.write(folder, notebook))
    said = str(found.value)
    assert (
        said.startswith("In ") and "expected" in said and said.endswith("mend the source notebook.")
    )
    assert "\n" not in said
    return said


def nbgrader(index: int, **changes: object):
    return lambda notebook: notebook.cells[index].metadata.nbgrader.update(changes)


def drop(index: int, key: str):
    return lambda notebook: notebook.cells[index].metadata.nbgrader.pop(key)


def put(index: int, **changes: object):
    return lambda notebook: notebook.cells[index].update(changes)


def replace(index: int, old: str, new: str):
    def change(notebook) -> None:
        assert old in notebook.cells[index].source
        notebook.cells[index].source = notebook.cells[index].source.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda notebook: notebook.update(nbformat_minor=4), "the format is 4.4"),
        (put(0, id="not an id!"), "is not valid"),
        (put(0, id="recap"), "the cell id 'recap' stands 2 times"),
        # nbgrader's schema
        (drop(3, "grade"), "'frame-count' has grade None, expected bool"),
        (drop(3, "solution"), "has solution None, expected bool"),
        (drop(3, "locked"), "has locked None, expected bool"),
        (drop(3, "task"), "has task None, expected bool"),
        (drop(3, "grade_id"), "has grade_id None, expected str"),
        (drop(3, "schema_version"), "has schema_version None, expected int"),
        (nbgrader(3, schema_version=2), "has schema_version 2, expected 3"),
        (nbgrader(3, grade="yes"), "has grade 'yes', expected bool"),
        (nbgrader(3, hint="x"), "has 'hint' in metadata.nbgrader, which nbgrader removes"),
        (nbgrader(3, grade_id=""), "has the grade_id '', expected words"),
        (nbgrader(3, grade_id="Frame Count"), "has the grade_id 'Frame Count', expected words"),
        (nbgrader(3, grade_id="count"), "has the grade_id 'count', expected its id"),
        (nbgrader(3, points=2), "has the points 2, expected none"),
        (drop(4, "points"), "has the points None, expected a positive number"),
        (nbgrader(4, points=0), "has the points 0, expected a positive number"),
        (nbgrader(4, points=True), "has the points True, expected a positive number"),
        (nbgrader(4, locked=False), "is neither a solution"),
        (nbgrader(4, solution=True), "is neither a solution"),
        (nbgrader(3, task=True), "is neither a solution"),
        (nbgrader(3, cell_type="markdown"), "is a code cell, expected code"),
        (
            lambda notebook: notebook.cells[2].metadata.update(
                nbgrader=notebook.cells[3].metadata.nbgrader | {"grade_id": "frame_count_task"}
            ),
            "is a markdown cell, expected code",
        ),
        # marks
        (replace(3, "### END SOLUTION", "#"), "has the marks ['### BEGIN SOLUTION'], expected"),
        (replace(3, "### BEGIN", "x = 1  ### BEGIN"), "has the marks"),
        (replace(3, "BEGIN SOLUTION", "the answer"), "has the marks ['### END SOLUTION']"),
        (put(3, source="def frame_count(): ..."), "has the marks [], expected"),
        (put(1, source="### BEGIN SOLUTION"), "only in a cell with solution: true"),
        (put(0, source="See END HIDDEN TESTS."), "only in a cell with grade: true"),
        (replace(4, "### END HIDDEN TESTS", ""), "has the marks ['### BEGIN HIDDEN TESTS']"),
        (replace(4, "### END", "### BEGIN"), "has the marks"),
        # ours
        (lambda notebook: notebook.cells[3].metadata.update(course={"x": 1}), "has {'x': 1}"),
        (lambda notebook: notebook.cells[3].metadata.update(course=7), "has 7 in metadata.course"),
        (
            lambda notebook: notebook.cells[3].metadata.update(course={"timeout_s": 0}),
            "has timeout_s 0 in metadata.course, expected a positive number",
        ),
        (
            lambda notebook: notebook.cells[4].metadata.update(tags=["raises-exception"]),
            "has the tags ['raises-exception'], expected none",
        ),
        (lambda notebook: notebook.cells.pop(4), "'frame-count' has no check right below it"),
        (lambda notebook: notebook.cells.pop(3), "'frame-count-check' is a check with no solution"),
        (
            lambda notebook: notebook.cells.insert(4, small_exercise.code("between", "")),
            "'frame-count' has no check right below it",
        ),
        (
            lambda notebook: notebook.cells.__delitem__(slice(2, 8)),
            "there are no solution cells",
        ),
        (
            lambda notebook: notebook.cells.extend(notebook.cells[3:5]),
            "the cell id 'frame-count' stands 2 times",
        ),
        (replace(7, '"power"', '"powers"'), "has Task('powers'), expected the grade_id above it"),
        (replace(7, "points=3", "points=2"), "has Task(points=2), expected those of its metadata"),
        (replace(7, "power(values + 0.5)", "frame_count(1, 1, 1)"), "of another task"),
        (replace(7, "values * values", "power(values)"), "uses 'power' outside the call"),
        (replace(6, "return values**2", "return np.square(values)"), "is without 'square', but"),
        (replace(7, "task = Task", "### BEGIN HIDDEN TESTS\ntask = Task"), "has the marks"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(tmp_path, change, says):
    made = small_exercise.notebook()
    change(made)
    assert says in refusal(tmp_path, made)


def test_a_grade_id_stands_once(tmp_path):
    made = small_exercise.notebook()
    made.cells[7].metadata.nbgrader.grade_id = "frame_count_check"
    made.cells[7].id = "frame-count-check"
    assert "stands 2 times" in refusal(tmp_path, made)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("task.score()", "task.score(", "is no Python"),
        ("task.score()", "task.score(); x = 1", "does not end with task.score()"),
        ("task.score()", "points = task.score()", "does not end with task.score()"),
        ("task.score()", "task.score()\ntask.score()", "uses task within another statement"),
        ("task = Task", "task = made = Task", "sets task 1 times, expected task = Task(...) once"),
        ("task = Task", "task = None\ntask = Task", "sets task 2 times"),
        ("task = Task", "mine = Task", "sets task 0 times"),
        ("points=3", "points=values", "in literals"),
        ("points=3", "points=0", "in literals"),
        ("points=3, ", "", "in literals"),
        ('"power"', "power", "in literals"),
        ('without=("square", "numpy.linalg")', 'without="square"', "in literals"),
        ('without=("square", "numpy.linalg")', "of=1", "in literals"),
        ("task.holds(", "found = task.holds(", "uses task within another statement"),
        ("task.holds(", "task.holds and task.holds(", "uses task within another statement"),
        ("values = np.arange(4.0)", "values = [task]", "uses task within another statement"),
        ("task.score()", "if values.any():\n    task.that(lambda: 1, 1, says='')\ntask.score()",
         "uses task within another statement"),
        ("task.score()", "def f():\n    task.that(lambda: 1, 1, says='')\ntask.score()",
         "uses task within another statement"),
        ("task.score()", "for x in y:\n    task.that(lambda: x, 1, says='')\n    break\nx",
         "leaves a loop early"),
        ("task.score()", "for x in y:\n    task.that(lambda: x, 1, says='')\nelse: x\ntask.score()",
         "leaves a loop early"),
        ("task.score()", "task.that(lambda: 1, says='')\ntask.score()", "a check with 1 values"),
        ("task.score()", "task.that(*values, says='')\ntask.score()", "a check with 1 values"),
        ("task.score()", "task.that(power, 1, says='')\ntask.score()", "has the call 'power' in"),
        ("task.score()", "task.that(lambda x: 1, 1, says='')\ntask.score()", "takes nothing"),
        ("task.score()", "task.that(lambda: 1, 1)\ntask.score()", "has a check without says="),
    ],
)  # fmt: skip
def test_a_broken_rule_of_check_cells_is_named(old, new, says):
    assert old in CHECK
    changed = CHECK.replace(old, new, 1)
    with pytest.raises(check_cells.CheckCellError) as found:
        check_cells.read(changed)
    assert says in str(found.value)


@pytest.mark.parametrize(
    "statement",
    [
        "wanted = values * values",
        "wanted: object = values * values",
        "def wanted():\n    return values * values",
        "class wanted: pass",
        "for wanted in [values * values]: pass",
        "for values, wanted in [(values, values * values)]: pass",
        "with open(values) as wanted: pass",
        "(wanted := values * values)",
        "first = values * values\nwanted = first",
    ],
)
def test_an_expected_value_in_a_statement_of_its_own_is_found(statement):
    changed = CHECK.replace("task.that", f"{statement}\ntask.that", 1)
    check_cells.read(changed)
    for use in ("lambda: wanted", "wanted"):
        with pytest.raises(
            check_cells.CheckCellError, match=r"sets '(wanted|first)' in a statement"
        ):
            check_cells.read(changed.replace("lambda: values * values", use))


def test_what_the_call_needs_may_be_set(tmp_path):
    changed = CHECK.replace("values = np.arange(4.0)", "n = 4.0\nvalues = np.arange(n)")
    changed = changed.replace("lambda: values * values", "lambda: np.arange(n) ** 2")
    found = check_cells.read(changed)
    assert "power" in found.calls and "power" not in found.others and "n" in found.others


def test_sentences_of_hints_may_be_set_and_are_known():
    changed = CHECK.replace('"Not changed."', "same").replace(
        "task.that", "same = 'Same.'\ntask.that", 1
    )
    assert check_cells.read(changed).hints[:2] == ("This is twice the value.", "Same.")
    changed = CHECK.replace('"Not changed."', 'f"Not {values} changed."')
    assert check_cells.read(changed).hints[1:3] == ("Not ", " changed.")


def test_a_check_without_checks_is_refused():
    with pytest.raises(check_cells.CheckCellError, match="has no checks"):
        check_cells.read('task = Task("power", points=3)\ntask.score()')
