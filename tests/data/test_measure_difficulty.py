"""The script that measures how hard the shipped set is, and the figures in the card."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def script():
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("_measure", DATA / "measure_difficulty.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TenClips:
    """A part of ten clips: five are silence, which is noise, and five are one tone."""

    def __new__(cls, script):
        part = object.__new__(script.Part)
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(script.RATE) / script.RATE)
        part.sounds = np.stack([np.zeros(script.RATE)] * 5 + [tone] * 5).astype(np.float32)
        part.labels = np.array([0] * 5 + [2] * 5)
        part.noises = [np.random.default_rng(0).normal(0, 0.1, 40000).astype(np.float32)]
        return part


def test_the_network_has_about_49_thousand_parameters(script):
    assert 48_000 < sum(p.numel() for p in script.network().parameters()) < 50_000


def test_without_training_only_silence_is_changed(script):
    part = TenClips(script)
    batch = script.Part.batch(part, np.arange(10), np.random.default_rng(0), training=False)
    np.testing.assert_array_equal(batch[5:], part.sounds[5:])
    assert batch[:5].std() > 0


def test_a_few_steps_tell_a_tone_from_noise(script):
    part = TenClips(script)
    model = script.train(part, seed=0, steps=12)
    assert (script.predict(model, part) == part.labels).all()


def test_the_card_says_how_hard_the_set_is():
    """Between 90 and 96 %: hard enough to learn from, on voices that were never heard."""
    card = json.loads((DATA / "speech_commands_mini.json").read_text(encoding="utf-8"))
    runs = card["difficulty"]["runs"]
    assert len(runs) >= 2
    for run in runs:
        low, high = run["interval_95"]
        assert run["n"] >= 300 and low < run["accuracy"] < high
        assert 0.90 <= run["accuracy"] <= 0.96
