"""Nothing of the answers is left in what the learner's kernel gets."""

import numpy as np
import pytest

from course_utils.grading.submissions import rewriting

CELL = """from course_utils.grading import Task

task = Task("power", points=2, without=("stft",))
clip = np.arange(4)  # secret comment
task.that(lambda: power(clip), lambda: secret(clip), says="secret", hints={1: "secret"}, atol=1)
for rate in (8000, 16000):
    task.holds(lambda: power(clip * rate), lambda got: secret(got), says=f"secret {rate}")
task.score()
"""


def test_only_the_calls_are_left():
    left = rewriting.only_calls(CELL, [])
    assert "secret" not in left
    assert "task.that(lambda: power(clip))" in left
    assert "task.holds(lambda: power(clip * rate))" in left
    assert "from course_utils.grading.checks.recording import Recorder as Task" in left
    assert left.rstrip().endswith("task.score()")


def test_it_records_what_the_calls_give():
    space = {"np": np, "power": lambda x: float((x**2).sum())}
    lines = rewriting.only_calls(CELL, []).replace("task.score()", "recorded = task.score()")
    exec(lines, space)
    assert [one["value"] for one in space["recorded"].outcomes] == [14.0, 8.96e8, 3.584e9]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("task.score()", "task.score(", "no Python in line 8"),
        ("import Task\n", "import Score\n", "imports Task 0 times"),
        ("import Task\n", "import Task as T\n", "imports Task 0 times"),
        ("clip = np.arange(4)", "clip = task.that(lambda: 1, 2)", "line 4 of a check cell is part"),
        ("clip = np.arange(4)", "task.that()", "has no call"),
    ],
)
def test_what_cannot_be_rewritten_is_said(old, new, said):
    with pytest.raises(ValueError, match=said):
        rewriting.only_calls(CELL.replace(old, new), [])


def test_inputs_that_are_made_from_the_answer_come_from_elsewhere():
    cell = CELL.replace("lambda: power(clip), secret", "").replace(
        "task.that(lambda: power(clip), ",
        "task.that(lambda sound: power(sound), given=lambda: [dial('secret')], expected=",
    )
    left = rewriting.only_calls(cell, [[3.0]])
    assert "secret" not in left
    space = {"np": np, "power": lambda x: np.sum(np.square(x))}
    exec(left.replace("task.score()", "recorded = task.score()"), space)
    assert space["recorded"].outcomes[0] == {"value": 9.0}
