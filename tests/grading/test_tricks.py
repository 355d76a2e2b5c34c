"""No trick gets a point, and none touches anything outside its own sandbox."""

import hashlib
from pathlib import Path

import psutil
import pytest
import tricks

import course_utils
from course_utils.grading.running import sandbox
from course_utils.grading.source import exercises

pytestmark = pytest.mark.slow
EVERY = [*tricks.CODE, *tricks.CHANGES, *tricks.HUNGRY]
PICKLED = Path("/tmp/course_pickle_ran")


def state() -> dict[str, str]:
    """What the package and the exercises are."""
    folders = (Path(course_utils.__file__).parent, exercises.course_folder())
    files = [path for folder in folders for path in sorted(folder.rglob("*.[pi][yp]*"))]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def played(untouched, graded):
    before, course = state(), str(exercises.course_folder())
    others = {process.pid for process in psutil.process_iter()}
    notebooks = {name: tricks.played(untouched, name, course) for name in EVERY}
    results = graded(notebooks)
    left = [p for p in psutil.process_iter() if p.pid not in others and _of_a_submission(p)]
    return results, before == state(), left


def _of_a_submission(process: psutil.Process) -> bool:
    """Whether it runs in a sandbox's folder, be that folder gone; other notebooks are not meant."""
    try:
        return any("/submission_" in part for part in (process.cwd(), *process.cmdline()))
    except psutil.Error:
        return False


@pytest.mark.parametrize("name", EVERY)
def test_a_trick_gets_nothing(played, name):
    result = played[0][name]
    assert (result.status, result.score, result.of) == ("graded", 0, 10), result.notes
    assert all(task.hints() for task in result.tasks.values())


def test_the_tricks_leave_nothing_behind(played):
    _, unchanged, left = played
    assert unchanged and not left and not PICKLED.exists()


def test_a_hanging_task_costs_only_itself(solved, untouched, graded):
    hanging = tricks.played(untouched, "hangs", "")
    cells = {cell["id"]: cell for cell in hanging["cells"]}
    notebook = solved | {
        "cells": [
            cells[cell["id"]] if cell["id"] == "frame-count" else cell for cell in solved["cells"]
        ]
    }
    result = graded({"hangs": notebook})["hangs"]
    assert result.score == 9 and result.tasks["frame_count"].points == 0
    assert "was stopped: does it ever end?" in result.tasks["frame_count"].reason


def test_there_are_ten_more_than_anchored():
    """Twelve are known of nbval and nbgrader; the rest is ours."""
    assert len(EVERY) >= 22


REACHING = (
    "solutions read",
    "solutions read by a shell",
    "package overwritten",
    "start-up file left behind",
    "results file written",
    "shell magic",
)


def test_the_guard_holds_what_reaches_out(untouched, graded, monkeypatch):
    monkeypatch.setattr(sandbox, "kind", lambda: "guard")
    before, course = state(), str(exercises.course_folder())
    results = graded({name: tricks.played(untouched, name, course) for name in REACHING})
    assert {name: result.score for name, result in results.items()} == dict.fromkeys(REACHING, 0)
    assert before == state()


MEASURED = (
    "traceback hidden",
    "cells replaced by pass",
    "asserts patched",
    "exit",
    "checks are skipped",
    "checks may raise",
    "checks are doubled",
    "outputs are stored",
)
"""What makes nbval or nbgrader give points, without forging a score."""


def test_what_fools_nbval_does_not_fool_the_plain_mode(untouched, graded):
    notebooks = {name: tricks.played(untouched, name, "") for name in MEASURED}
    results = graded(notebooks, mode="plain")
    assert {name: result.score for name, result in results.items()} == dict.fromkeys(MEASURED, 0)
