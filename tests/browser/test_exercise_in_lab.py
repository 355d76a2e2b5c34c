"""An exercise in JupyterLab: checked before it is written, solved, checked again; then graded."""

from __future__ import annotations

import nbformat
import pytest
from themes import faults_of_both

from course_utils.grading import __main__ as grading
from course_utils.grading.source import exercises, marks

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME = "exercise.ipynb"


@pytest.fixture
def first():
    """The exercise of lesson 01."""
    return exercises.find()[0]


@pytest.fixture
def shown(first, lab, open_notebook, tmp_path):
    """The page of the released exercise, as far as the check of its first task; all run."""
    released = exercises.course_folder() / exercises.EXERCISES / f"{first.name}.ipynb"
    notebook = nbformat.read(released, as_version=4)
    ids = [cell.id for cell in notebook.cells]
    del notebook.cells[ids.index(first.tasks[0].check.id) + 1 :]
    nbformat.write(notebook, lab.folder / NAME)
    page = open_notebook(NAME)
    yield page
    page.screenshot(path=tmp_path / "exercise.png")


def test_a_task_is_solved_and_checked(shown, first, lab, tmp_path, capsys):
    task = first.tasks[0]
    feedback = shown.locator(".jp-OutputArea-output ul")
    assert "Your code is not written yet." in feedback.first.inner_text()
    assert shown.get_by_text(f"0 of {task.points:g} points").is_visible()
    assert not (found := faults_of_both(shown)), "\n".join(found)
    shown.screenshot(path=tmp_path / "not_yet.png")

    # The check's cell is locked: what is typed into it changes nothing.
    check = shown.locator(".jp-CodeCell").last
    check.locator(".cm-content").click()
    shown.keyboard.type("1 / 0")
    assert "1 / 0" not in check.locator(".cm-content").inner_text()

    cell = shown.locator(".jp-CodeCell", has_text="YOUR CODE HERE")
    cell.locator(".cm-content").click()
    shown.keyboard.press("Control+A")
    solved = marks.with_solution(task.solution.source, marks.solution(task.solution.source))
    shown.keyboard.insert_text(solved)
    shown.keyboard.press("Shift+Enter")
    shown.keyboard.press("Shift+Enter")
    shown.get_by_text(f"{task.points:g} of {task.points:g} points").wait_for()
    assert "not yet" not in feedback.first.inner_text()
    assert not (found := faults_of_both(shown)), "\n".join(found)

    shown.keyboard.press("Control+S")
    shown.get_by_text("Saving completed").wait_for()
    assert grading.main(["check", str(lab.folder / NAME)]) == 1  # the other tasks are not there
    assert f"{task.points:g}/{task.points:g}  {task.name}" in capsys.readouterr().out
