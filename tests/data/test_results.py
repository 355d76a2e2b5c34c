"""data/results: made by today's code from today's recordings, and not touched since."""

import dataclasses
import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from course_utils import metrics

pytest.importorskip("tensorflow")

from course_utils.features.front_end import FrontEnd
from course_utils.models import speech_commands as models

ROOT = Path(__file__).resolve().parents[2]
STORED = json.loads((ROOT / "data/results/speech_commands.json").read_text(encoding="utf-8"))
ROWS = {row["title"]: row for row in STORED["rows"]}
QUICK = "tiny_embedding_conv"
"""The row that is trained again: among the fastest, and it learns something."""


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("_make", ROOT / "tools/make_results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts(script):
    return script.load_parts()


def as_json(value):
    return json.loads(json.dumps(value))


def test_every_row_was_made_by_the_recipe_of_today(script):
    wanted = {title: as_json(dataclasses.asdict(r)) for title, r in script.recipes().items()}
    assert {title: row["recipe"] for title, row in ROWS.items()} == wanted


def test_every_architecture_has_a_row():
    assert {row["recipe"]["architecture"] for row in ROWS.values()} == set(models.ARCHITECTURES)


def test_the_recordings_are_those_of_today():
    archive = ROOT / "data/speech_commands_mini.zip"
    assert STORED["archive_sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()


@pytest.mark.parametrize("title", ROWS)
def test_sizes_are_those_of_today(title):
    row = ROWS[title]
    size = FrontEnd(**row["recipe"]["front_end"]).output_size
    network = models.build(row["recipe"]["architecture"], size, 12)
    assert row["parameters"] == network.count_params()
    assert row["multiply_adds"] == models.multiply_adds(network)


@pytest.mark.parametrize("title", ROWS)
def test_a_row_agrees_with_itself(title):
    row = ROWS[title]
    right = row["right"].count("1")
    assert row["n"] == len(row["right"]) == right + row["right"].count("0")
    assert row["accuracy"] == pytest.approx(right / row["n"])
    assert row["interval_95"] == pytest.approx(metrics.wilson(right, row["n"]))


def test_what_the_lessons_say_about_the_rows():
    best, tutorial = ROWS[STORED["best"]], ROWS["conv, the tutorial's recipe"]
    assert best["accuracy"] >= 0.9 and best["n"] >= 300
    assert best["parameters"] < 350_000
    assert tutorial["interval_95"][1] < ROWS["conv"]["interval_95"][0]
    assert ROWS["conv"]["interval_95"][1] < best["interval_95"][0]


def test_the_shipped_recogniser_is_the_one_that_was_measured(parts):
    folder = ROOT / "data/results/speech_commands"
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    assert found == STORED["best_sha256"]
    testing = parts["testing"]
    right = models.load(folder).scores(testing).argmax(axis=1) == testing.classes
    stored = np.array(list(ROWS[STORED["best"]]["right"])) == "1"
    # Another processor may round another way, and tip a clip or two.
    assert np.mean(right == stored) > 0.99


@pytest.mark.long
@pytest.mark.slow
def test_training_a_row_again_gives_it_again(script, parts, tmp_path):
    again = script.measured(QUICK, script.recipes()[QUICK], parts, tmp_path)
    stored = ROWS[QUICK]
    assert abs(again["accuracy"] - stored["accuracy"]) < 0.05
    assert abs(again["validation_accuracy"] - stored["validation_accuracy"]) < 0.08
