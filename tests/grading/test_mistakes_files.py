"""Lists of mistakes are read with care, and put into notebooks that are otherwise solved."""

from __future__ import annotations

import ast
import json

import pytest
import small_exercise

from course_utils.grading.source import mistakes
from course_utils.grading.source.exercises import ExerciseError
from course_utils.grading.source.mistakes import MistakesError


@pytest.fixture
def exercise(tmp_path):
    return small_exercise.exercise(tmp_path)


def scores(notebook) -> dict[str, object]:
    """What the check cells of a notebook end with, as a kernel would run them."""
    names: dict[str, object] = {}
    found = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = ast.Expression(tree.body.pop().value) if cell.id.endswith("-check") else None
        exec(compile(tree, cell.id, "exec"), names)
        if last:
            found[cell.id] = eval(compile(last, cell.id, "eval"), names)
    return found


def points(notebook) -> dict[str, float]:
    return {name: score.points for name, score in scores(notebook).items()}


def test_solved_has_all_points_and_untouched_none(exercise):
    assert points(mistakes.solved(exercise)) == {"frame-count-check": 2, "power-check": 3}
    assert points(mistakes.untouched(exercise)) == {"frame-count-check": 0, "power-check": 0}


def test_a_mistake_costs_its_task_and_shows_its_hint(exercise):
    for task, listed in mistakes.read(exercise).items():
        for mistake in listed:
            found = scores(mistakes.placed(exercise, task, mistake))
            lost = {name for name, score in found.items() if score.points == 0}
            assert lost == {task.replace("_", "-") + "-check"}
            hints = [check.hint for name in lost for check in found[name].checks]
            assert any(mistake.hint in hint for hint in hints), mistake


def test_nothing_handed_in_holds_marks_or_hidden_tests(exercise):
    mistake = mistakes.read(exercise)["power"][0]
    for notebook in (
        mistakes.solved(exercise),
        mistakes.untouched(exercise),
        mistakes.placed(exercise, "power", mistake),
    ):
        text = "\n".join(cell.source for cell in notebook.cells)
        assert "BEGIN" not in text and "END" not in text and "between" not in text
        assert [cell.id for cell in notebook.cells] == [c.id for c in exercise.notebook.cells]
    assert "### BEGIN SOLUTION" in exercise.notebook.cells[3].source


def test_a_mistake_in_an_unknown_task_is_an_error(exercise):
    with pytest.raises(ExerciseError, match=r"no task 'mel' .* frame_count, power; name one"):
        mistakes.placed(exercise, "mel", mistakes.Mistake("a", ("b",), "c"))


def changed(**changes: object) -> list[dict]:
    first, *others = small_exercise.MISTAKES["power"]
    return [first | changes, *others]


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ([], "the tasks are list"),
        ({}, r"the tasks are \[\], expected \['frame_count', 'power'\]"),
        (small_exercise.MISTAKES | {"mel": []}, "the tasks are .*'mel'"),
        (small_exercise.MISTAKES | {"power": "none"}, "'power' has no list mistakes"),
        (small_exercise.MISTAKES | {"power": changed()[:2]}, "'power' has 2 mistakes"),
        (small_exercise.MISTAKES | {"power": changed(hint="")}, "'power' is not whole"),
        (small_exercise.MISTAKES | {"power": changed(solution=[])}, "'power' is not whole"),
        (small_exercise.MISTAKES | {"power": changed(solution="x")}, "'power' is not whole"),
        (small_exercise.MISTAKES | {"power": changed(solution=["a\nb"])}, "'power' is not whole"),
        (small_exercise.MISTAKES | {"power": changed(more=1)}, "'power' is not whole"),
        (small_exercise.MISTAKES | {"power": [*changed(), changed()[1]]}, "two .*'nothing done'"),
        (small_exercise.MISTAKES | {"power": changed(solution=["x ="])}, "'twice' .* is no Python"),
        (
            small_exercise.MISTAKES | {"power": changed(solution=["return 2"])},
            "'twice' of 'power' is no Python",
        ),
        (
            small_exercise.MISTAKES | {"power": changed(solution=["    return values**2"])},
            "'twice' of 'power' is the solution itself",
        ),
        (
            small_exercise.MISTAKES | {"power": changed(hint="a ramp")},
            "'twice' of 'power' expects 'a ramp', expected a piece of a hint",
        ),
    ],
)
def test_a_list_with_a_fault_is_an_error(exercise, listed, says):
    exercise.path.with_suffix(".mistakes.json").write_text(json.dumps(listed))
    with pytest.raises(MistakesError, match=says) as found:
        mistakes.read(exercise)
    assert str(found.value).endswith("; mend the list.")


@pytest.mark.parametrize("content", [None, b"{", b"\xff"])
def test_a_list_that_cannot_be_read_is_an_error(exercise, content):
    path = exercise.path.with_suffix(".mistakes.json")
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(MistakesError, match=r"cannot be read .* expected .*; write or mend it\."):
        mistakes.read(exercise)
