"""What a check cell says: points, hints, sentences for errors, and nothing on stderr."""

import json
import sys
import warnings

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from course_utils.grading import Task
from course_utils.grading.checks import recording, scores, tasks, values


def hint_of(call, expected=1, hints=()):
    task = Task("t", points=2)
    task.that(call, expected, says="a check", hints=hints)
    return task.score().checks[0].hint


def test_all_right_gives_all_points():
    task = Task("t", points=2)
    task.that(lambda: 1, 1, says="one")
    task.holds(lambda: [3, 4], lambda got: len(got) == 2, says="two of them")
    score = task.score()
    assert (score.points, score.of, repr(score)) == (2.0, 2.0, "2.0")
    assert [check.correct for check in score.checks] == [True, True]


def test_one_wrong_gives_none():
    task = Task("t", points=2)
    task.that(lambda: 1, 1, says="one")
    task.that(lambda: 2, 1, says="two")
    assert task.score().points == 0


def test_the_first_hint_that_fits_is_shown():
    hints = [(lambda: np.arange(2), "as an array"), (7, "seven"), (7.0, "again")]
    assert hint_of(lambda: 7, hints=hints) == "seven"
    assert hint_of(lambda: np.arange(2), hints=hints) == "as an array"
    assert hint_of(lambda: 8, hints={7: "seven"}) == "Your code gave 8; expected 1."


def test_a_hint_that_cannot_be_computed_is_passed_over():
    assert hint_of(lambda: 7, hints=[(lambda: 1 / 0, "no"), (7, "seven")]) == "seven"


def raising(error):
    def learners():
        raise error

    return learners


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotImplementedError(), "Your code is not written yet."),
        (ValueError("odd\nlines"), "Your code raised ValueError: odd"),
        (SystemExit(3), "Your code raised SystemExit: 3"),
        (AssertionError(), "Your code raised AssertionError."),
    ],
)
def test_an_error_is_a_sentence(error, said):
    assert hint_of(raising(error)) == said


def test_an_error_names_the_learners_line():
    cell = "def f(x):\n    y = 1\n    return x[y]\n"
    space = {}
    exec(compile(cell, "/nowhere/ipykernel_1/2.py", "exec"), space)
    said = hint_of(lambda: space["f"]([0]))
    assert said == "Your code raised IndexError in line 3 of f: list index out of range"


def test_the_stop_button_still_stops():
    with pytest.raises(KeyboardInterrupt):
        hint_of(raising(KeyboardInterrupt()))


def test_what_cannot_be_checked_is_said():
    assert "it is a object; expected numbers" in hint_of(object)


def test_a_check_writes_nothing_to_stderr(capsys):
    def loud():
        warnings.warn("deprecated", stacklevel=1)
        print("to stderr", file=sys.stderr)
        return 1

    assert hint_of(loud) == ""
    assert capsys.readouterr().err == ""


def test_properties_and_their_hints():
    task = Task("t", points=1)
    hints = [(lambda got: got["no key"], "fails"), (lambda got: got == [], "empty")]
    task.holds(lambda: [], lambda got: got[0] == 1, says="a", hints=hints)
    task.holds(lambda: [2], lambda got: got[0] == 1, says="b", hints=hints)
    first, second = task.score().checks
    assert first.hint == "empty"
    assert second.hint == "Your code gave [2], of which this is not true."


def test_a_task_without_checks_is_an_error():
    with pytest.raises(ValueError, match="The task t has no checks; expected"):
        Task("t", points=1).score()


def test_the_three_readers_of_a_score():
    task = Task("t", points=2)
    task.that(lambda: "<b>", "<i>", says="less < more")
    data, _ = InteractiveShell.instance().display_formatter.format(task.score())
    assert float(data["text/plain"]) == 0.0
    assert "less &lt; more" in data["text/html"] and "<b>'" not in data["text/html"]
    evidence = data[scores.MIME]
    assert (evidence["task"], evidence["points"], evidence["of"]) == ("t", 0.0, 2.0)
    assert json.loads(json.dumps(evidence)) == evidence


def checked(task_class, call):
    task = task_class("t", 3)
    if task_class is Task:
        task.that(call, (1, 2), says="a", hints=[([1, 1], "ones")])
        task.holds(call, lambda got: got[0] == 1, says="b")
    else:
        task.that(call)
        task.holds(call)
    return task.score()


@pytest.mark.parametrize(
    "call", [lambda: (1, 2), lambda: [1, 1], lambda: 1 / 0, raising(OSError())]
)
def test_recorded_and_judged_is_the_same_as_checked(call, tmp_path):
    here = checked(Task, call)
    recorded = checked(recording.Recorder, call)._repr_mimebundle_()[values.MIME]
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps(recorded["outcomes"]))
    tasks.replay(path)
    try:
        judged = checked(Task, raising(AssertionError("called while judging")))
    finally:
        tasks.replay(None)
    assert judged.evidence() == here.evidence()
    assert recorded["task"] == "t"


def test_a_call_takes_what_is_given():
    task = Task("t", points=1)
    task.that(lambda x, y: x + y, 5, says="sum", given=lambda: (2, 3))
    task.holds(lambda x: x, lambda got: got == [1], says="a list", given=lambda: [(1,)])
    assert task.score().points == 1


def test_too_few_and_too_many_recorded_values(tmp_path):
    path = tmp_path / "recorded.json"
    try:
        path.write_text(json.dumps([{"value": [1, 2]}]))
        tasks.replay(path)
        score = checked(Task, None)
        assert score.points == 0 and score.checks[1].hint == "Your code was not reached."
        path.write_text(json.dumps([{"value": [1, 2]}] * 3))
        tasks.replay(path)
        score = checked(Task, None)
        assert score.points == 0 and score.checks[2].hint.startswith("There are more answers")
    finally:
        tasks.replay(None)


def test_a_recorder_keeps_within_the_limit():
    recorder = recording.Recorder("t", 1)
    for _ in range(3):
        recorder.that(lambda: "a" * (values.LARGEST // 2))
    kept, *cut = recorder.score().outcomes
    assert "value" in kept and all("more than a check can hold" in one["failed"] for one in cut)
