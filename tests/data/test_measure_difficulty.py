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


@pytest.mark.slow
def test_a_few_steps_learn_and_repeat(script):
    import torch

    part = TenClips(script)
    first, second = (script.train(part, seed=0, steps=8) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    rows = np.arange(10)
    sounds = part.batch(rows, np.random.default_rng(0), training=True)
    labels = torch.from_numpy(part.labels)
    # Batch statistics of its own: the running ones are far behind after so few steps.
    loss = torch.nn.functional.cross_entropy(first.train()(script.log_mel(sounds)), labels)
    assert loss < 0.5 * np.log(len(script.LABELS))
    assert script.predict(first.eval(), part).shape == (10,)


def test_the_card_says_how_hard_the_set_is():
    """Between 90 and 96 %: hard enough to learn from, on voices that were never heard."""
    card = json.loads((DATA / "speech_commands_mini.json").read_text(encoding="utf-8"))
    runs = card["difficulty"]["runs"]
    assert len(runs) >= 2
    for run in runs:
        low, high = run["interval_95"]
        assert run["n"] >= 300 and low < run["accuracy"] < high
        assert 0.90 <= run["accuracy"] <= 0.96
