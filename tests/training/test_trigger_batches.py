"""Scenes as batches: kept, or made while the network trains."""

import tracemalloc

import numpy as np
import pytest
import torch
from small_torch import one_thread  # noqa: F401
from torch import nn

from course_utils.datasets.trigger_word import Clip, Mix, Scenes, Sounds, label_steps
from course_utils.models.trigger_word import Detector, FrontEnd, Size, TriggerNet
from course_utils.training.torch_loop import Loop, Plan
from course_utils.training.trigger_word import Batches, scored, statistics

RATE = 8000
MIX = Mix(2, (0, 2), (0, 1), background_dbfs=(-55, -45), gap_ms=300)
FRONT_END = FrontEnd(sample_rate=RATE, window=200, hop=80, n_mels=20, high_hz=3900)


def scenes(seed: int = 0, mix: Mix = MIX, rate: int = RATE) -> Scenes:
    """A tone of 1000 Hz is the trigger, one of 2000 Hz is not."""
    rng = np.random.default_rng(0)
    time = np.arange(rate // 4) / rate
    clips = [Clip(np.sin(2 * np.pi * hertz * time).astype(np.float32), str(hertz), "", 2**-0.5)
             for hertz in (1000, 2000)]  # fmt: skip
    noise = rng.uniform(-0.1, 0.1, 4 * rate).astype(np.float32)
    return Scenes(Sounds((clips[0],), (clips[1],), (noise,), rate), mix, seed)


def detector(**options) -> Detector:
    torch.manual_seed(0)
    return Detector(FRONT_END, TriggerNet(Size(20, 16, 5, 4, 16, 0.1), **options))


def same(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def expected(number: int, width: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Frames and labels of a scene."""
    scene = scenes()[number]
    return FRONT_END(scene.samples), label_steps(scene.ends_ms, 2000, 49, width)


@pytest.mark.parametrize("stored", [0, 5])
def test_frames_and_labels_fit_the_network(stored):
    made = detector()
    frames, labels = Batches(scenes(), made, 6, stored=stored)(0)
    assert frames.shape == (6, 198, 20) and labels.shape == (6, 49)
    assert frames.dtype == labels.dtype == torch.float32
    assert made.network(frames)[0].shape == labels.shape
    assert set(labels.unique().tolist()) == {0, 1}


@pytest.mark.parametrize("stored", [0, 5])
def test_a_step_has_always_the_same_batch(stored):
    one, other = (Batches(scenes(), detector(), 3, stored=stored, seed=4) for _ in range(2))
    forwards = [one(step) for step in range(5)]
    for step in (4, 0, 2):
        assert same(other(step), forwards[step])
    assert len({frames.numpy().tobytes() for frames, _ in forwards}) == 5


def test_stored_scenes_are_drawn_with_the_seed():
    def batch(seed):
        return Batches(scenes(), detector(), 40, stored=5, seed=seed)(0)

    assert same(batch(1), batch(1)) and not same(batch(1), batch(2))
    rows = {row.tobytes() for row in batch(1)[0].numpy()}
    assert rows == {expected(number)[0].tobytes() for number in range(5)}


def test_a_batch_may_be_written_on():
    batches = Batches(scenes(), detector(), 8, stored=2)
    before = [part.clone() for part in batches(3)]
    for part in batches(3):
        part.zero_()
    assert same(batches(3), before)


def test_streamed_scenes_never_come_again():
    batches = Batches(scenes(), detector(), 4, width=5)
    for step in (0, 1, 7):
        frames, labels = batches(step)
        for row in range(4):
            wanted = expected(4 * step + row, 5)
            np.testing.assert_array_equal(frames[row], wanted[0])
            np.testing.assert_array_equal(labels[row], wanted[1])
    seen = [row.tobytes() for step in range(20) for row in batches(step)[0].numpy()]
    assert len(set(seen)) == 80


def test_labels_begin_just_after_a_word():
    """When the first step with the label 1 is known, the word has ended, but not long ago."""
    batches = Batches(scenes(mix=Mix(2, (1, 1), (0, 0))), detector(), 1)
    late = []
    for step in range(60):
        found = np.flatnonzero(batches(step)[1][0])
        (end,) = batches._scenes[step].ends_s
        if len(found):
            late.append(detector().step_times(49)[found[0]] - end)
    assert len(late) > 40 and min(late) > 0 and max(late) < 0.11


def test_what_is_kept_is_counted():
    kept = Batches(scenes(), detector(), 2, stored=10)
    assert kept.megabytes == pytest.approx(10 * 4 * (198 * 20 + 49) / 1e6)
    assert Batches(scenes(), detector(), 2).megabytes == 0


def peak_of(work) -> int:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_streaming_needs_no_more_memory_the_longer_it_runs():
    batches = Batches(scenes(), detector(), 4)
    batches(0)
    few = peak_of(lambda: [batches(step) and None for step in range(2)])
    many = peak_of(lambda: [batches(step) and None for step in range(2, 42)])
    assert many < 1.2 * few < 4e6
    stored = peak_of(lambda: Batches(scenes(), detector(), 4, stored=168))
    assert stored > 168 * 4 * 198 * 20


@pytest.mark.parametrize("make", [Batches, lambda s, d: list(scored(d, s, 1))])
def test_scenes_of_another_rate(make):
    sentence = (
        r"^The scenes have a rate of 16000 Hz; expected 8000 Hz, that of the detector's front end;"
        r" read the sounds with this sample_rate\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        make(scenes(rate=16_000), detector())


@pytest.mark.parametrize(
    "name, value, least", [("batch_size", 0, 1), ("batch_size", 2.0, 1), ("stored", -1, 0),
                           ("stored", 0.5, 0), ("width", 0, 1)]
)  # fmt: skip
def test_numbers_that_are_none(name, value, least):
    sentence = rf"^{name} is {value}; expected a whole number from {least} up; change it\.$"
    with pytest.raises(ValueError, match=sentence):
        Batches(scenes(), detector(), **{name: value})


def test_statistics_are_those_of_the_frames():
    mean, std = statistics(FRONT_END, scenes(), 6)
    frames = np.concatenate([expected(number)[0] for number in range(6)])
    np.testing.assert_allclose(mean, frames.mean(0), rtol=1e-4)
    np.testing.assert_allclose(std, frames.std(0), rtol=1e-4)
    assert mean.shape == std.shape == (20,) and std.min() > 0
    silent = Scenes(Sounds((), (), (np.zeros(16_000, np.float32),), RATE), Mix(2, (0, 0), (0, 0)))
    silence = statistics(FrontEnd("specgram", RATE, 200, 80), silent, 2)
    assert silence[1].min() > 0, "silence can be scaled, too"


def test_what_a_detector_says_to_scenes():
    made = detector()
    found = list(scored(made, scenes(), 4))
    assert len(found) == 4
    for number, (times, scores, ends, seconds) in enumerate(found):
        scene = scenes()[number]
        np.testing.assert_array_equal(times, made.step_times(49))
        np.testing.assert_array_equal(scores, made.scores(scene.samples, RATE)[1])
        assert (ends, seconds) == (scene.ends_s, 2)


@pytest.mark.parametrize("stored", [0, 60])
def test_a_network_learns_the_word(tmp_path, stored):
    mean, std = statistics(FRONT_END, scenes(), 20)
    made = detector(mean=mean, std=std)
    for norm in (made.network.norm1, made.network.norm2, made.network.norm3):
        norm.momentum = 0.1  # so short a run would leave the running means where they began

    def loss(network, batch):
        return nn.functional.binary_cross_entropy_with_logits(network(batch[0])[0], batch[1])

    optimizer = torch.optim.Adam(made.network.parameters(), 0.01)
    loop = Loop(tmp_path, made.network, optimizer, loss, {}, device="cpu", tensorboard=False)
    history = loop.run(Batches(scenes(), made, 8, stored=stored), Plan(70, 70, evaluate_every=10))
    losses = [entry["loss"] for entry in history]
    assert losses[-1] < 0.35 * losses[0]
    for times, scores, ends, _ in scored(made, scenes(seed=1), 20):
        after = [(times > end + 0.1) & (times < end + 0.3) for end in ends if end < 1.7]
        assert all(scores[near].mean() > 0.5 for near in after)
        apart = np.all([(times < end) | (times > end + 0.5) for end in ends], axis=0)
        assert not ends or scores[apart].mean() < 0.25
