"""The judge checks values against a source notebook that it has run itself."""

import numpy as np
import pytest

from course_utils.grading.checks import values
from course_utils.grading.judging.judge import Judge, JudgeError

GIVEN = ("given", "import numpy as np\nx = np.arange(3.0)")
SOLVED = ("square", "def square(x):\n    return x**2")
CHECK = (
    "square-check",
    """from course_utils.grading import Task
task = Task("square", points=2)
task.that(lambda: square(x), lambda: square(x), says="squares", hints=[(lambda: x, "not squared")])
task.score()""",
)


def recorded(value):
    return [{"value": values.encode(value)}]


def test_it_judges_many_and_forgets_nothing(tmp_path):
    with Judge("demo", [GIVEN, SOLVED, CHECK], tmp_path) as judge:
        space = {}
        exec(GIVEN[1], space)
        for value, points, hint in [
            (space["x"] ** 2, 2, ""),
            (space["x"], 0, "not squared"),
            (space["x"] ** 2, 2, ""),
        ]:
            evidence = judge.judge("square-check", recorded(value))
            assert (evidence["task"], evidence["points"]) == ("square", points)
            assert evidence["checks"][0]["hint"] == hint
        assert judge.judge("square-check", recorded(space["x"] ** 2) * 2)["points"] == 0


def test_values_that_cannot_be_read_are_the_learners(tmp_path):
    with Judge("demo", [GIVEN, SOLVED, CHECK], tmp_path) as judge:
        evidence = judge.judge("square-check", [{"value": {"npy": "no"}}])
        assert evidence["points"] == 0 and "cannot be read" in evidence["checks"][0]["hint"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("given", "1 / 0")], "The cell given of demo failed .* ZeroDivisionError"),
        ([GIVEN, ("square-check", "1 + 1")], "gave 0 scores; expected one from task.score()"),
    ],
)
def test_a_source_notebook_that_fails_is_said(cells, said, tmp_path):
    with Judge("demo", cells, tmp_path) as judge, pytest.raises(JudgeError, match=said):
        judge.judge("square-check", recorded(1))


def test_nothing_of_it_stays(tmp_path):
    with Judge("demo", [GIVEN, SOLVED, CHECK], tmp_path) as judge:
        judge.prepare()
        kernel = judge._kernel
        assert kernel.scratch.is_dir() and kernel.is_alive()
    assert not kernel.scratch.exists() and not kernel.is_alive()


def test_it_makes_the_inputs_that_hold_the_answer(tmp_path):
    listened = """from course_utils.grading import Task
task = Task("square", points=2)
task.that(lambda sound: square(sound), 9.0, says="three", given=lambda: [np.array(3.0)])
task.that(lambda: square(2), 4, says="two")
task.score()"""
    with Judge("demo", [GIVEN, SOLVED, ("square-check", listened)], tmp_path) as judge:
        (inputs,) = judge.inputs("square-check")
        assert [values.decode(one) for one in inputs] == [3.0]
        assert judge.inputs("square-check") == [inputs]
        both = recorded(9.0) + recorded(4)
        assert judge.judge("square-check", both)["points"] == 2


def test_after_a_failure_it_begins_afresh(tmp_path):
    fails_once = """from course_utils.grading import Task
del x
task = Task("square", points=2)
task.that(lambda: square(3), 9, says="three")
task.score()"""
    with Judge("demo", [GIVEN, SOLVED, ("square-check", CHECK[1])], tmp_path) as judge:
        judge.prepare()
        judge._cells["broken"] = fails_once
        assert judge.judge("broken", recorded(9))["points"] == 2
        with pytest.raises(JudgeError, match="NameError"):
            judge.judge("broken", recorded(9))
        del judge._cells["broken"]
        assert judge.judge("square-check", recorded(np.arange(3.0) ** 2))["points"] == 2


def test_hidden_tests_keep_their_values(tmp_path):
    hidden = CHECK[1].replace(
        "task.score()",
        """### BEGIN HIDDEN TESTS
task.that(lambda: square(7), lambda: 49, says="a number", hints={14: "doubled"})
task.holds(lambda: square(7), lambda got: got == 49, says="the same")
### END HIDDEN TESTS
task.score()""",
    )
    with Judge("demo", [GIVEN, SOLVED, ("square-check", hidden)], tmp_path) as judge:
        for value, told in ((14, "doubled"), (15, "values of this check stay hidden")):
            evidence = judge.judge("square-check", recorded(value) * 3)
            shown, *concealed = (check["hint"] for check in evidence["checks"])
            assert "expected an array" in shown
            assert told in concealed[0]
            assert "49" not in "".join(concealed)
