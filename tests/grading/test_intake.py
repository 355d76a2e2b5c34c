"""A submission is read as it is, whoever saved it, or refused with one sentence."""

from __future__ import annotations

import json
import os

import nbformat
import pytest
import small_exercise
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils.grading.submissions import intake, overlay
from course_utils.grading.submissions.intake import SubmissionError


def refusal(path) -> str:
    """The sentence of a refusal."""
    with pytest.raises(SubmissionError) as found:
        intake.read(path)
    said = str(found.value)
    assert said.endswith(".") and "\n" not in said and "expected" in said and ";" in said
    assert not os.path.isabs(said.split()[0])
    said.encode()
    return said


def named(submission: intake.Submission) -> list[str]:
    return list(submission.by_grade_id)


NAMES = ["frame_count", "frame_count_check", "power", "power_check"]


def test_a_good_submission_is_taken_whole(tmp_path, raw):
    found = intake.read(small_exercise.handed_in(tmp_path, raw))
    assert found.name == "42_echoes" and found.notes == ()
    assert named(found) == NAMES and len(found.extras) == 5
    assert found.by_grade_id["power"].source.endswith("return values**2")
    assert found.by_grade_id["power"].names == ("power",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"{", "is no JSON (line 1"),
        (b'{"cells": [\n<<<<<<< HEAD\n', "is no JSON (line 2"),
        (b"<!DOCTYPE html>\n<html>", "is a web page"),
        (b"PK\x03\x04\x00\xff\xfe", "is not text"),
        ('{"name": "\xe9"}'.encode("latin-1"), "is not text in UTF-8"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b"9" * 10_000, "a number too long"),
        ([], "is JSON but no notebook"),
        (None, "is JSON but no notebook"),
        ("text", "is JSON but no notebook"),
        ({"cells": []}, "is JSON but no notebook"),
        ({"nbformat": "4", "cells": []}, "is JSON but no notebook"),
        ({"nbformat": True, "cells": []}, "is JSON but no notebook"),
        ({"nbformat": 2, "cells": []}, "is a notebook of format 2"),
        ({"nbformat": 5, "cells": []}, "is a notebook of format 5"),
        ({"nbformat": 3, "worksheets": [{"cells": [{}]}]}, "format 3 with parts missing"),
        ({"nbformat": 3, "worksheets": 7}, "format 3 with parts missing"),
        ({"nbformat": 4}, "has no list of cells"),
        ({"nbformat": 4, "cells": {}}, "has no list of cells"),
        ({"nbformat": 4, "cells": [{}]}, "has a cell 1 that is neither code nor text"),
        ({"nbformat": 4, "cells": [7]}, "has a cell 1"),
        ({"nbformat": 4, "cells": [{"cell_type": "heading", "source": ""}]}, "has a cell 1"),
        ({"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}, "has a cell 1"),
        ({"nbformat": 4, "cells": [{"cell_type": "code", "source": {}}]}, "has a cell 1"),
    ],
)
def test_what_is_no_notebook_is_refused(tmp_path, content, says):
    assert says in refusal(small_exercise.handed_in(tmp_path, content))


def test_what_is_no_plain_file_is_refused(tmp_path, raw):
    path = small_exercise.handed_in(tmp_path, raw)
    assert "(No such file" in refusal(tmp_path / "other.ipynb")
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "link.ipynb").symlink_to(path)
    assert "is a link" in refusal(tmp_path / "link.ipynb")
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert "a device" in refusal(tmp_path / "pipe.ipynb")
    assert "no file can have this name" in refusal(tmp_path / "\0.ipynb")
    (tmp_path / os.fsdecode(b"\xff.ipynb")).write_bytes(b"")
    assert "is empty" in refusal(tmp_path / os.fsdecode(b"\xff.ipynb"))


def test_what_is_too_much_is_refused(tmp_path, raw, monkeypatch):
    path = small_exercise.handed_in(tmp_path, raw | {"cells": raw["cells"][:1] * 100_000})
    assert "has 100000 cells: at most 1000" in refusal(path)
    raw["cells"][1]["source"] = "x" * (intake.MAX_SOURCE + 1)
    path = small_exercise.handed_in(tmp_path, raw)
    assert "characters in its cells: at most 500000" in refusal(path)
    monkeypatch.setattr(intake, "MAX_BYTES", path.stat().st_size)
    assert "characters in its cells" in refusal(path)
    monkeypatch.setattr(intake, "MAX_BYTES", path.stat().st_size - 1)
    assert "is too large" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_unicode_encodings_are_read(tmp_path, raw, encoding):
    raw["cells"][1]["source"] = "name = 'écho'"
    content = json.dumps(raw, ensure_ascii=False).encode(encoding)
    found = intake.read(small_exercise.handed_in(tmp_path, content))
    assert found.cells[1].source == "name = 'écho'" and named(found) == NAMES


def test_lines_null_and_nan_are_read(tmp_path, raw):
    raw["metadata"] = None
    raw["nbformat_minor"] = 9
    for each in raw["cells"]:
        each["source"] = each["source"].splitlines(keepends=True)
    raw["cells"][0] |= {"metadata": None, "attachments": {"a.png": {"image/png": "AA=="}}}
    raw["cells"][1] |= {"source": None, "outputs": [{"data": {"x": float("nan")}}]}
    found = intake.read(small_exercise.handed_in(tmp_path, raw))
    assert named(found) == NAMES and found.cells[1].source == "" and found.notes == ()


def test_strange_metadata_is_passed_over(tmp_path, raw):
    for each, value in zip(raw["cells"], [7, [], "x", None, {"grade_id": 3}], strict=False):
        each["metadata"] = {"nbgrader": value, "id": [value]}
        each["id"] = {"not": "a name"}
    found = intake.read(small_exercise.handed_in(tmp_path, raw))
    assert named(found) == NAMES[2:] and found.cells[3].names == ()


def test_characters_that_are_none_are_replaced_and_told(tmp_path, raw):
    raw["cells"][1]["source"] = "a = '\0'\r\nb = '\ud800'\rc = 1"
    found = intake.read(small_exercise.handed_in(tmp_path, raw))
    assert found.cells[1].source == "a = '\ufffd'\nb = '\ufffd'\nc = 1"
    assert len(found.notes) == 1 and "Cell 2 holds" in found.notes[0]


def test_the_last_of_several_copies_counts(tmp_path, raw):
    again = dict(small_exercise.cell(raw, "power"), source="def power(values): return 7")
    raw["cells"].append(again)
    found = intake.read(small_exercise.handed_in(tmp_path, raw))
    assert found.by_grade_id["power"].source.endswith("return 7")
    assert named(found)[-1] == "power" and len(found.cells) == 10 and len(found.extras) == 6
    assert found.notes == (
        "2 cells are copies with the grade_id 'power'; the last one counts, so delete the others.",
    )


def test_a_notebook_of_format_3_is_converted(tmp_path, raw):
    cells = []
    for each in raw["cells"]:
        old = {key: each[key] for key in ("cell_type", "metadata")}
        old |= {"input" if each["cell_type"] == "code" else "source": each["source"]}
        if each["cell_type"] == "code":
            old |= {"language": "python", "outputs": [], "collapsed": False}
        cells.append(old)
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}}
    path = small_exercise.handed_in(tmp_path, old | {"worksheets": [{"cells": cells}]})
    found = intake.read(path)
    assert named(found) == NAMES and "old format 3" in found.notes[0]
    assert [cell.source for cell in found.cells] == [cell["source"] for cell in raw["cells"]]


def as_colab(raw: dict) -> dict:
    """As Colab saves: format 4.0, ids in the metadata, and much of its own."""
    cells = []
    for each in raw["cells"]:
        metadata = {**each["metadata"], "id": each["id"], "cellView": "form"}
        cell = {"cell_type": each["cell_type"], "metadata": metadata}
        cell["source"] = each["source"].splitlines(keepends=True)
        if each["cell_type"] == "code":
            metadata |= {"colab": {"base_uri": "https://localhost:8080/"}, "outputId": "2f31-b5"}
            cell |= {"execution_count": 3, "outputs": [{"output_type": "stream", "text": ["a"]}]}
        cells.append(cell)
    colab = {"provenance": [], "toc_visible": True}
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": {"colab": colab}, "cells": cells}


def as_vs_code(raw: dict) -> dict:
    """As VS Code saves: ids and metadata kept, and its own beside them."""
    for each in raw["cells"]:
        each["metadata"] = {**each["metadata"], "vscode": {"languageId": "python"}}
    return raw | {"metadata": {"language_info": {"name": "python"}}}


def without_nbgrader(raw: dict) -> dict:
    for each in raw["cells"]:
        each["metadata"].pop("nbgrader", None)
    return raw


def without_names(raw: dict) -> dict:
    for each in raw["cells"]:
        each.pop("id", None)
        each["metadata"] = {}
    return raw | {"nbformat_minor": 4}


@pytest.mark.parametrize(
    "save",
    [
        lambda raw: raw,
        as_colab,
        as_vs_code,
        without_nbgrader,
        without_names,
        lambda raw: without_nbgrader(as_colab(raw)),
        lambda raw: without_names(as_colab(raw)),
        lambda raw: without_nbgrader(as_vs_code(raw)),
    ],
    ids=["jupyter", "colab", "vscode", "ids", "text", "colab ids", "colab text", "vscode ids"],
)
def test_every_saved_form_gives_the_same_notebook(tmp_path, exercise, raw, save):
    raw["cells"][1]["source"] += "\n"
    found = intake.read(small_exercise.handed_in(tmp_path, save(raw), name="copy of homework"))
    assert intake.exercise_of(found, [exercise]) is exercise
    laid = overlay.lay_over(exercise, found)
    assert laid.notes == () and laid.extras == ()
    assert "return 1 + hops" in laid.sources["frame_count"]
    assert [cell.id for cell in laid.notebook.cells] == [
        cell.id for cell in exercise.notebook.cells
    ]


@pytest.fixture
def another(tmp_path):
    """An exercise that shares a task with the small one."""
    made = small_exercise.notebook()
    made.cells = [*made.cells[:2], *made.cells[5:]]
    path = small_exercise.write(tmp_path / "course", made, name="43_rooms")
    return intake.matching.exercises.read(path)


def test_the_exercise_with_most_cells_is_the_one(tmp_path, exercise, another, raw):
    found = intake.read(small_exercise.handed_in(tmp_path, raw, name="43_rooms"))
    assert intake.exercise_of(found, [another, exercise]) is exercise


def test_the_name_of_the_file_decides_between_equals(tmp_path, exercise, another, raw):
    raw["cells"] = raw["cells"][5:]
    found = intake.read(small_exercise.handed_in(tmp_path, raw, name="smith_43_ROOMS-2"))
    assert intake.exercise_of(found, [exercise, another]) is another
    found = intake.read(small_exercise.handed_in(tmp_path, raw, name="homework"))
    with pytest.raises(SubmissionError, match=r"42_echoes and 43_rooms alike: .*hand in one"):
        intake.exercise_of(found, [exercise, another])


def test_a_notebook_of_no_exercise_is_refused(tmp_path, exercise, another):
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1", id="set-up")])
    found = intake.read(small_exercise.handed_in(tmp_path, lesson))
    with pytest.raises(SubmissionError, match=r"no cell in which .* 42_echoes, 43_rooms; .*lesson"):
        intake.exercise_of(found, [exercise, another])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
KEYS = st.sampled_from(["cell_type", "source", "metadata", "id", "outputs", "nbgrader"])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.integers(0, 8), KEYS, JSON), max_size=4),
    version=st.sampled_from([4, 4, 3]),
)
def test_whatever_stands_in_a_cell_it_is_read_or_refused(tmp_path, exercise, changes, version):
    raw = small_exercise.solved(exercise) | {"nbformat": version}
    for number, key, value in changes:
        raw["cells"][number][key] = value
    path = small_exercise.handed_in(tmp_path, raw)
    try:
        found = intake.read(path)
    except SubmissionError:
        return
    laid = overlay.lay_over(exercise, found)
    nbformat.validate(laid.notebook)
    nbformat.writes(laid.notebook).encode()
    assert [cell.source for cell in laid.notebook.cells if cell.id.endswith("-check")] == [
        small_exercise.COUNT_CHECK,
        small_exercise.POWER_CHECK,
    ]
