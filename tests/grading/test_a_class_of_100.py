"""A hundred submissions of one exercise in one run, a tenth of them hostile."""

import copy
import json
import time
import uuid

import nbformat
import numpy as np
import pytest
import tricks

from course_utils.grading.source import exercises, mistakes

pytestmark = [pytest.mark.long, pytest.mark.slow]
HOSTILE = [
    *tricks.HUNGRY,
    "exit",
    "evidence from a thread",
    "task patched",
    "other processes stopped",
]
MINUTES = 20


def from_colab(notebook: dict) -> dict:
    """The same as Colab saves it: its own ids in the metadata, no nbgrader metadata kept."""
    notebook = copy.deepcopy(notebook) | {"nbformat_minor": 0}
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}
    for cell in notebook["cells"]:
        cell["metadata"] = {"id": cell.pop("id"), "colab": {"base_uri": "-"}}
    return notebook


def from_vs_code(notebook: dict) -> dict:
    """The same as VS Code saves it: new ids, the language of every cell."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        cell["id"] = uuid.UUID(bytes=bytes(16)).hex[:8] + str(len(cell["source"]))
        cell["metadata"]["vscode"] = {"languageId": "python"}
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{number:08x}"
    return notebook


@pytest.fixture(scope="module")
def everybody(first, solved, untouched) -> dict[str, tuple[dict, float | None]]:
    """Submissions by name, each with the points that it has earned."""
    found = {}
    for task, listed in mistakes.read(first).items():
        for number, mistake in enumerate(listed):
            notebook = mistakes.placed(first, task, mistake)
            lost = first.task(task).points
            found[f"{task}-{number}"] = json.loads(nbformat.writes(notebook)), 10 - lost
    for form in (from_colab, from_vs_code):
        found[form.__name__] = form(solved), 10.0
    for name in HOSTILE:
        found[name] = tricks.played(untouched, name, str(exercises.course_folder())), 0.0
    rng, blank = np.random.default_rng(0), {c["id"]: c for c in untouched["cells"]}
    while len(found) < 100:
        # Somebody who has solved some of the tasks, in an own way of writing.
        tasks = [task for task in first.tasks if rng.random() < 0.6]
        notebook = copy.deepcopy(solved)
        for cell in notebook["cells"]:
            if cell["id"] in {task.solution.id for task in first.tasks if task not in tasks}:
                cell["source"] = blank[cell["id"]]["source"]
        own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        notebook["cells"].insert(4, own | {"id": "own", "source": f"own = {len(found)}"})
        found[f"student-{len(found)}"] = notebook, sum(task.points for task in tasks)
    return found


def test_a_hundred_are_graded_in_twenty_minutes(everybody, graded, tmp_path, capsys, pace):
    began = time.monotonic()
    results = graded({name: notebook for name, (notebook, _) in everybody.items()}, tmp_path)
    minutes = (time.monotonic() - began) / 60
    with capsys.disabled():
        print(f"\n{len(results)} submissions, {len(HOSTILE)} hostile: {minutes:.1f} minutes")
    assert len(results) == len(everybody) == 100 and len(HOSTILE) == 10
    found = {name: (result.status, result.score) for name, result in results.items()}
    assert found == {name: ("graded", points) for name, (_, points) in everybody.items()}
    assert minutes < MINUTES * pace()
    grades = json.loads((tmp_path / "report" / "grades.json").read_text())["submissions"]
    assert list(grades) == list(everybody)
    pages = {path.stem for path in (tmp_path / "report").glob("*.html")}
    assert pages == set(everybody)
