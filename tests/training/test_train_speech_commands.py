"""Recipes and the run that follows one, on tones."""

import io
import math
import signal
from dataclasses import replace

import keras
import matplotlib
import numpy as np
import pytest
import small_runs

from course_utils.datasets.speech_commands.batches import NONE
from course_utils.models import speech_commands as models
from course_utils.training import speech_commands as training
from course_utils.training.keras_loop import Diverged

SHORT = replace(
    small_runs.RECIPE, architecture="single_fc", steps=(2,), learning_rates=(0.01,), save_every=1,
    augmentation=NONE, label_smoothing=0.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder and the run that was finished in it."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, small_runs.run(folder)


def test_it_learns(tmp_path):
    recipe = replace(small_runs.RECIPE, steps=(60, 20))
    run = small_runs.run(tmp_path, recipe)
    assert [entry["step"] for entry in run.history] == [9, 18, 27, 36, 45, 54, 63, 72, 80]
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    fresh = small_runs.tones(80, 2)
    assert (run.recogniser.scores(fresh).argmax(1) == fresh.classes).mean() > 0.8


def test_the_same_recipe_and_clips_give_the_same_recogniser(finished, tmp_path):
    folder, _ = finished
    keras.layers.Dense(3).build((1, 2))  # something else that draws a seed
    small_runs.run(tmp_path)
    small_runs.assert_same(folder, tmp_path)


def test_another_seed_gives_another(finished, tmp_path):
    _, run = finished
    other = small_runs.run(tmp_path, replace(small_runs.RECIPE, seed=2))
    assert run.history[0]["loss"] != other.history[0]["loss"]


def test_a_finished_run_is_not_repeated(finished):
    folder, run = finished
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    del before[folder / "model.keras"]  # has the time of day inside
    (folder / "model.keras").unlink()
    again = small_runs.run(folder, report=lambda entry: pytest.fail("a step was taken"))
    assert again.history == run.history
    examples = small_runs.tones(12, 3)
    scores = run.recogniser.scores(examples)
    np.testing.assert_array_equal(again.recogniser.scores(examples), scores)
    np.testing.assert_array_equal(models.load(folder).scores(examples), scores)
    assert {path: path.read_bytes() for path in before} == before


def test_stopped_by_hand_and_called_again(finished, tmp_path):
    folder, _ = finished
    seen = []
    with pytest.raises(KeyboardInterrupt, match="stopped after step 9 of 36, which is saved; run"):
        small_runs.run(tmp_path, report=lambda entry: signal.raise_signal(signal.SIGINT))
    assert not (tmp_path / "model.keras").exists()
    # How often it is saved may change between two sittings.
    recipe = replace(small_runs.RECIPE, save_every=100)
    small_runs.run(tmp_path, recipe, report=lambda entry: seen.append(entry["step"]))
    assert seen == [18, 27, 36]
    small_runs.assert_same(folder, tmp_path)


@pytest.mark.parametrize(
    "change, phrase",
    [
        ({"batch_size": 8}, "batch_size 16, expected 8;"),
        ({"steps": (24, 13)}, "steps 24 12, expected 24 13;"),
        ({"architecture": "ds_cnn"}, "architecture tc_resnet, expected ds_cnn;"),
        (
            {"augmentation": NONE},
            "time_shift_ms 100, expected 0; background_volume 0.1, expected 0",
        ),
        (
            {"front_end": {"kind": "mfcc"}},
            "kind log_mel, expected mfcc; high_hz 3800, expected not ",
        ),
    ],
)
def test_a_checkpoint_of_another_recipe_is_refused(finished, change, phrase):
    folder, _ = finished
    before = (folder / "checkpoint.npz").read_bytes()
    with pytest.raises(ValueError, match="checkpoint of another run, with ") as caught:
        small_runs.run(folder, replace(small_runs.RECIPE, **change))
    assert phrase in str(caught.value)
    assert (folder / "checkpoint.npz").read_bytes() == before


def test_a_checkpoint_of_other_clips_or_labels_is_refused(finished):
    folder, _ = finished
    clips, validation = small_runs.tones(40, 0), small_runs.tones(12, 1)
    fewer, labels = small_runs.tones(39, 0), (*small_runs.LABELS[:3], "shrill")
    for changed, phrase in (
        (fewer, "with training clips 40 at 8000 Hz (checksum "),
        (small_runs.tones(40, 5), "with training clips 40 at 8000 Hz (checksum "),
        (replace(clips, noise=(clips.noise[0][::-1],)), "with training clips 40 at 8000 Hz (chec"),
        (
            replace(clips, labels=labels),
            "with labels _silence_ _unknown_ low high, expected _silen",
        ),
    ):
        with pytest.raises(ValueError) as caught:
            training.train(folder, small_runs.RECIPE, changed, validation)
        assert phrase in str(caught.value)


def test_divergence_has_the_name_of_the_network(tmp_path):
    recipe = replace(SHORT, steps=(40,), learning_rates=(1e38,), optimizer="gradient_descent")
    with pytest.raises(
        Diverged, match=r"Training of 'single_fc' stopped .* layer 'logits'; expect"
    ):
        small_runs.run(tmp_path / "high", recipe)
    assert not (tmp_path / "high" / "model.keras").exists()
    small_runs.run(tmp_path / "low", replace(recipe, learning_rates=(1e-3,)))


def first_loss(folder, **changes) -> float:
    return small_runs.run(folder, replace(SHORT, evaluate_every=1, **changes)).history[0]["loss"]


def test_label_smoothing_reaches_the_loss_and_not_the_validation(tmp_path):
    recipes = {
        share: replace(SHORT, label_smoothing=share, evaluate_every=1) for share in (0.0, 0.3)
    }
    runs = {
        share: small_runs.run(tmp_path / str(share), recipe) for share, recipe in recipes.items()
    }
    plain, smooth = (runs[share].history[0] for share in (0.0, 0.3))
    assert plain["loss"] != smooth["loss"]
    # Before the first step all labels are about as likely as one another.
    assert plain["loss"] == pytest.approx(math.log(4), abs=0.2)
    logits = runs[0.3].recogniser.logits(small_runs.tones(12, 1))
    classes = small_runs.tones(12, 1).classes
    plainly = keras.losses.sparse_categorical_crossentropy(classes, logits, from_logits=True)
    assert runs[0.3].history[-1]["validation_loss"] == pytest.approx(np.mean(plainly), rel=1e-4)


def test_the_masks_reach_the_batches(tmp_path):
    # The first loss of a network without dropout depends on nothing but weights and features.
    masks = {"time_masks": 2, "time_mask_frames": 20, "band_masks": 2, "band_mask_bins": 10}
    plain = first_loss(tmp_path / "plain")
    assert first_loss(tmp_path / "again", seed=small_runs.RECIPE.seed) == plain
    for axis in ("time", "band"):
        some = {name: value for name, value in masks.items() if name.startswith(axis)}
        assert first_loss(tmp_path / axis, augmentation=replace(NONE, **some)) != plain
    assert first_loss(tmp_path / "shift", augmentation=replace(NONE, time_shift_ms=100)) != plain


def test_a_line_for_people(finished, tmp_path, capsys):
    entry = {
        "step": 40, "rate": 0.004, "loss": 1.23456, "accuracy": 0.5, "seconds": 8.0,
        "validation_loss": 1.0, "validation_accuracy": 0.625, "validation_n": 264,
    }  # fmt: skip
    assert training.as_line(entry) == (
        "step    40, rate 0.004: loss 1.235, training  50.0%, validation  62.5% (N=264),"
        " 5.0 steps/s"
    )
    training.train(tmp_path, SHORT, small_runs.tones(40, 0), small_runs.tones(12, 1))
    assert capsys.readouterr().out.startswith("step     2, rate 0.01: loss ")


# TensorBoard.


def picture(labels, classes, scores) -> bytes:
    """A small PNG, made with what a picture is promised."""
    assert labels == small_runs.LABELS and scores.shape == (12, 4) and classes.shape == (12,)
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, scores, format="png")
    return buffer.getvalue()


def test_tensorboard_has_the_curves_and_the_picture(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    run = small_runs.run(tmp_path, replace(SHORT, steps=(4,), evaluate_every=2), picture=picture)
    log = EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"tensors": 0})
    log.Reload()
    tags = set(log.Tags()["tensors"])
    curves = {"loss", "accuracy", "validation_loss", "validation_accuracy", "rate"}
    assert tags == curves | {"seconds", "confusion"}
    for tag in curves:
        points = [
            (event.step, float(make_ndarray(event.tensor_proto))) for event in log.Tensors(tag)
        ]
        assert points == [(entry["step"], np.float32(entry[tag])) for entry in run.history]
    width, height, png = make_ndarray(log.Tensors("confusion")[-1].tensor_proto)
    assert (int(width), int(height)) == (4, 12) and png.startswith(b"\x89PNG")
