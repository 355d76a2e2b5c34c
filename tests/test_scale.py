"""The table of settings: how it is chosen, changed and refused, and that it fits the notebooks."""

import re
from pathlib import Path

import nbformat
import pytest

from course_utils import scale

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture
def table(monkeypatch):
    """A small table with every type, and no variable set."""
    monkeypatch.delenv("COURSE_SCALE", raising=False)
    monkeypatch.delenv("COURSE_SETTINGS", raising=False)
    small = {
        "90_words": {
            "epochs": (1, 10, 100),
            "rate": (0.5, 0.25, 0.125),
            "data_set": ("toy", "part", "whole"),
            "augment": (False, True, True),
        },
        "91_music": {"epochs": (2, 20, 200)},
    }
    monkeypatch.setattr(scale, "TABLE", small)


def test_mini_is_what_one_gets_without_asking(table, monkeypatch):
    assert scale.current() == "mini"
    monkeypatch.setenv("COURSE_SCALE", "")
    assert scale.current() == "mini"
    found = vars(scale.settings("90_words"))
    assert found == {"epochs": 1, "rate": 0.5, "data_set": "toy", "augment": False}


@pytest.mark.parametrize(("name", "epochs"), [("mini", 1), ("laptop", 10), ("full", 100)])
def test_the_environment_chooses_the_column(table, monkeypatch, name, epochs):
    monkeypatch.setenv("COURSE_SCALE", name)
    assert scale.current() == name
    assert scale.settings("90_words").epochs == epochs


def test_the_set_up_cell_wins_over_the_environment_and_both_over_the_table(table, monkeypatch):
    monkeypatch.setenv("COURSE_SETTINGS", '{"epochs": 7, "data_set": "mine"}')
    found = scale.settings("90_words", epochs=3)
    assert (found.epochs, found.data_set, found.rate) == (3, "mine", 0.5)
    assert scale.settings("90_words").epochs == 7
    assert scale.TABLE["90_words"]["epochs"] == (1, 10, 100), "an override is for one run"


def test_a_whole_number_serves_as_a_fraction_and_becomes_one(table, monkeypatch):
    monkeypatch.setenv("COURSE_SETTINGS", '{"rate": 2}')
    found = scale.settings("90_words").rate
    assert found == 2 and type(found) is float


def test_an_unknown_scale_is_refused(table, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "huge")
    with pytest.raises(ValueError, match=r"COURSE_SCALE is 'huge'.* mini, laptop, full; set one"):
        scale.settings("90_words")


def test_an_unknown_lesson_is_refused(table):
    with pytest.raises(ValueError, match=r"lesson '9_words'; lessons are 90_words, 91_music\."):
        scale.settings("9_words")


def test_an_unknown_setting_is_refused_and_its_source_named(table, monkeypatch):
    listed = r"'epoch', which is no setting; the settings are epochs, rate, data_set, augment\."
    with pytest.raises(ValueError, match=rf"the set-up cell of lesson 90_words names {listed}"):
        scale.settings("90_words", epoch=3)
    monkeypatch.setenv("COURSE_SETTINGS", '{"epoch": 3}')
    with pytest.raises(ValueError, match=rf"COURSE_SETTINGS of lesson 90_words names {listed}"):
        scale.settings("90_words")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"epochs": 2.0}, "int, such as 1"),
        ({"epochs": "2"}, "int, such as 1"),
        ({"epochs": True}, "int, such as 1"),  # True is an int to Python, and no count of epochs
        ({"epochs": None}, "int, such as 1"),
        ({"rate": "0.1"}, "float, such as 0.5"),
        ({"rate": True}, "float, such as 0.5"),
        ({"data_set": 1}, "str, such as 'toy'"),
        ({"augment": 1}, "bool, such as False"),
    ],
)
def test_a_value_of_another_type_is_refused(table, change, expected):
    ((name, value),) = change.items()
    said = f"sets {name} to {value!r}; expected a value of type {expected}."
    with pytest.raises(ValueError, match=re.escape(said)):
        scale.settings("90_words", **change)


def test_settings_that_are_not_json_are_refused(table, monkeypatch):
    monkeypatch.setenv("COURSE_SETTINGS", "epochs=3")
    with pytest.raises(ValueError, match=r"COURSE_SETTINGS is not JSON \(.*line 1.*\); expected"):
        scale.settings("90_words")


@pytest.mark.parametrize("text", ["[]", "3", '"epochs"', "null"])
def test_settings_that_are_no_object_are_refused(table, monkeypatch, text):
    monkeypatch.setenv("COURSE_SETTINGS", text)
    said = f"COURSE_SETTINGS holds {text}; expected a JSON object"
    with pytest.raises(ValueError, match=re.escape(said)):
        scale.settings("90_words")


@pytest.mark.parametrize("lesson", scale.TABLE)
def test_a_row_has_one_value_of_one_type_for_each_scale(lesson):
    for name, row in scale.TABLE[lesson].items():
        assert len(row) == len(scale.SCALES), f"{lesson}: {name} has {len(row)} values"
        assert len({type(value) for value in row}) == 1, f"{lesson}: {name} mixes types: {row}"


def test_every_notebook_has_its_row_and_every_row_its_notebook():
    assert [path.stem for path in NOTEBOOKS] == list(scale.TABLE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_reads_every_setting_of_its_row_and_no_other(path):
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert set(re.findall(r"\bsettings\.(\w+)", code)) == set(scale.TABLE[path.stem])
