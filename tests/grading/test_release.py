"""Releases hold no answers and are in step; nbgrader itself grades the course as we do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import make_exercises
import nbformat
import pytest
import small_exercise

from course_utils.grading.source import exercises, marks, mistakes, rules

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "notebooks"
SOURCES = sorted((COURSE / "solutions").glob("[0-9][0-9]_*.ipynb"))
ASSIGNMENT = "exercises"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SOURCES, reason="notebooks/solutions/ is not there"),
]


@pytest.fixture(scope="session")
def maker():
    """tools/make_exercises.py as a module, in a checkout whose environment has nbgrader."""
    try:
        make_exercises.nbgrader_python()
    except make_exercises.NotMade as reason:
        pytest.skip(str(reason))
    return make_exercises


@pytest.fixture(scope="session")
def course() -> list[exercises.Exercise]:
    return exercises.find(COURSE)


@pytest.fixture(scope="session")
def released(maker) -> dict[str, nbformat.NotebookNode]:
    """What nbgrader makes of the source notebooks now."""
    made = maker.released(COURSE)
    return {path.stem: nbformat.reads(text, as_version=4) for path, text in made.items()}


def test_releases_are_in_step_with_their_sources(maker, capsys):
    assert maker.main(["--check"]) == 0, capsys.readouterr().out


def test_a_release_is_the_untouched_exercise(course, released):
    for exercise in course:
        own, theirs = mistakes.untouched(exercise), released[exercise.name]
        assert [cell.id for cell in theirs.cells] == [cell.id for cell in own.cells]
        assert [cell.source for cell in theirs.cells] == [cell.source for cell in own.cells]


def test_a_release_is_locked_where_nbgrader_locks_it(course, released):
    for exercise in course:
        cells = {cell.id: cell for cell in released[exercise.name].cells}
        for task in exercise.tasks:
            check, solution = cells[task.check.id].metadata, cells[task.solution.id].metadata
            assert (check.deletable, check.editable) == (False, False)
            assert solution.deletable is False and "editable" not in solution
            assert check.nbgrader.points == task.points and check.nbgrader.checksum


def test_no_release_holds_an_answer(course, released):
    for exercise in course:
        text = "\n".join(cell.source for cell in released[exercise.name].cells)
        assert "BEGIN SOLUTION" not in text and "HIDDEN TESTS" not in text
        inside: list[str] = []
        for task in exercise.tasks:
            check = task.check.source.split("\n")
            inside += marks.solution(task.solution.source)
            inside += check[check.index(marks.BEGIN_HIDDEN) : check.index(marks.END_HIDDEN)]
        whole = "\n".join(cell.source for cell in exercise.notebook.cells)
        for line in {each.strip() for each in inside} - {""}:
            # A line of an answer may stand elsewhere, too, as `return found` does.
            elsewhere = whole.count(line) - "\n".join(inside).count(line)
            assert text.count(line) <= elsewhere + _stubs(line, exercise), (exercise.name, line)


def _stubs(line: str, exercise: exercises.Exercise) -> int:
    """How often a text stands in what nbgrader puts in the place of answers."""
    return len(exercise.tasks) * "\n".join(marks.STUB).count(line)


def test_a_course_is_made_changed_and_cleared_up(maker, tmp_path, capsys, monkeypatch):
    source = small_exercise.write(tmp_path)
    course = ["--course", str(tmp_path)]
    path = tmp_path / "exercises" / source.name
    made = maker.released(tmp_path)
    assert made == maker.released(tmp_path) and list(made) == [path]
    monkeypatch.setattr(maker, "released", lambda folder: made)
    assert maker.main([*course, "--check"]) == 1 and not path.exists()
    assert maker.main(course) == 0
    first, stamp = path.read_bytes(), path.stat().st_mtime_ns
    assert maker.main(course) == 0 and path.stat().st_mtime_ns == stamp
    assert maker.main([*course, "--check"]) == 0
    path.write_text(path.read_text().replace("Two tasks", "Three tasks"))
    path.with_name("43_rooms.ipynb").write_text("{}")
    capsys.readouterr()
    assert maker.main([*course, "--check"]) == 1
    assert capsys.readouterr().out.count("is out of step with its source; run make exercises.") == 2
    assert maker.main(course) == 0 and path.read_bytes() == first
    assert [each.name for each in path.parent.iterdir()] == [source.name]


def test_a_source_that_breaks_a_rule_is_a_sentence(maker, tmp_path, capsys):
    made = small_exercise.notebook()
    made.cells[3].source = "x = 1"
    small_exercise.write(tmp_path, made)
    assert maker.main(["--course", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.endswith("; mend the source notebook.\n")
    assert maker.main(["--course", str(tmp_path / "nowhere")]) == 1
    assert "No exercises in " in capsys.readouterr().err


def test_what_nbgrader_refuses_is_a_sentence(maker, tmp_path, capsys, monkeypatch):
    source = small_exercise.write(tmp_path)
    found = exercises.find(tmp_path)
    made = small_exercise.notebook()
    made.cells[3].metadata.nbgrader.grade_id = "power"
    small_exercise.write(tmp_path, made)
    monkeypatch.setattr(exercises, "find", lambda folder: found)
    assert maker.main(["--course", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("nbgrader made no releases (") and said.endswith("; mend that one.\n")
    assert said.count("\n") == 1 and source.exists()


def test_nbgrader_that_cannot_be_installed_is_a_sentence(maker, tmp_path, monkeypatch):
    monkeypatch.setattr(maker.sys, "prefix", str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text("#!/bin/sh\necho no index >&2\nexit 1\n")
    (tmp_path / "bin" / "uv").chmod(0o755)
    with pytest.raises(maker.NotMade, match=r"could not be installed \(no index\); expected .*run"):
        maker.nbgrader_python()
    assert [each.name for each in tmp_path.iterdir()] == ["bin"]


# nbgrader grades the course.


def nbgrader(maker, folder: Path, *command: str) -> subprocess.Popen:
    """Start a command of nbgrader in a course folder of its own."""
    kernel = folder / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3 (ipykernel)", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    env = maker.tool_environment()
    env |= {"JUPYTER_PATH": str(folder / "jupyter"), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    env |= {"COURSE_SCALE": "mini", "COURSE_RUNS_ROOT": str(folder / "runs")}
    env.pop("COURSE_SETTINGS", None)
    # nbgrader calls alembic, which it brings, by its name.
    env["PATH"] = os.pathsep.join([str(maker.nbgrader_python().parent), env["PATH"]])
    return subprocess.Popen(
        [str(maker.nbgrader_python()), "-m", "nbgrader", *command],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="session")
def grades(maker, course, tmp_path_factory) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Student -> notebook -> check -> points and most points, as nbgrader's gradebook has them."""
    folders = {}
    for student, made in (("solved", mistakes.solved), ("untouched", mistakes.untouched)):
        # A folder each, because one gradebook is no place for two programs at a time.
        folder = folders[student] = tmp_path_factory.mktemp(student)
        for exercise in course:
            name = f"{exercise.name}.ipynb"
            for part, notebook in (
                (folder / "source" / ASSIGNMENT, exercise.notebook),
                (folder / "submitted" / student / ASSIGNMENT, made(exercise)),
            ):
                part.mkdir(parents=True, exist_ok=True)
                nbformat.write(notebook, part / name)
    for command in (["generate_assignment"], ["autograde", "--Execute.timeout=300"]):
        running = [
            nbgrader(maker, folder, command[0], ASSIGNMENT, *command[1:])
            for folder in folders.values()
        ]
        for each in running:
            said, _ = each.communicate(timeout=600)
            assert each.returncode == 0, said[-4000:]
    script, found = str(Path(__file__).with_name("nbgrader_course.py")), {}
    for folder in folders.values():
        command = [str(maker.nbgrader_python()), script, str(folder / "gradebook.db")]
        env = maker.tool_environment() | {"JUPYTER_CONFIG_DIR": str(folder)}
        found |= json.loads(
            subprocess.run(command, capture_output=True, check=True, env=env).stdout
        )
    return found


def test_nbgrader_gives_the_solution_all_points(grades, course):
    assert grades["solved"] == {
        exercise.name: {
            rules.about(task.check)["grade_id"]: [task.points, task.points]
            for task in exercise.tasks
        }
        for exercise in course
    }


def test_nbgrader_gives_the_untouched_exercise_none(grades, course):
    assert grades["untouched"] == {
        exercise.name: {
            rules.about(task.check)["grade_id"]: [0, task.points] for task in exercise.tasks
        }
        for exercise in course
    }
