"""data/results/genres.json: seeds of three ways to train, and the tool that trains them."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course_utils import metrics, scale
from course_utils.datasets import cards, genres
from course_utils.datasets.archives import sha256_of

ROOT = Path(__file__).resolve().parents[2]
CARD = ROOT / "data/results/genres.json"


@pytest.fixture(scope="module")
def card() -> dict:
    return json.loads(CARD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def script():
    pytest.importorskip("tensorflow")
    path = ROOT / "tools/make_genre_results.py"
    spec = importlib.util.spec_from_file_location("_make_genre_results", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_it_is_of_the_music_the_weights_and_the_settings_of_today(card, script):
    assert card["archive_sha256"] == cards.load(card["data"]).sha256
    assert card["weights_sha256"] == sha256_of(script.models.mini_weights())
    settings = vars(scale.settings("07_genre_transfer_learning"))
    trained_with = ("image", "alpha", "windows", "epochs", "learning_rates", "upper_layers")
    assert {name: card["settings"][name] for name in trained_with} == {
        name: settings[name] for name in trained_with
    }


def test_its_figures_follow_from_what_each_track_got(card, script):
    testing = genres.open(card["data"]).part("testing")
    assert card["n"] == len(testing) and card["artists"] == len(set(testing.artists))
    assert len(card["seeds"]) >= 5 and [row["way"] for row in card["rows"]] == list(script.WAYS)
    tables = {}
    for row in card["rows"]:
        tables[row["way"]] = np.array([[int(each) for each in text] for text in row["correct"]])
        assert tables[row["way"]].shape == (len(card["seeds"]), card["n"])
        np.testing.assert_allclose(row["accuracy"], tables[row["way"]].mean(axis=1))
    assert {way: gain["on"] for way, gain in card["gains"].items()} == script.GAINS
    for way, other in script.GAINS.items():
        low, high = card["gains"][way]["interval_95"]
        gain = (tables[way] - tables[other]).mean(axis=0)
        assert low < 100 * gain.mean() < high
        found = metrics.bootstrap(100 * gain, np.random.default_rng(0), groups=testing.artists)
        np.testing.assert_allclose([low, high], found)


def test_every_way_is_above_chance(card):
    """The lower end of Wilson's interval of the mean seed."""
    for row in card["rows"]:
        correct = round(float(np.mean(row["accuracy"])) * card["n"])
        assert metrics.wilson(correct, card["n"])[0] > 1 / len(genres.GENRES), row["way"]


@pytest.mark.long
@pytest.mark.slow
def test_the_tool_trains_all_three_ways(script, tmp_path, monkeypatch):
    """With one epoch each, on a few of the tracks."""
    settings = scale.settings("07_genre_transfer_learning")
    settings.epochs, short = [1, 1, 1], replace(script.PATIENT, epochs=1)
    few = genres.open(script.DATA).thinned(15, seed=0)
    parts = {
        part: script.windows.prepare(few.part(part), script.front_end(settings))
        for part in genres.PARTS
    }
    found = script.trained(parts, 0, settings, tmp_path, short, short)
    assert list(found) == list(script.WAYS)
    for correct in found.values():
        assert correct.shape == (len(few.part("testing")),) and set(correct) <= {0, 1}
    assert (tmp_path / "fine-tuned_0" / "history.json").is_file()
