"""The generated parts of the guides: in step with notebooks, results and mistakes, and how made."""

from __future__ import annotations

import json
import shutil

import lesson_results
import make_tables
import nbformat
import publish
import pytest

LESSON = "02_speech_commands_cnn"


def test_the_guides_are_in_step(capsys):
    assert make_tables.main(["--check"]) == 0, capsys.readouterr().out


def test_every_result_is_of_the_notebook_as_it_is(root):
    known = lesson_results.read()
    paths = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    assert [path.stem for path in paths] == sorted(known)
    stale = [p.stem for p in paths if lesson_results.code_of(p) != known[p.stem]["code"]]
    assert not stale, f"changed since they were run: {stale}; run make notebooks LESSONS=..."


def test_every_result_has_what_a_reader_asks_for():
    for name, found in lesson_results.read().items():
        low, high = found["interval_95"]
        assert 0 <= low <= found["value"] <= high <= 1, name
        assert found["n"] >= 40 and found["scale"] == "mini" and found["seconds"] > 0
        # The first two learn nothing, so there is nothing to compare them with.
        assert ("baseline" in found) == (name[:2] not in ("00", "01")), name


@pytest.fixture
def course(root, tmp_path):
    """A copy of what the tables are made from."""
    for name in ("README.md", "INSTRUCTORS.md", "data/results/lessons.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    return tmp_path


def test_a_changed_result_changes_the_page(course, capsys):
    file = course / "data" / "results" / "lessons.json"
    known = json.loads(file.read_text())
    known[LESSON]["value"] = 0.4321
    file.write_text(json.dumps(known))
    assert make_tables.main(["--root", str(course), "--check"]) == 1
    assert "README.md is out of step" in capsys.readouterr().out
    assert make_tables.main(["--root", str(course)]) == 0
    text = (course / "README.md").read_text()
    assert "**43.2&nbsp;%**" in text and "| 43.2&nbsp;% |" in text
    assert make_tables.main(["--root", str(course), "--check"]) == 0


def test_a_new_mistake_and_another_picture_change_the_pages(course, capsys):
    listed = course / "notebooks" / "solutions" / f"{LESSON}.mistakes.json"
    known = json.loads(listed.read_text())
    known["train"].append({"name": "a | new one", "solution": [], "hint": "x"})
    listed.write_text(json.dumps(known))
    (course / "front_page").mkdir()
    (course / "front_page" / "02.png").write_bytes(b"old")
    assert make_tables.main(["--root", str(course)]) == 0
    assert " · a &#124; new one |" in (course / "INSTRUCTORS.md").read_text()
    assert (course / "front_page" / "02.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((course / "front_page").iterdir())) == 8


def test_what_is_missing_is_said_and_nothing_is_written(course, capsys):
    readme = course / "README.md"
    text = readme.read_text()
    readme.write_text(text.replace("<!-- results: end -->", ""))
    assert make_tables.main(["--root", str(course)]) == 1
    assert "README.md lacks the marks" in capsys.readouterr().err
    readme.write_text(text)

    path = course / "notebooks" / f"{LESSON}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    nbformat.write(notebook, path)
    assert make_tables.main(["--root", str(course)]) == 1
    assert "has no stored picture in cell" in capsys.readouterr().err

    (course / "data" / "results" / "lessons.json").write_text("{}")
    assert make_tables.main(["--root", str(course)]) == 1
    assert "does not know 00_start_here" in capsys.readouterr().err
    assert readme.read_text() == text and not (course / "front_page").exists()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A notebook, and a function that leaves results as its run would."""
    monkeypatch.setenv("COURSE_RUNS_ROOT", str(tmp_path / "runs"))
    path = tmp_path / "09_example.ipynb"
    cells = [nbformat.v4.new_code_cell("1 + 1", id="sum")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)

    def leave() -> None:
        folder = tmp_path / "runs" / path.stem
        folder.mkdir(parents=True, exist_ok=True)
        left = {
            "scale": "mini", "data": "d", "n": 7, "metric": "m", "value": 0.123456,
            "interval_95": [0.1, 0.2345678], "seconds": 3.2, "settings": {"a": 1},
            "hardware": {"cores": 2}, "written": "2026-01-02T03:04:05+00:00",
        }  # fmt: skip
        (folder / "results.json").write_text(json.dumps(left))

    return path, leave


def test_a_run_leaves_its_figures(run, tmp_path):
    path, leave = run
    file = tmp_path / "lessons.json"
    assert not lesson_results.keep(path, file)
    assert lesson_results.read(file) == {}
    leave()
    assert lesson_results.keep(path, file)
    found = lesson_results.read(file)["09_example"]
    assert found["value"] == 0.1235 and found["interval_95"] == [0.1, 0.2346]
    assert "settings" not in found and found["code"] == lesson_results.code_of(path)


def test_only_code_makes_a_result_old(run):
    path, _ = run
    before = lesson_results.code_of(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("more text", id="text"))
    nbformat.write(notebook, path)
    assert lesson_results.code_of(path) == before
    notebook.cells[0].source += " + 1"
    nbformat.write(notebook, path)
    assert lesson_results.code_of(path) != before


def test_publishing_makes_no_result_old(root, tmp_path):
    path = tmp_path / "notebooks" / f"{LESSON}.ipynb"
    path.parent.mkdir()
    shutil.copy(root / "notebooks" / path.name, path)
    before = lesson_results.code_of(path)
    publish.stamp(path, f"notebooks/{path.name}", "anna/course", "main")
    assert "pip install" in path.read_text() and lesson_results.code_of(path) == before
