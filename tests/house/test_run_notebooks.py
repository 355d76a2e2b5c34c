"""`make notebooks` stores clean outputs or leaves the notebook as it was."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
import run_notebooks


@pytest.fixture(autouse=True)
def learners_settings(monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "full")
    monkeypatch.setenv("COURSE_SETTINGS", "{}")
    monkeypatch.setenv("COURSE_DATA_ROOT", "elsewhere")


def written(folder: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    """Return the path of a notebook with these code cells."""
    cells = [
        nbformat.v4.new_code_cell(source, id=f"cell-{i}", metadata={"tags": list(tags)})
        for i, source in enumerate(sources)
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"course": {"minutes": 3}})
    path = folder / "01_example.ipynb"
    nbformat.write(notebook, path)
    return path


def test_outputs_are_stored_and_everything_else_is_kept(tmp_path, capsys):
    show = "import os\nfor i in range(3):\n    print(i, flush=True)\nos.environ['COURSE_SCALE']"
    more = "sorted(k for k in os.environ if k.startswith('COURSE'))"
    path = written(tmp_path, show, more, "os.path.samefile('.', os.path.dirname('x') or '.')")
    before = json.loads(path.read_text())
    before["cells"][0]["metadata"]["execution"] = {"iopub.execute_input": "2020"}
    path.write_text(json.dumps(before))
    assert run_notebooks.main([str(path)]) == 0
    after = json.loads(path.read_text())
    assert [cell["id"] for cell in after["cells"]] == ["cell-0", "cell-1", "cell-2"]
    assert after["cells"][0]["metadata"] == {"tags": []}
    assert "".join(after["cells"][0]["outputs"][0]["text"]) == "0\n1\n2\n"
    assert after["cells"][0]["outputs"][1]["data"]["text/plain"] == ["'mini'"]
    assert after["cells"][1]["outputs"][0]["data"]["text/plain"] == ["['COURSE_SCALE']"]
    assert [cell["execution_count"] for cell in after["cells"]] == [1, 2, 3]
    assert after["metadata"]["course"] == {"minutes": 3}
    assert after["metadata"]["language_info"] == {"name": "python"}
    assert after["metadata"]["kernelspec"]["name"] == "python3"
    assert " s  " in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["01_example.ipynb"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0", "cell 'cell-1' (number 2), raised ZeroDivisionError: division by zero"),
        ("import sys; print('oh', file=sys.stderr)", "cell 'cell-1' (number 2), wrote to stderr"),
        ("print('in /home/someone/course')", "shows an absolute path: '/home/someone/course'"),
        ("import os; os._exit(1)", "lost its kernel"),
    ],
)
def test_what_a_reader_should_not_see_is_not_stored(tmp_path, capsys, source, said):
    path = written(tmp_path, "print('fine')", source)
    before = path.read_bytes()
    assert run_notebooks.main([str(path)]) == 1
    shown = capsys.readouterr().err
    assert said in shown and "01_example.ipynb" in shown and "Traceback" not in shown
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["01_example.ipynb"]


def test_expected_error_is_stored(tmp_path):
    path = written(tmp_path, "raise ValueError('shown on purpose')", tags=("raises-exception",))
    assert run_notebooks.main([str(path)]) == 0
    assert json.loads(path.read_text())["cells"][0]["outputs"][0]["ename"] == "ValueError"


def test_missing_notebook_is_a_sentence(capsys):
    assert run_notebooks.main(["77"]) == 1
    assert capsys.readouterr().err == "no notebook 77: give a lesson's number or its path\n"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"image/png": "x+/tmp/abcd"}, None),
        ({"text/html": '<audio src="data:audio/wav;base64,AA+/tmp/ab==">'}, None),
        ({"text/plain": "https://example.org/home/page"}, None),
        ({"text/plain": "and/or, 3 /home runs"}, None),
        ({"text/html": '<a href="/Users/me/x">'}, "/Users/me/x"),
        ({"application/json": {"a": ["C:\\Users\\me"]}}, "C:\\Users\\me"),
        ({"image/svg+xml": "<!-- /tmp/x.svg -->"}, "/tmp/x.svg"),
    ],
)
def test_paths_are_found_in_text_only(data, path):
    assert run_notebooks.path_in({"output_type": "display_data", "data": data}) == path


def test_a_lesson_that_would_go_on_from_an_earlier_run_is_not_stored(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run_notebooks, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("COURSE_RUNS_ROOT", str(tmp_path / "runs"))
    path = written(tmp_path, "1 + 1")
    before = path.read_bytes()
    work = tmp_path / "runs" / path.stem / "weights"
    work.mkdir(parents=True)
    assert run_notebooks.main([str(path)]) == 1
    said = capsys.readouterr().err
    assert "has run before, and would go on from" in said and "move that folder away" in said
    assert path.read_bytes() == before and work.is_dir()
