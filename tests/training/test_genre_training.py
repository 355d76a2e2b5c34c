"""Training of genres with Keras' fit: votes, recipes, runs that stop and go on."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils.training import genres
from course_utils.training.genre_augmentation import Augmentation
from course_utils.training.keras_loop import Diverged

RECIPE = genres.Recipe(epochs=4, batch_size=8, learning_rate=0.1, seed=3)
ENTRY = {
    "epoch", "rate", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds",
}  # fmt: skip


def points(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around three corners."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 3
    return (np.eye(3)[classes] + rng.normal(0, 0.4, (n, 3))).astype(np.float32), classes


def data(n: int = 48, seed: int = 0) -> tf.data.Dataset:
    return genres.batches(*points(n, seed), RECIPE.batch_size)


def network(classes: int = 3) -> keras.Model:
    """With batch normalisation, which has a state; without dropout, whose state Keras forgets."""
    inputs = keras.Input((3,))
    x = keras.layers.BatchNormalization(momentum=0.9)(keras.layers.Dense(8)(inputs))
    x = keras.layers.ReLU()(x)
    return keras.Model(inputs, keras.layers.Dense(classes)(x), name="tiny")


def run(folder, recipe=RECIPE, training=None, model=None, **options):
    """(model, history) of a run in a folder."""
    model = model or genres.build(network, recipe.seed)
    options.setdefault("report", lambda entry: None)
    training = data() if training is None else training
    return model, genres.fit(folder, model, training, data(24, 1), recipe, **options)


def without_seconds(history: list[dict]) -> list[dict]:
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in history]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupted: its folder, model and history."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *run(folder)


def test_votes_are_means_over_the_windows_of_a_track():
    scores = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.1, 0.9]])
    np.testing.assert_allclose(genres.votes(scores, [1, 0, 1, 1]), [[0.5, 0.5], [0.4, 0.6]])


@pytest.mark.parametrize(
    ("scores", "tracks", "match"),
    [
        ([[0.5, 0.5]], [0, 1], r"shape \(1, 2\) and tracks \(2,\)"),
        (np.zeros((0, 2)), [], "at least one window"),
        ([[2.0, -1.0]], [0], "not made of probabilities"),
        ([[0.5, 0.4]], [0], "not made of probabilities"),
        ([[0.5, np.nan]], [0], "not made of probabilities"),
        ([[0.5, 0.5], [0.5, 0.5]], [0, 2], "Track 1 has no windows, but track 2"),
    ],
)
def test_votes_that_cannot_be_counted_are_refused(scores, tracks, match):
    with pytest.raises(ValueError, match=match):
        genres.votes(np.array(scores), np.array(tracks))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"epochs": 0}, "epochs is 0; expected a whole number from 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"patience": 0}, "patience is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": None}, "seed is None"),
        ({"schedule": "linear"}, "no schedule 'linear'; choose one of constant, cosine"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
        ({"weight_decay": -1}, "weight_decay -1"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        genres.Recipe(**options)


def test_fine_tuning_has_a_slower_recipe():
    slower = genres.Recipe(learning_rate=0.01, seed=4).for_fine_tuning(3)
    assert (slower.epochs, slower.learning_rate, slower.seed) == (3, pytest.approx(0.001), 4)


def test_batches_keep_the_order_or_shuffle_it_by_seed():
    x, classes = np.arange(20, dtype=np.float32)[:, None], np.arange(20) % 3
    plain = genres.batches(x, classes, 8)
    assert int(plain.cardinality()) == 3
    np.testing.assert_array_equal(np.concatenate([b for b, _ in plain]), x)

    def epoch(seed):
        found = [*genres.batches(x, classes, 8, shuffle_seed=seed)]
        rows, labels = (np.concatenate(part) for part in zip(*found, strict=True))
        np.testing.assert_array_equal(labels, rows[:, 0] % 3)
        return rows[:, 0].tolist()

    assert sorted(epoch(1)) == x[:, 0].tolist() == sorted(epoch(2))
    assert epoch(1) == epoch(1) != epoch(2)


def test_a_run_learns_and_leaves_its_history(whole):
    folder, _, history = whole
    assert all(set(entry) == ENTRY for entry in history)
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4]
    assert history[-1]["loss"] < history[0]["loss"]
    assert max(entry["validation_accuracy"] for entry in history) > 0.7
    assert 0 < history[0]["seconds"] < history[-1]["seconds"]
    assert history[-1]["rate"] < 1e-6 < 0.01 < history[0]["rate"]
    assert {path.name for path in folder.iterdir()} == {"history.json", "best.npz", "tensorboard"}
    parts = {path.name for path in (folder / "tensorboard").iterdir()}
    assert parts == {"train", "validation"}
    assert json.loads((folder / "history.json").read_text())["entries"] == history


def test_a_line_for_people(whole):
    line = genres.as_line(whole[2][0])
    assert line.startswith("epoch   1: loss ") and "% of windows" in line


def test_the_loss_is_that_of_logits(whole):
    _, model, history = whole
    best = min(history, key=lambda entry: entry["validation_loss"])
    x, classes = points(24, 1)
    logs = model(x).numpy()
    logs = logs - np.log(np.exp(logs).sum(axis=1, keepdims=True))
    expected = -logs[np.arange(24), classes].mean()
    assert best["validation_loss"] == pytest.approx(expected, abs=1e-5)


def test_the_same_seed_gives_the_same_run(whole, tmp_path):
    model, history = run(tmp_path)
    assert without_seconds(history) == without_seconds(whole[2])
    for one, other in zip(model.get_weights(), whole[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_at_the_end_the_model_has_its_best_weights(tmp_path):
    """A rate that is far too high later on: the last epoch is not the best one."""

    def throw(entry):
        if entry["epoch"] == 2:
            model.optimizer.learning_rate = 50.0

    model = genres.build(network, 0)
    recipe = replace(RECIPE, schedule="constant")
    _, history = run(tmp_path, recipe, model=model, report=throw)
    losses = [entry["validation_loss"] for entry in history]
    assert losses[-1] > min(losses)
    x, classes = points(24, 1)
    right = (model(x).numpy().argmax(axis=1) == classes).mean()
    assert right == pytest.approx(history[np.argmin(losses)]["validation_accuracy"])


def test_a_finished_run_is_not_repeated(whole, monkeypatch):
    folder, trained, history = whole
    monkeypatch.setattr(keras.Model, "fit", None)
    model, again = run(folder)
    assert again == history
    for one, other in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


class KilledError(Exception):
    pass


def test_an_interrupted_run_goes_on_to_the_same_end(whole, tmp_path):
    def killed_at_the_third(entry):
        if entry["epoch"] == 3:
            raise KilledError

    with pytest.raises(KilledError):
        run(tmp_path, report=killed_at_the_third)
    # The third epoch is in the history, but its backup was not written: it is taken again.
    seen = []
    model, history = run(tmp_path, report=seen.append)
    assert [entry["epoch"] for entry in seen] == [3, 4]
    assert [e["epoch"] for e in history] == [1, 2, 3, 4] and history[2:] == seen
    whole_history = without_seconds(whole[2])
    for found, expected in zip(without_seconds(history), whole_history, strict=True):
        assert found == pytest.approx(expected, rel=1e-4)
    for one, other in zip(model.get_weights(), whole[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    seconds = [entry["seconds"] for entry in history]
    assert seconds == sorted(seconds)


def test_a_run_killed_after_its_last_epoch_is_finished(tmp_path, whole):
    def killed_at_the_end(entry):
        if entry["epoch"] == 4:
            raise KilledError

    with pytest.raises(KilledError):
        run(tmp_path, report=killed_at_the_end)
    seen = []
    _, history = run(tmp_path, report=seen.append)
    assert not seen and without_seconds(history) == without_seconds(whole[2])


def test_a_stop_waits_for_the_batch_and_keeps_full_epochs(tmp_path):
    import signal

    def stop(entry):
        if entry["epoch"] == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="stopped in epoch 3, of which nothing is kept"):
        run(tmp_path, report=stop)
    seen = []
    run(tmp_path, report=seen.append)
    assert [entry["epoch"] for entry in seen] == [3, 4]


def test_patience_ends_a_run_also_across_an_interruption(tmp_path):
    recipe = replace(RECIPE, epochs=60, schedule="constant", learning_rate=0.3, patience=3)
    _, history = run(tmp_path, recipe)
    losses = [entry["validation_loss"] for entry in history]
    assert len(losses) < 60 and int(np.argmin(losses)) == len(losses) - 4
    assert json.loads((tmp_path / "history.json").read_text())["finished"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"learning_rate": 0.5}, "another run, with learning_rate 0.1, expected 0.5"),
        ({"seed": 9}, "seed 3, expected 9"),
    ],
)
def test_a_folder_of_another_run_is_refused(whole, change, match):
    with pytest.raises(ValueError, match=match):
        run(whole[0], replace(RECIPE, **change))


def test_a_folder_with_another_network_or_a_broken_history_is_refused(whole, tmp_path):
    other = genres.build(lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]), 0)
    with pytest.raises(ValueError, match="another run, with network tiny"):
        run(whole[0], model=other)
    (tmp_path / "history.json").write_text("[1, 2")
    with pytest.raises(ValueError, match=r"history\.json is no history of a training run"):
        run(tmp_path)


def test_a_genre_that_is_absent_from_training_is_refused(tmp_path):
    x, classes = points(30, 0)
    kept = classes != 1
    lacking = genres.batches(x[kept], classes[kept], 8)
    with pytest.raises(ValueError, match="no windows of Folk; expected some of each"):
        run(tmp_path, training=lacking, labels=("Pop", "Folk", "Rock"))
    with pytest.raises(ValueError, match="no windows of 2;"):
        run(tmp_path, classes=np.array([0, 1, 1]))
    assert not any(tmp_path.iterdir())


def test_more_genres_than_outputs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="have class 2, but the network has 2 outputs"):
        run(tmp_path, model=genres.build(lambda: network(2), 0))


@pytest.mark.parametrize(
    ("endless", "match"),
    [
        (lambda batches: batches.repeat(), "endlessly many batches"),
        (lambda batches: batches.filter(lambda x, y: True), "an unknown number of batches"),
        (lambda batches: batches.take(0), "have no batches"),
    ],
)
def test_data_of_unknown_length_are_refused(tmp_path, endless, match):
    with pytest.raises(ValueError, match=match):
        run(tmp_path, training=endless(data()))


def test_a_loss_that_is_no_number_ends_with_a_sentence(tmp_path):
    x, classes = points(48, 0)
    x[20, 1] = np.nan
    with pytest.raises(Diverged, match=r"'tiny' stopped at batch 3 of epoch 1, where the loss"):
        run(tmp_path, training=genres.batches(x, classes, 8))


def test_a_validation_loss_that_is_no_number_ends_with_a_sentence(tmp_path):
    x, classes = points(24, 1)
    x[5] = np.inf
    model = genres.build(network, 0)
    broken = genres.batches(x, classes, 8)
    with pytest.raises(Diverged, match="after epoch 1, where the validation loss is"):
        genres.fit(tmp_path, model, data(), broken, RECIPE)


def test_smoothing_raises_the_loss(whole, tmp_path):
    _, history = run(tmp_path, replace(RECIPE, label_smoothing=0.3))
    assert history[-1]["validation_loss"] > whole[2][-1]["validation_loss"] + 0.1


def test_weight_decay_is_that_of_adamw():
    assert isinstance(replace(RECIPE, weight_decay=0.1).make_optimizer(9), keras.optimizers.AdamW)
    assert not isinstance(RECIPE.make_optimizer(9), keras.optimizers.AdamW)


@pytest.mark.slow
def test_two_devices_learn_as_one_would(tmp_path):
    """In a program of its own, because devices are counted once, at the start."""
    code = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
sys.path.insert(0, sys.argv[1])
import test_genre_training as tests
from course_utils.training import genres
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
def plain():
    import keras
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)], name="plain")
for name, made in (("one", genres.build(plain, 1)), ("two", genres.build(plain, 1, strategy))):
    _, history = tests.run(sys.argv[2] + "/" + name, model=made)
    print("loss", history[-1]["validation_loss"])
again = genres.build(plain, 1, strategy)
assert tests.run(sys.argv[2] + "/two", model=again)[1] == history
"""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    arguments = [sys.executable, "-c", code, os.path.dirname(__file__), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    losses = [float(line.split()[1]) for line in done.stdout.splitlines() if "loss" in line]
    assert len(losses) == 2 and losses[0] == pytest.approx(losses[1], rel=1e-4)


def picture_batches(n: int = 6) -> tf.data.Dataset:
    pictures = np.random.default_rng(0).uniform(-0.5, 0.5, (n, 20, 30, 3)).astype(np.float32)
    return genres.batches(pictures, np.arange(n) % 3, 4)


def test_augmentation_changes_pictures_anew_in_each_epoch_and_by_seed():
    plain = np.concatenate([x for x, _ in picture_batches()])
    changed = Augmentation().over(picture_batches(), 1)
    assert int(changed.cardinality()) == 2
    first, second = (np.concatenate([x for x, _ in changed]) for _ in range(2))
    again, other = (
        np.concatenate([x for x, _ in Augmentation().over(picture_batches(), seed)])
        for seed in (1, 2)
    )
    assert first.shape == plain.shape and np.abs(first).max() <= 1
    np.testing.assert_array_equal(first, again)
    for different in (plain, second, other):
        assert (first != different).mean() > 0.5
    np.testing.assert_array_equal(np.concatenate([y for _, y in changed]), np.arange(6) % 3)


def alone(**options) -> np.ndarray:
    """Pictures after one kind of change."""
    nothing = {"time_share": 0.0, "band_share": 0.0, "roll_share": 0.0, "gain": 0.0}
    changed = Augmentation(**{**nothing, **options}).over(picture_batches(), 5)
    return np.concatenate([x for x, _ in changed])


def test_each_change_does_what_it_says():
    plain = alone()
    np.testing.assert_array_equal(plain, np.concatenate([x for x, _ in picture_batches()]))
    turned, louder = alone(roll_share=1.0), alone(gain=0.2)
    for before, after in zip(plain, turned, strict=True):
        turns = [np.array_equal(np.roll(before, -n, axis=1), after) for n in range(30)]
        assert sum(turns) == 1
    shifts = (louder - plain).reshape(6, -1)
    np.testing.assert_allclose(shifts, shifts[:, :1] * np.ones_like(shifts), atol=1e-6)
    assert 0.02 < np.abs(shifts[:, 0]).max() <= 0.2 and np.ptp(shifts[:, 0]) > 0.05
    hidden_columns = (alone(time_share=0.5) == -1).all(axis=(1, 3))
    hidden_rows = (alone(band_share=0.5) == -1).all(axis=(2, 3))
    for hidden, longest in ((hidden_columns, 15), (hidden_rows, 10)):
        assert 0 < hidden.sum(axis=1).max() <= longest
        # One stripe: what is hidden begins once and ends once.
        assert (np.diff(np.pad(hidden, ((0, 0), (1, 1))).astype(int), axis=1) == 1).sum(
            1
        ).max() == 1


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"time_share": 1.5}, "time_share is 1.5; expected a share"),
        ({"roll_share": -0.1}, "roll_share is -0.1"),
        ({"gain": -1}, "gain is -1; expected 0 to 2"),
    ],
)
def test_an_augmentation_that_cannot_be_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        Augmentation(**options)


def test_augmentation_wants_pictures():
    with pytest.raises(ValueError, match=r"have shape \(None, 3\); expected pictures"):
        Augmentation().over(data(), 0)


def test_a_run_with_augmented_pictures(tmp_path):
    make = keras.Sequential
    layers = [keras.Input((20, 30, 3)), keras.layers.GlobalAveragePooling2D()]
    model = genres.build(lambda: make([*layers, keras.layers.Dense(3)]), 0)
    recipe = genres.Recipe(epochs=1, augmentation=Augmentation())
    history = genres.fit(
        tmp_path, model, picture_batches(), picture_batches(), recipe, report=lambda entry: None
    )
    assert len(history) == 1
    identity = json.loads((tmp_path / "history.json").read_text())["identity"]
    assert identity["recipe"]["augmentation"]["roll_share"] == 1.0
