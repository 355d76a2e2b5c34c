"""Batches for TensorFlow: which clips, in which order, with which labels and masks."""

import math
from dataclasses import replace

import numpy as np
import pytest
from small_sounds import examples_of, steps_of_noise, write_set

from course_utils import audio
from course_utils.datasets.speech_commands import PARTS, SpeechCommands, mixing, select
from course_utils.datasets.speech_commands.examples import prepare

tf = pytest.importorskip("tensorflow")
from course_utils.datasets.speech_commands import batches  # noqa: E402
from course_utils.features.front_end import FrontEnd  # noqa: E402

LENGTH = 60
EVERYTHING = batches.Augmentation(
    time_shift_ms=10, speed_percentage=10,
    time_masks=2, time_mask_frames=3, band_masks=1, band_mask_bins=2,
)  # fmt: skip


def table_of(samples):
    """Six frames of ten bins, without any arithmetic that could round."""
    return tf.reshape(samples, (-1, 6, 10))


@pytest.fixture(scope="module")
def examples():
    """Eleven clips; numbers 3 and 7 are silence."""
    steps = np.stack([steps_of_noise(i, LENGTH, 32768) for i in range(11)])
    classes = [2, 1, 2, 0, 2, 2, 1, 0, 2, 2, 2]
    steps[[3, 7]] = 0
    return examples_of(steps, classes, [steps_of_noise(99, 500, 32768)])


@pytest.fixture(scope="module")
def numbered():
    """Seven clips that say which one they are."""
    return examples_of(np.repeat(np.arange(1, 8, dtype=np.int16)[:, None], LENGTH, 1))


def arrays(dataset):
    return [(table.numpy(), labels.numpy()) for table, labels in dataset]


def same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def drawn(examples, front_end=tf.identity, augmentation=EVERYTHING, **options):
    options = {"steps": 6, "batch_size": 4} | options
    return batches.training(examples, front_end, augmentation=augmentation, **options)


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("front_end", [table_of, "log_mel"])
def test_a_batch_depends_on_seed_and_step_alone(examples, front_end):
    if front_end == "log_mel":
        times = {"clip_duration_ms": 60, "window_ms": 16, "stride_ms": 4}
        front_end = FrontEnd("log_mel", 1000, bins=5, high_hz=500, **times)
    whole = arrays(drawn(examples, front_end, seed=5))
    for first in (0, 1, 5, 6):
        same(arrays(drawn(examples, front_end, seed=5, first_step=first)), whole[first:])
    same(arrays(drawn(examples, front_end, seed=5, steps=3)), whole[:3])
    other = arrays(drawn(examples, front_end, seed=6))
    assert not any(np.array_equal(a, b) for (a, _), (b, _) in zip(whole, other, strict=True))
    assert len({table.tobytes() for table, _ in whole}) == len(whole)


def test_a_dataset_can_be_gone_through_again(examples):
    dataset = drawn(examples, table_of)
    same(arrays(dataset), arrays(dataset))


def test_every_pass_uses_each_clip_once(numbered):
    found = arrays(drawn(numbered, augmentation=batches.NONE, steps=7, batch_size=3))
    order = np.concatenate([samples[:, 0] for samples, _ in found]) * 32768
    passes = order.reshape(3, 7)
    for one in passes:
        assert sorted(one) == [1, 2, 3, 4, 5, 6, 7]
    assert len({tuple(one) for one in passes}) == 3


def test_a_batch_may_hold_more_clips_than_there_are(numbered):
    ((samples, labels),) = arrays(
        drawn(numbered, steps=1, batch_size=20, augmentation=batches.NONE)
    )
    assert samples.shape == (20, LENGTH) and labels.shape == (20, 3)
    _, counts = np.unique(samples[:, 0], return_counts=True)
    assert sorted(counts) == [2, 3, 3, 3, 3, 3, 3]


def test_labels_are_one_hot(examples):
    for samples, labels in arrays(drawn(examples, augmentation=batches.NONE)):
        assert labels.dtype == samples.dtype == np.float32
        assert set(np.unique(labels)) == {0, 1} and (labels.sum(1) == 1).all()
        spoken = labels.argmax(1) > 0
        for clip, label in zip(samples[spoken], labels[spoken].argmax(1), strict=True):
            (row,) = np.flatnonzero((examples.clips.steps / 32768 == clip).all(1))
            assert label == examples.classes[row] > 0


def test_samples_are_those_of_plain_numpy(examples):
    """One generator for each batch, one clip after another."""
    found = arrays(drawn(examples, seed=3, augmentation=batches.Augmentation(time_shift_ms=9)))
    order = np.random.default_rng([1, 3])
    order = np.concatenate([order.permutation(11) for _ in range(3)])
    for step, (samples, _) in enumerate(found):
        rng = np.random.default_rng([2, 3, step])
        for row, clip in zip(order[4 * step :], samples, strict=False):
            steps, silent = examples.clips.steps[row], examples.classes[row] == 0
            options = mixing.Augmentation(time_shift_ms=9)
            expected = mixing.heard_clip(steps, silent, examples.noise, 1000, options, rng)
            np.testing.assert_array_equal(clip, expected)


def test_shapes_are_known_before_a_batch_is_made(examples):
    table, labels = drawn(examples, table_of).element_spec
    assert table.shape == (4, 6, 10) and labels.shape == (4, 3)
    table, labels = batches.evaluation(examples, tf.identity).element_spec
    assert table.shape.as_list() == [None, LENGTH] and labels.shape.as_list() == [None, 3]


# ---------------------------------------------------------------- masks


def masked(plan: dict, count=400, frames=8, bins=6, step=0, seed=0):
    """Which places of tables of noise are hidden; they must hold the clip's mean."""
    steps = np.stack([steps_of_noise(i, frames * bins) for i in range(count)])
    options = batches.Augmentation(0, 0, 0, **plan)
    front_end = lambda samples: tf.reshape(samples, (-1, frames, bins))  # noqa: E731
    examples = examples_of(steps)
    args = {"steps": step + 1, "first_step": step, "batch_size": count, "seed": seed}
    ((table, _),) = arrays(drawn(examples, front_end, options, **args))
    ((plain, _),) = arrays(drawn(examples, front_end, batches.NONE, **args))
    hidden = table != plain
    means = np.broadcast_to(plain.mean((1, 2), keepdims=True), plain.shape)
    np.testing.assert_allclose(table[hidden], means[hidden], atol=1e-6)
    return hidden


def test_time_masks():
    hidden = masked({"time_masks": 1, "time_mask_frames": 3})
    rows = hidden.any(2)
    np.testing.assert_array_equal(hidden, np.broadcast_to(rows[..., None], hidden.shape))
    lengths = rows.sum(1)
    assert np.bincount(lengths).tolist() == pytest.approx([100] * 4, abs=40)
    assert all(np.count_nonzero(np.diff(row)) <= 2 for row in rows), "a mask is one stretch"
    assert rows.any(0).all(), "a mask may lie anywhere"
    assert len({row.tobytes() for row in rows}) > 15, "clips of a batch have masks of their own"


def test_band_masks():
    hidden = masked({"band_masks": 2, "band_mask_bins": 2})
    columns = hidden.any(1)
    np.testing.assert_array_equal(hidden, np.broadcast_to(columns[:, None], hidden.shape))
    assert set(columns.sum(1)) == {0, 1, 2, 3, 4} and columns.any(0).all()


def test_both_masks_are_drawn_apart():
    plan = {"time_masks": 1, "time_mask_frames": 5, "band_masks": 1, "band_mask_bins": 5}
    hidden = masked(plan, frames=6, bins=6)
    frames, bins = hidden.all(2), hidden.all(1)
    lengths = np.stack([frames.sum(1), bins.sum(1)], 1)
    assert {(1, 4), (4, 1), (0, 0)} <= set(map(tuple, lengths.tolist()))
    single = (lengths == 1).all(1)
    places = np.stack([frames.argmax(1), bins.argmax(1)], 1)[single]
    assert len(np.unique(places, axis=0)) > 3


def test_a_mask_longer_than_the_table_hides_all_of_it_at_most():
    hidden = masked({"time_masks": 1, "time_mask_frames": 100})
    lengths = hidden.any(2).sum(1)
    assert np.bincount(lengths).tolist() == pytest.approx([400 / 9] * 9, abs=25)


def test_masks_depend_on_seed_and_step():
    plan = {"time_masks": 1, "time_mask_frames": 3}
    found = [masked(plan, 50, **which).tobytes() for which in ({}, {"step": 1}, {"seed": 1})]
    assert len(set(found)) == 3 and found[0] == masked(plan, 50).tobytes()


@pytest.mark.parametrize(
    "plan",
    [
        {"time_masks": 3, "time_mask_frames": 0},
        {"time_masks": 0, "time_mask_frames": 3},
        {"band_masks": 2, "band_mask_bins": 0},
    ],
)
def test_no_masks(plan):
    assert not masked(plan, count=20).any()


# ---------------------------------------------------------------- evaluation


def test_evaluation_takes_all_clips_in_order(examples):
    found = arrays(batches.evaluation(examples, tf.identity, batch_size=4))
    assert [len(table) for table, _ in found] == [4, 4, 3]
    labels = np.concatenate([labels for _, labels in found])
    np.testing.assert_array_equal(labels.argmax(1), examples.classes)
    samples = np.concatenate([samples for samples, _ in found])
    spoken = examples.classes > 0
    expected = np.float32(examples.clips.steps / 32768)
    np.testing.assert_array_equal(samples[spoken], expected[spoken])
    assert samples[~spoken].any(1).all() and not (samples[3] == samples[7]).all()


@pytest.mark.parametrize("batch_size", [1, 4, 11, 100])
def test_evaluation_is_the_same_every_time_and_for_every_batch_size(examples, batch_size):
    heard = batches.heard(examples, seed=1)
    for _ in range(2):
        found = batches.evaluation(examples, tf.identity, batch_size=batch_size, seed=1)
        np.testing.assert_array_equal(np.concatenate([s for s, _ in arrays(found)]), heard)
    other = batches.heard(examples, seed=2)
    assert heard.dtype == np.float32 and (heard != other).any(1).tolist() == [
        label == 0 for label in examples.classes
    ]


def test_silence_without_recordings_is_digital_silence(examples):
    quiet = examples_of(examples.clips.steps, examples.classes)
    assert not batches.heard(quiet)[examples.classes == 0].any()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("batch_size", [0, -3])
def test_batch_sizes(examples, batch_size):
    for call in (
        lambda: drawn(examples, batch_size=batch_size),
        lambda: batches.evaluation(examples, tf.identity, batch_size=batch_size),
    ):
        with pytest.raises(ValueError, match=f"^batch_size is {batch_size}; expected 1 or more"):
            call()


def test_no_clips(examples):
    nothing = examples.take(slice(0))
    for call in (
        lambda: drawn(nothing),
        lambda: batches.evaluation(nothing, tf.identity),
        lambda: batches.heard(nothing),
    ):
        with pytest.raises(ValueError, match=r"^There are no clips in the set; expected at least"):
            call()


def test_negative_seeds(examples):
    for call in (
        lambda: drawn(examples, seed=-1),
        lambda: batches.evaluation(examples, tf.identity, seed=-1),
        lambda: batches.heard(examples, seed=-1),
    ):
        with pytest.raises(ValueError, match=r"^seed is -1; expected 0 or more"):
            call()


@pytest.mark.parametrize(("steps", "first"), [(0, 0), (-1, 0), (5, 6), (5, -1), (math.nan, 0)])
def test_steps(examples, steps, first):
    with pytest.raises(ValueError, match=f"^Found first_step={first} of steps={steps}; expected"):
        drawn(examples, steps=steps, first_step=first)


def test_a_front_end_for_other_clips_says_so_in_one_sentence(examples):
    with pytest.raises(ValueError) as caught:
        drawn(examples, FrontEnd())
    assert str(caught.value) == (
        "The front end was given clips of shape (4, 60); expected (batch, 16000), 1000 ms at 16000"
        " Hz; give it the sample_rate and clip_duration_ms of the clips."
    )


# ---------------------------------------------------------------- a learner's own folder


def test_a_learners_own_folder_from_recordings_to_batches(tmp_path):
    speakers = ("anna", "carla", "dev", "finn", "gita", "hugo")
    root = write_set(tmp_path, ["Licht", "aus", "an"], speakers, rate=8000)
    with pytest.raises(ValueError, match=r"The testing part .* has no clips"):
        select(SpeechCommands(root), ["Licht", "an"])
    data = SpeechCommands(root, testing_percentage=30)
    selection = select(data, ["Licht", "an"], unknown_percentage=50, silence_percentage=50)
    # Anna is for validation, Finn for testing; one in two wanted clips is added for each extra.
    assert [len(selection.paths[part]) for part in PARTS] == [8 + 4 + 4, 2 + 1 + 1, 2 + 1 + 1]
    sets = {part: prepare(data, selection, part, progress=False) for part in PARTS}
    for part, who in (("validation", "anna"), ("testing", "finn")):
        assert set(sets[part].speakers) == {"", who}
    front_end = FrontEnd(sample_rate=8000, high_hz=3800)
    options = {"steps": 3, "batch_size": 8, "augmentation": batches.Augmentation()}
    found = arrays(batches.training(sets["training"], front_end, **options))
    assert [table.shape for table, _ in found] == [(8, 98, 40)] * 3
    assert all(np.isfinite(table).all() for table, _ in found)
    classes = np.concatenate([labels.argmax(1) for _, labels in found[:2]])
    assert np.bincount(classes).tolist() == [4, 4, 4, 4]
    ((table, labels),) = arrays(batches.evaluation(sets["testing"], front_end))
    assert table.shape == (4, 98, 40) and labels.sum() == 4
    for row, path in enumerate(selection.paths["testing"]):
        if path:
            expected = front_end(audio.load(path)[0][None]).numpy()[0]
            np.testing.assert_allclose(table[row], expected, atol=1e-4)


def blended(numbered, share, **options):
    augmentation = batches.Augmentation(0, 0, 0, mixup_share=share)
    return arrays(drawn(numbered, table_of, augmentation, batch_size=7, **options))


def test_mixup_blends_features_and_labels_alike(numbered):
    labels = tuple(["silence", "a", "b", "c", "d", "e", "f", "g"])
    seven = replace(numbered, labels=labels, classes=np.arange(1, 8, dtype=np.int32))
    value = np.arange(8) / 32768  # clip k is k / 32768 throughout, and has label k
    for table, target in blended(seven, 1.0, steps=20):
        np.testing.assert_allclose(target.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(table[:, 0, 0], target @ value, atol=1e-9)
        assert ((target > 1e-6).sum(axis=1) <= 2).all()
        assert (target.max(axis=1) >= 0.5).all()
        assert target.max(axis=1).min() < 0.95


def test_mixup_takes_the_share_of_the_clips_that_it_is_told(numbered):
    seven = replace(numbered, labels=tuple("01234567"), classes=np.arange(1, 8, dtype=np.int32))
    targets = np.concatenate([target for _, target in blended(seven, 0.3, steps=300)])
    share = np.mean(targets.max(axis=1) < 1)
    assert abs(share - 0.3) < 4 * math.sqrt(0.3 * 0.7 / len(targets)) + 0.01
    same(blended(seven, 0.0), arrays(drawn(seven, table_of, batches.NONE, batch_size=7)))


def test_mixup_depends_on_seed_and_step(numbered):
    whole = blended(numbered, 0.5, steps=5)
    same(blended(numbered, 0.5, steps=5, first_step=3), whole[3:])
