"""The shipped `mobilenet_mini`: weights, their card, and the script that makes both."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from course_utils.datasets import cards
from course_utils.features import music
from course_utils.models.genres import base_weights, networks

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS, CARD = ROOT / "data/mobilenet_mini.npz", ROOT / "data/mobilenet_mini.json"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_make_net", ROOT / "data/make_mobilenet_mini.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def card() -> dict:
    return json.loads(CARD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scenes(script) -> list[tuple[set[str], list]]:
    """(facts, notes) of all scenes of twelve medleys; notes with the medley's programs."""
    found = []
    chance = script.chance_music
    for number in range(12):
        medley = chance.medley(np.random.default_rng([script.SEED, number]))
        for place, facts in enumerate(medley.facts):
            first = place * chance.APART_S
            notes = [n for n in medley.notes if first <= n.start_s < first + chance.APART_S]
            found.append((facts, notes, medley))
    return found


def needs_fluidsynth(script: ModuleType) -> None:
    if missing := script.soundfont.missing_packages():
        pytest.skip(f"needs the Debian packages {', '.join(missing)}")


def test_the_card_fits_the_file(card):
    content = WEIGHTS.read_bytes()
    expected = {"name": WEIGHTS.name, "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest()}  # fmt: skip
    assert card["file"] == expected and len(content) < 2_000_000
    assert networks.mini_weights() == WEIGHTS


def test_the_card_says_how_it_was_made(card, script):
    assert card["made_by"] == "data/make_mobilenet_mini.py"
    assert card["recipe"] == {**script.RECIPE, "seed": script.SEED}
    assert (card["medleys"], card["alpha"]) == (script.MEDLEYS, script.ALPHA)
    assert music.from_settings(card["front_end"]) == script.FRONT_END
    assert {"fluidsynth", "fluid-soundfont-gm", "mido", "numpy"} <= set(card["made_with"])
    assert len(card["history"]) == script.RECIPE["epochs"]
    assert card["history"][-1]["loss"] < card["history"][0]["loss"]
    assert card["clips"]["validation"] == card["measured"]["clips"]
    assert not re.search(r'"[^"]*(/root|/home|/tmp|/Users)', CARD.read_text("utf-8"))


def test_no_clip_was_heard_in_both_parts(script, monkeypatch, tmp_path):
    """By their numbers, from which all of a medley follows."""
    asked = []

    def noted(number):
        asked.append(number)
        shape = (script.chance_music.SCENES, 2, 2, 3)
        return np.zeros(shape, np.uint8), np.zeros((8, 3), bool)

    monkeypatch.setattr(script, "medley_pictures", noted)
    monkeypatch.setattr(script, "first_medley_sha256", lambda: "0123456789")
    for part, count in script.MEDLEYS.items():
        before = len(asked)
        pictures, facts, seconds = script.pictures_of(part, tmp_path)
        assert len(asked) - before == count
        assert len(pictures) == len(facts) == count * script.chance_music.SCENES
        assert 0 < seconds < 60
    assert len(set(asked)) == len(asked)
    script.pictures_of("validation", tmp_path)
    assert len(set(asked)) == len(asked), "pictures that are there are not made again"


def test_it_learned_what_it_was_taught(card):
    measured = card["measured"]
    low, high = measured["interval_95"]
    assert 0.5 < low < measured["mean"] < high < 1
    assert measured["facts"]["drums"] > 0.8


def test_the_card_is_not_taken_for_a_data_set():
    with pytest.raises(ValueError, match=r"choose one of") as error:
        cards.load("nothing")
    assert "mobilenet_mini" not in str(error.value)


def test_the_weights_fit_the_network():
    model = networks.mobilenet(8, 96, 0.35, weights=networks.mini_weights())
    assert "this project's own" in networks.weights_in_use(model)
    logits = model(np.random.default_rng(0).uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32))
    assert np.isfinite(logits).all() and logits.shape == (2, 8)
    random = networks.base_of(networks.mobilenet(8, 96, 0.35))
    pairs = zip(networks.base_of(model).get_weights(), random.get_weights(), strict=True)
    assert all((one != other).any() for one, other in pairs)


def test_the_first_pictures_can_be_made_again(script, card):
    needs_fluidsynth(script)
    pictures, facts = script.medley_pictures(0)
    assert pictures.shape == (8, 96, 96, 3) and facts.shape == (8, len(script.chance_music.FACTS))
    assert script.first_medley_sha256() == card["pictures_of_first_medley_sha256"]


def test_pictures_show_music(script):
    needs_fluidsynth(script)
    pictures, _ = script.medley_pictures(1)
    deviations = pictures.reshape(len(pictures), -1).std(axis=1)
    assert (deviations > 10).all() and len(np.unique(pictures)) > 200


def test_facts_are_words_that_are_asked_for(script, scenes):
    known = set(script.chance_music.FACTS)
    assert len(known) == len(script.chance_music.FACTS)
    used = set().union(*(facts for facts, _, _ in scenes))
    assert used <= known
    kinds = {*script.chance_music.FAMILIES, *script.chance_music.ROLES, "drums", "in a room"}
    assert kinds <= used


def test_facts_are_true_of_the_notes(script, scenes):
    chance = script.chance_music
    for facts, notes, medley in scenes:
        drums = {int(n.key) for n in notes if n.channel == chance.DRUMS}
        programs = {medley.programs[n.channel] for n in notes if n.channel != chance.DRUMS}
        assert {f"program {p}" for p in programs} <= facts
        assert {chance.FAMILIES[p // 8] for p in programs} <= facts
        for name, keys in chance.DRUM_KEYS.items():
            assert (name in facts) or not drums & set(keys)
        assert ("in a room" in facts) == (medley.room > 0)
        assert sum(f"tempo class {n}" in facts for n in range(4)) == 1


def test_scenes_end_before_the_next_one_begins(script, scenes):
    chance = script.chance_music
    for _, notes, _ in scenes:
        offsets = [(note.start_s + 1e-6) % chance.APART_S for note in notes]
        assert max(offsets) < chance.SECONDS + 0.6


def test_nothing_of_genres_or_artists_is_in_it(script):
    text = Path(script.chance_music.__file__).read_text(encoding="utf-8")
    assert not re.search(r"^(from|import) synthesis\.music", text, re.MULTILINE)
    assert "synthesis.music" not in Path(script.__file__).read_text(encoding="utf-8")


def test_a_recording_is_sound_and_says_what_was_done(script):
    chance = script.chance_music
    clip = np.sin(np.arange(66150) / 10).astype(np.float32) / 2
    done = set()
    for seed in range(30):
        heard, what = chance.recorded(clip, np.random.default_rng(seed))
        assert heard.dtype == np.float32 and heard.shape == clip.shape
        assert 1e-3 < np.abs(heard).max() <= 1
        again, _ = chance.recorded(clip, np.random.default_rng(seed))
        np.testing.assert_array_equal(heard, again)
        done |= what
    assert done == set(chance.SOUNDS) - {"in a room"}
    silent, _ = chance.recorded(np.zeros(66150, np.float32), np.random.default_rng(4))
    assert np.isfinite(silent).all()


def test_areas_are_those_of_the_curve(script):
    facts = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 0], [0, 0, 1]], bool)
    scores = np.array([[4, 1, 1], [1, 2, 1], [3, 3, 1], [2, 4, 1]], float)
    np.testing.assert_allclose(script.areas(scores, facts), [1, np.nan, 0.5])
    rng = np.random.default_rng(0)
    facts, scores = rng.random((50, 4)) < 0.4, rng.integers(0, 9, (50, 4)).astype(float)
    expected = [roc_auc_score(*pair) for pair in zip(facts.T, scores.T, strict=True)]
    np.testing.assert_allclose(script.areas(scores, facts), expected)


@pytest.mark.long
@pytest.mark.slow
def test_training_learns_and_measures(script, tmp_path, capsys, monkeypatch):
    """Bright and dark pictures, told apart after some steps; its weights can be transferred."""
    rng = np.random.default_rng(0)
    bright = rng.random((64, 1)) < 0.5
    pictures = np.where(bright[:, :, None, None], 200, 60) + rng.integers(0, 20, (64, 96, 96, 3))
    pictures = pictures.astype(np.uint8)
    facts = np.tile(np.hstack([bright, ~bright]), (1, 30))
    recipe = script.RECIPE | {"epochs": 4, "batch_size": 8}
    model, history = script.trained(pictures, facts, recipe, tmp_path)
    losses = [float(text) for text in re.findall(r"loss: ([\d.]+)", capsys.readouterr().out)]
    assert len(losses) == 4 and losses[-1] < losses[0]
    assert [entry["loss"] for entry in history] == pytest.approx(losses, abs=1e-3)
    assert json.loads((tmp_path / "history.json").read_text()) == history
    assert model.output_shape == (None, 60 + 204)
    monkeypatch.setattr(script.chance_music, "FACTS", tuple(map(str, range(60))))
    measured = script.measured(model, pictures, facts)
    low, high = measured["interval_95"]
    assert low <= measured["mean"] <= high and measured["clips"] == 64 == 8 * measured["medleys"]
    assert [*measured["facts"]] == [*map(str, range(60))]
    base_weights.save(networks.base_of(model), tmp_path / "made.npz")
    again = networks.mobilenet(3, 96, script.ALPHA, weights=tmp_path / "made.npz")
    assert networks.weights_in_use(again) == "made: a file of weights"


def test_numbers_tell_colour_and_rhythm(script):
    """Pictures that differ in one thing: the tilt of the spectrum, or how often it is struck."""
    numbers = script.picture_numbers.numbers
    band, frame = np.arange(96)[:, None, None], np.arange(96)[None, :, None]
    even = np.zeros((96, 96, 3), np.float32)
    tilted = even + (48 - band) / 96
    slow, fast = (even + 0.5 * (frame % every == 4) for every in (24, 8))
    flat, sloping, few, many = numbers(np.stack([even, tilted, slow, fast]).astype(np.float32))
    assert flat.shape == (204,) and flat.dtype == np.float32
    assert sloping[1] > 1 and abs(flat[1]) < 1e-4 and np.allclose(sloping[20:60], 0, atol=1e-4)
    rhythm = slice(120, 120 + 6 * 12)
    # 4 and 12 strokes in 96 frames: bins 8 and 24 of the spectrum, ranges 1 and 5 of twelve.
    assert few[rhythm][1] > many[rhythm][1] + 1 and many[rhythm][:12].argmax() == 5
    assert np.allclose(many[120 + 72 : 120 + 78], 3 * few[120 + 72 : 120 + 78], rtol=0.1)


def test_numbers_are_scaled_to_one_size(script):
    drawn = np.random.default_rng(0).normal(50, [3, 0.1], (500, 2))
    drawn[0] = 1e6
    scaled = script.scaled(drawn[1:])
    np.testing.assert_allclose(
        [scaled.mean(axis=0), scaled.std(axis=0)], [[0, 0], [1, 1]], atol=0.01
    )
    assert script.scaled(drawn).max() == 4


def test_the_loss_is_zero_where_all_is_right_and_counts_both_halves(script):
    targets = np.array([[1, 0, 0.5, -0.5]], np.float32)
    right, unsure = [[50, -50, 0.5, -0.5]], [[0, 0, 0.5, -0.5]]
    wrong_number = [[50, -50, 1.5, -0.5]]
    losses = [float(script._loss(2, targets, np.array(o, np.float32))[0]) for o in
              (right, unsure, wrong_number)]  # fmt: skip
    np.testing.assert_allclose(losses, [0, 2 * np.log(2) / script.FACTS_PER_UNIT, 0.5], atol=1e-6)
