"""The grader as it is called: names, refusals, modes, and starting again."""

import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from course_utils.grading import __main__ as command
from course_utils.grading import grader, report
from course_utils.grading.source import exercises, mistakes
from course_utils.grading.submissions import intake

GRADE = [sys.executable, "-m", "course_utils.grading", "grade"]


def names_of(*paths: Path) -> list[str]:
    return list(grader.names(paths))


def touched(folder: Path, *names: str) -> list[Path]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return [folder / name for name in names]


def test_names_are_those_of_the_files(tmp_path):
    assert names_of(*touched(tmp_path, "ada.ipynb", "x/grace hopper.ipynb")) == [
        "ada",
        "grace_hopper",
    ]


def test_folders_tell_apart_what_has_the_same_name(tmp_path):
    touched(tmp_path, "ada/ex1/01.ipynb", "bob/ex1/01.ipynb", "bob/.ipynb_checkpoints/01.ipynb")
    assert names_of(tmp_path) == ["ada__ex1__01", "bob__ex1__01"]
    # What is named first and last has nothing to do with what is graded with it.
    assert len(set(names_of(*touched(tmp_path, "A.ipynb", "b/a.ipynb")))) == 2


def test_names_cannot_leave_the_folder(tmp_path):
    for name in names_of(*touched(tmp_path, "...ipynb", "a:b?.ipynb", f"{'x' * 200}.ipynb")):
        assert name and "/" not in name and not name.startswith(".") and len(name) <= 120


def saved(notebook: dict, path: Path) -> Path:
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


@pytest.mark.slow
def test_what_cannot_be_graded_is_refused_with_a_sentence(tmp_path, untouched, capsys):
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{", encoding="utf-8")
    odd = saved(
        {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, tmp_path / "o.ipynb"
    )
    good = saved(untouched, tmp_path / "good.ipynb")
    report = tmp_path / "report"
    missing = tmp_path / "missing.ipynb"
    arguments = ["grade", str(broken), str(odd), str(missing), str(good), "--report", str(report)]
    assert command.main(arguments) == 0
    found = json.loads((report / "grades.json").read_text())["submissions"]
    assert [one["status"] for one in found.values()] == ["refused"] * 3 + ["graded"]
    assert all(found[name]["notes"] for name in ("broken", "o", "missing"))
    printed = capsys.readouterr().out
    assert "broken: refused. " in printed and "1 graded, 3 refused, 0 failed" in printed


@pytest.mark.slow
def test_what_cannot_be_shown_or_graded_is_told_and_the_rest_goes_on(
    graded, untouched, monkeypatch
):
    real_page, real_read = report.page, intake.read

    def page(folder, result, notebook):
        if notebook is not None and result.name == "unshown":
            raise ValueError("odd output")
        real_page(folder, result, notebook)

    def read(path):
        if path.name == "1.ipynb":
            raise MemoryError("too much")
        return real_read(path)

    monkeypatch.setattr(report, "page", page)
    monkeypatch.setattr(intake, "read", read)
    results = graded({"unshown": untouched, "unread": untouched, "good": untouched})
    assert [result.status for result in results.values()] == ["graded", "failed", "graded"]
    assert results["unshown"].notes[-1] == "The notebook cannot be shown: ValueError: odd output"
    assert results["unread"].notes == ["The grader failed: MemoryError: too much"]


@pytest.mark.slow
def test_a_learner_checks_the_own_notebook(tmp_path, solved, untouched, capsys):
    assert command.main(["check", str(saved(solved, tmp_path / "mine.ipynb"))]) == 0
    assert "mine: 10 of 10 points" in capsys.readouterr().out
    assert command.main(["check", str(saved(untouched, tmp_path / "mine.ipynb"))]) == 1
    assert "Your code is not written yet." in capsys.readouterr().out


def test_one_submission_is_not_called_submissions(tmp_path, capsys):
    missing = [str(tmp_path / name) for name in ("a.ipynb", "b.ipynb")]
    for given, said in ((missing[:1], "1 submission, "), (missing, "2 submissions, ")):
        assert command.main(["grade", *given, "--report", str(tmp_path / "report")]) == 0
        assert capsys.readouterr().out.startswith(said)


def test_a_check_says_at_once_that_it_takes_a_while(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(grader.Grader, "grade", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command.main(["check", str(tmp_path / "mine.ipynb")])
    assert capsys.readouterr().out == "Checking mine: this takes some seconds ...\n"


def test_a_folder_without_exercises_is_said(tmp_path, capsys):
    for name in ("check", "grade"):
        arguments = [name, str(tmp_path / "x.ipynb"), "--course", str(tmp_path)]
        arguments += ["--report", str(tmp_path / "report")] if name == "grade" else []
        assert command.main(arguments) == 2
        assert "No exercises in " in capsys.readouterr().err


@pytest.mark.slow
def test_a_copy_without_solutions_checks_what_the_notebook_shows(
    tmp_path, first, solved, untouched, capsys
):
    saved(untouched, (tmp_path / "exercises").mkdir() or tmp_path / f"exercises/{first.name}.ipynb")
    mine = saved(solved, tmp_path / "mine.ipynb")
    assert command.main(["check", str(mine), "--course", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "no solutions: only the checks that you see" in told and "10 of 10 points" in told
    saved(untouched, mine)
    assert command.main(["check", str(mine), "--course", str(tmp_path)]) == 1
    assert "0 of 10 points" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("mode", grader.MODES)
def test_both_modes_agree_on_honest_work(mode, first, graded, solved, untouched):
    listed = mistakes.read(first)
    wrong = {
        name: json.loads(nbformat.writes(mistakes.placed(first, name, listed[name][0])))
        for name in ("frame_count", "dialled")
    }
    results = graded({"solved": solved, "untouched": untouched, **wrong}, mode=mode)
    assert results["solved"].score == 10 and results["untouched"].score == 0
    for name in wrong:
        task = results[name].tasks[name]
        assert results[name].score == 10 - task.of
        assert any(listed[name][0].hint in hint for hint in task.hints())


@pytest.mark.slow
def test_the_finished_thing_may_not_be_used(first, graded, solved):
    notebook = copy.deepcopy(solved)
    task = next(task for task in first.tasks if task.without)
    for cell in notebook["cells"]:
        if cell["id"] == task.solution.id:
            cell["source"] = ["import numpy\n", f"{task.without[0]} = None\n", *cell["source"]]
    result = graded({"borrowed": notebook})["borrowed"]
    assert result.score == 10 - task.points
    assert f"mentions {task.without[0]}" in result.tasks[task.name].reason


@pytest.mark.slow
def test_an_error_in_the_learners_cell_is_told(first, graded, solved):
    notebook = copy.deepcopy(solved)
    for cell in notebook["cells"]:
        if cell["id"] == "frame-count":
            cell["source"] = ["def frame_count(:\n", "    return 1\n"]
    result = graded({"slip": notebook})["slip"]
    assert result.score == 9
    assert (
        result.tasks["frame_count"]
        .hints()[0]
        .startswith("Your cell did not run to its end: SyntaxError")
    )


@pytest.mark.long
@pytest.mark.slow
def test_every_exercise_is_graded_in_the_sandbox(graded, pace):
    notebooks, expected = {}, {}
    for exercise in exercises.find():
        listed = mistakes.read(exercise)
        first_task = exercise.tasks[0]
        for name, points, notebook in (
            ("solved", 10, mistakes.solved(exercise)),
            ("untouched", 0, mistakes.untouched(exercise)),
            (
                "mistaken",
                10 - first_task.points,
                mistakes.placed(exercise, first_task.name, listed[first_task.name][0]),
            ),
        ):
            notebooks[f"{exercise.name} {name}"] = json.loads(nbformat.writes(notebook))
            expected[f"{exercise.name} {name}"] = points
    results = graded(notebooks)
    assert {name: result.score for name, result in results.items()} == expected
    assert max(result.seconds for result in results.values()) < 60 * pace()


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_grader_that_is_stopped_goes_on_where_it_was(how, tmp_path, solved, untouched):
    paths = []
    for number in range(6):
        notebook = solved if number % 2 else untouched
        paths.append(saved(notebook, tmp_path / f"student-{number}.ipynb"))
    report = tmp_path / "report"
    call = [*GRADE, *map(str, paths), "--report", str(report), "--jobs", "2"]
    # A process group of its own, so that the signal reaches it as from a terminal.
    # Tests that were started in the background ignore Ctrl+C, and what they start would, too.
    running = subprocess.Popen(
        call,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    kept = report / ".results"
    while len(list(kept.glob("*.json"))) < 2:
        assert running.poll() is None
        time.sleep(0.1)
    os.kill(running.pid, how)
    running.wait(timeout=60)
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("student-*.json")}
    assert 2 <= len(before) < 6
    again = subprocess.run(call, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "6 graded, 0 refused, 0 failed" in again.stdout
    grades = json.loads((report / "grades.json").read_text())["submissions"]
    assert [one["score"] for one in grades.values()] == [0, 10] * 3
    # What was there has not been graded a second time; a changed submission is.
    assert before == {name: (kept / name).stat().st_mtime_ns for name in before}
    saved(solved, paths[0])
    subprocess.run(call, capture_output=True)
    grades = json.loads((report / "grades.json").read_text())["submissions"]
    assert grades["student-0"]["score"] == 10
