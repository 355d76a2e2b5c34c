"""Of a submission only the learner's code counts; all else comes from the source notebook."""

from __future__ import annotations

import copy

import nbformat
import pytest
import small_exercise
from nbval import plugin

from course_utils.grading.submissions import intake, learner_code, overlay


@pytest.fixture
def laid(tmp_path, exercise):
    """Lays a submission over the exercise."""

    def lay(raw: dict) -> overlay.Overlaid:
        before = copy.deepcopy(exercise.notebook)
        found = overlay.lay_over(
            exercise, intake.read(small_exercise.handed_in(tmp_path, raw, name="handed_in"))
        )
        nbformat.validate(found.notebook)
        assert exercise.notebook == before
        return found

    return lay


def ids(found: overlay.Overlaid) -> list[str]:
    return [cell.id for cell in found.notebook.cells]


def own(source: str, kind: str = "code", **more: object) -> dict:
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


def at(raw: dict, name: str) -> int:
    return [each.get("id") for each in raw["cells"]].index(name)


def test_only_the_sources_of_solution_cells_are_taken(laid, exercise, raw):
    cell = small_exercise.cell(raw, "power")
    cell["source"] = "def power(values):\n    return 7"
    cell["metadata"]["tags"] = ["raises-exception", "nbval-skip"]
    cell["metadata"]["nbgrader"] |= {"solution": False, "grade": True, "points": 99}
    cell["metadata"]["course"] = {"timeout_s": 9999}
    cell |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "3.0"}]}
    raw["metadata"] = {"kernelspec": {"name": "evil", "display_name": "evil"}}
    found = laid(raw)
    assert found.notes == () and found.sources["power"] == cell["source"]
    assert found.notebook.metadata == exercise.notebook.metadata
    for got, pristine in zip(found.notebook.cells, exercise.notebook.cells, strict=True):
        if pristine.id in ("power", "frame-count"):
            assert got.metadata == pristine.metadata
            assert got.outputs == [] and got.execution_count is None
        else:
            if got.cell_type == "code" and not got.metadata.get("nbgrader", {}).get("grade"):
                assert got.metadata.pop("course") == {"timeout_s": 60}
            assert got == pristine


def test_a_given_cell_has_the_time_that_the_source_gives_it(laid, exercise, raw):
    given = next(
        cell
        for cell in exercise.notebook.cells
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("grade_id")
    )
    small_exercise.cell(raw, given.id)["metadata"]["course"] = {"timeout_s": 9999}
    given.metadata["course"] = {"timeout_s": 5}
    (found,) = [cell for cell in laid(raw).notebook.cells if cell.id == given.id]
    assert found.metadata.course == {"timeout_s": 5}


def test_a_missing_cell_is_blank_again_and_its_check_stays(laid, raw):
    raw["cells"] = [cell for cell in raw["cells"] if "power" not in cell["id"]]
    found = laid(raw)
    assert found.sources["power"].splitlines()[-1] == "    raise NotImplementedError()"
    assert "**2" not in "".join(c.source for c in found.notebook.cells if c.id == "power")
    assert found.notebook.cells[7].source == small_exercise.POWER_CHECK
    assert found.notes == (
        "The cell of the task 'power' is missing, so it counts as not written.",
        "The cell 'power-check' is missing; the exercise's own was put back.",
    )


@pytest.mark.parametrize("name", ["power-check", "set-up"])
@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_a_changed_cell_is_replaced_and_told(laid, exercise, raw, name, kind):
    cell = small_exercise.cell(raw, name)
    cell |= {"source": "assert True", "cell_type": kind}
    found = laid(raw)
    assert ids(found) == [each.id for each in exercise.notebook.cells]
    assert found.notes == (f"The cell {name!r} was changed; the exercise's own was run instead.",)


def test_an_answer_that_became_text_is_run_as_code(laid, raw):
    small_exercise.cell(raw, "power")["cell_type"] = "raw"
    found = laid(raw)
    assert found.notebook.cells[6].cell_type == "code"
    assert found.notes == ("The cell of the task 'power' had become text; it was run as code.",)


def test_order_is_that_of_the_exercise(laid, exercise, raw):
    raw["cells"].reverse()
    found = laid(raw)
    assert ids(found) == [each.id for each in exercise.notebook.cells] and found.notes == ()


def test_own_cells_stand_where_they_stood(laid, raw):
    for before, source in (
        ("title", "import scipy"),
        ("frame-count", "first = 1"),
        ("frame-count-check", "helper = 2"),
        ("power", "   \n"),
        ("recap", "tried = 3"),
        ("recap", "tried = 4"),
    ):
        raw["cells"].insert(at(raw, before), own(source, id="x-1", metadata={"tags": ["x"]}))
    raw["cells"] += [own("last = 5"), own("My thoughts.", kind="markdown")]
    found = laid(raw)
    assert found.extras == (
        "import scipy", "first = 1", "helper = 2", "tried = 3", "tried = 4", "last = 5"
    )  # fmt: skip
    extra = [f"learner-extra-{number}" for number in range(1, 7)]
    assert ids(found) == [
        extra[0], "title", "set-up", "frame-count-task", extra[1], "frame-count", extra[2],
        "frame-count-check", "power-task", "power", "power-check", *extra[3:5], "recap", extra[5],
    ]  # fmt: skip
    assert all(cell.metadata == {} for cell in found.notebook.cells if cell.id in extra)
    assert found.notes == ("Cells of text that are your own: 1; nothing in them is graded.",)


def test_an_own_cell_keeps_no_place_that_the_learner_moved(laid, raw):
    moved = raw["cells"].pop(at(raw, "power"))
    raw["cells"] = [raw["cells"][0], moved, own("behind = 1"), *raw["cells"][1:]]
    found = ids(laid(raw))
    assert found[found.index("learner-extra-1") - 1] == "power"


def test_a_copy_that_does_not_count_is_an_own_cell(laid, raw):
    copied = dict(small_exercise.cell(raw, "power"), source="def power(values): return 7")
    raw["cells"].insert(at(raw, "power"), copied)
    found = laid(raw)
    assert found.extras == ("def power(values): return 7",) and "**2" in found.sources["power"]


def test_where_no_cell_is_known_none_is_kept(laid, exercise):
    found = laid({"nbformat": 4, "cells": [own("import os"), own("x = 1")]})
    assert ids(found) == [each.id for each in exercise.notebook.cells] and found.extras == ()
    assert "2 cells of code were left out: no cell of the exercise is near." in found.notes


def test_the_function_tells_the_cell_where_nothing_else_does(laid, raw):
    wrong = own("def powerful(values): return 0\n# def power(")
    right = own("import numpy as np\n\n\ndef  power(values):\n    return values**2")
    raw["cells"][at(raw, "power")] = right
    raw["cells"] += [wrong]
    found = laid(raw)
    assert found.sources["power"] == right["source"] and found.extras == (wrong["source"],)


def test_a_cell_without_functions_is_told_by_its_given_lines(tmp_path, raw):
    made = small_exercise.notebook()
    made.cells[
        6
    ].source = "# Samples.\nrate = (\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION\n)"
    made.cells[7].source = made.cells[7].source.replace("power(", "abs(")
    exercise = intake.matching.exercises.read(small_exercise.write(tmp_path / "other", made))
    raw["cells"][6] = own("#  Samples.\nrate = (  \n   2 )\n)")
    found = intake.read(small_exercise.handed_in(tmp_path, raw))
    assert overlay.lay_over(exercise, found).sources["power"] == raw["cells"][6]["source"]


@pytest.mark.parametrize("marker", plugin.comment_markers)
@pytest.mark.parametrize(
    "line",
    ["# {}", "    #{}", "### {} ", "x = 1  # {}", "#\x0c# {}", "!echo '  # {}", "%time  # {}"],
)
def test_no_comment_speaks_to_nbval(laid, raw, marker, line):
    cell = small_exercise.cell(raw, "power")
    lines = line.format(marker)
    cell["source"] += f"\n{lines}\nx = 2"
    raw["cells"].append(own(lines + "\nx = 3"))
    found = laid(raw)
    sources = [found.sources["power"], found.extras[0]]
    assert not [each for source in sources for each in plugin.find_comment_markers(source)]
    assert [source.count("\n") for source in sources] == [cell["source"].count("\n"), 1]
    assert sum("marks for nbval" in note for note in found.notes) == 2 * (marker not in sources[0])


def test_strings_keep_what_looks_like_a_mark():
    source = 'a = """\n# NBVAL_SKIP\n"""  # NBVAL_SKIP\nb = "# NBVAL_SKIP"'
    assert learner_code.without_markers(source) == source.replace('"""  # NBVAL_', '"""  # NBVAL-')


def test_what_does_not_tokenize_is_cleaned_by_line():
    source = "# NBVAL_SKIP\nx = '''\n  # NBVAL_RAISES_EXCEPTION\n"
    assert learner_code.without_markers(source) == source.replace("NBVAL_", "NBVAL-")


@pytest.mark.parametrize(
    "source",
    [
        "mfcc(x)",
        "x = features.mfcc",
        "mfcc = 3",
        "import mfcc",
        "import a.mfcc.b",
        "from mfcc import a",
        "from a.mfcc.b import c",
        "from a import mfcc as m",
        "import a as mfcc",
        "getattr(features, 'mfcc')",
        "eval('features.mfcc(x)')",
        "eval(f'features.mfcc({x})')",
        "exec(b'import mfcc')",
        "run('mfcc', 'x')",
        "!cat mfcc.py",
        "%load mfcc",
        "%%python\nimport mfcc",
        "mfcc?",
        "x = %timeit mfcc(3)",
        "!" * 100 + " mfcc\n" * 5000,  # too long for IPython, so every word counts
        "x = " + "-" * 50_000 + "mfcc",
        "x = 0" + ".a" * 50_000 + ".mfcc",
    ],
)
def test_a_mention_is_found(source):
    assert learner_code.mentions(source, ("stft", "mfcc")) == ["mfcc"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "# mfcc\nx = 1",
        '"""mfcc"""\ndef f():\n    """Give the mfcc."""\n    return 1',
        "mfccs = my_mfcc = mfcc2 = 1",
        "x = 'mfccs'",
        "def mfcc(x):\n    return x",
        "import a_mfcc",
        "this is no Python: mfcc",
        "\0mfcc",
    ],
)
def test_what_is_no_mention_is_left_alone(source):
    assert learner_code.mentions(source, ("mfcc",)) == []


def test_a_dotted_name_is_found_where_it_is_imported():
    assert learner_code.mentions("from numpy import linalg", ("numpy.linalg",)) == ["numpy.linalg"]
    assert learner_code.mentions("np.linalg.norm(x)", ("numpy.linalg",)) == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def power(values)\n    return 1", "is no Python in line 1: expected ':'."),
        ("x = 1\n\n  y = 2", "is no Python in line 3: unexpected indent."),
        ("x = " + "(" * 300 + ")" * 300, "is no Python in line 1: too many nested parentheses."),
        ("x = 0" + ".a" * 50_000, "is too long or too deep"),
        ("x = " + "-" * 90_000 + "1", "is too long or too deep"),
        ("!ls\n" * 10_000, "is too long or too deep"),
    ],
)
def test_what_cannot_be_looked_through_is_told(laid, raw, source, says):
    small_exercise.cell(raw, "power")["source"] = source
    found = laid(raw)
    assert len(found.notes) == 1 and says in found.notes[0]
    assert found.sources["power"] == source


def test_magics_are_no_mistake(laid, raw):
    small_exercise.cell(raw, "power")["source"] = "%%time\n!ls\nx = 1"
    assert laid(raw).notes == ()
