"""Training runs of a few seconds: half-second tones as words, at 8 kHz."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import json
from pathlib import Path

import numpy as np

from course_utils.datasets.speech_commands.batches import Augmentation
from course_utils.datasets.speech_commands.clips import Clips
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.training.speech_commands import Recipe, Run, train

RATE, SAMPLES, HERTZ = 8000, 4000, (0, 500, 900, 1600)
LABELS = ("_silence_", "_unknown_", "low", "high")

# Everything that has a state: dropout, batch normalisation, AdamW, two stages, masks.
RECIPE = Recipe(
    architecture="tc_resnet", front_end={"kind": "log_mel", "high_hz": 3800, "floor": 1e-3},
    steps=(24, 12), learning_rates=(0.004, 0.0004), batch_size=16, optimizer="adamw",
    weight_decay=1e-3, label_smoothing=0.1, evaluate_every=9, save_every=4, seed=1,
    augmentation=Augmentation(time_masks=1, time_mask_frames=5, band_masks=1, band_mask_bins=5),
)  # fmt: skip


def tones(n: int, seed: int) -> ExampleSet:
    """``n`` clips, each a tone whose frequency is its label, in noise."""
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.arange(n) % len(LABELS)).astype(np.int32)
    hertz = np.array(HERTZ)[classes] * rng.uniform(0.95, 1.05, n)
    waves = np.sin(2 * np.pi * hertz[:, None] * np.arange(SAMPLES) / RATE)
    steps = 6000 * waves + rng.normal(0, 300, waves.shape)
    noise = rng.normal(0, 1000, 3 * SAMPLES).astype(np.int16)
    clips = Clips(steps.astype(np.int16), RATE, 0, 0)
    return ExampleSet(LABELS, clips, classes, ("",) * n, (noise,))


def run(folder: Path, recipe: Recipe = RECIPE, **options) -> Run:
    """Train in a folder, on 40 clips."""
    options.setdefault("report", lambda entry: None)
    return train(folder, recipe, tones(40, 0), tones(12, 1), **options)


def state(folder: Path) -> tuple[dict, dict]:
    """A checkpoint's arrays and its record, without what the clock says."""
    with np.load(folder / "checkpoint.npz") as content:
        arrays = {name: content[name] for name in content.files}
    record = json.loads(str(arrays.pop("record")))
    for entry in (record, *record["history"]):
        del entry["seconds"]
    return arrays, record


def assert_same(folder: Path, other: Path) -> None:
    """Both runs ended in the same state, bit by bit."""
    (arrays, record), (other_arrays, other_record) = state(folder), state(other)
    assert record == other_record
    assert arrays.keys() == other_arrays.keys()
    assert [name for name in arrays if arrays[name].tobytes() != other_arrays[name].tobytes()] == []
