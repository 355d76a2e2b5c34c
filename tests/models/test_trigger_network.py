"""The trigger network: its numbers, and that it never hears what comes later."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_detectors import TINY, network, one_thread  # noqa: F401

from course_utils.models.trigger_word import (
    SMALL,
    SOURCE,
    SOURCE_FRONT_END,
    Detector,
    FrontEnd,
    Size,
    TriggerNet,
    parameters,
)


def frames(count: int, size: Size = TINY, batch: int = 1, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.randn(batch, count, size.bins)


# ---------------------------------------------------------------- as published


def test_parameters_as_published():
    built = TriggerNet(SOURCE)
    assert parameters(built, published=True) == 522_561
    assert parameters(built) == 523_329
    learned = sum(values.numel() for values in built.parameters())
    assert parameters(built) - learned == 904  # running means and variances are counted, too


@pytest.mark.parametrize("count, steps", [(5511, 1375), (1101, 272), (549, 134), (14, 0), (15, 1)])
def test_steps_as_published(count, steps):
    built = TriggerNet(SOURCE)
    assert built.steps_in(count) == steps
    if 0 < steps < 1375:
        assert built.eval()(frames(count, SOURCE))[0].shape == (1, steps)


def test_ten_seconds_through_the_convolution():
    built = TriggerNet(SOURCE).eval()
    table = torch.from_numpy(SOURCE_FRONT_END(np.zeros(441_000, np.float32)))[None]
    assert table.shape == (1, 5511, 101)
    assert built.conv(table.transpose(1, 2)).shape == (1, 196, 1375)


@given(st.integers(0, 200), st.integers(1, 20), st.integers(1, 20))
def test_steps_of_any_convolution(count, kernel, stride):
    size = Size(2, 2, kernel, min(stride, kernel), 2, 0)
    expected = len(range(0, count - kernel + 1, size.stride))
    assert TriggerNet(size).steps_in(count) == expected


def test_a_small_one_answers_every_40_ms():
    assert TriggerNet(SMALL).steps_in(FrontEnd().frames_in(10 * 16_000)) == 249
    assert parameters(TriggerNet(SMALL)) < 65_000


# ---------------------------------------------------------------- how it starts


def test_it_starts_as_keras_does():
    torch.manual_seed(1)
    built = TriggerNet(SOURCE)
    for name, weights in built.named_parameters():
        if name.endswith("bias") or ".bias_" in name:
            assert not weights.any(), name
        elif name.startswith("norm"):
            assert (weights == 1).all(), name
    for weights, fans in (
        (built.conv.weight, 15 * (101 + 196)),
        (built.gru1.weight_ih_l0, 196 + 3 * 128),
        (built.gru2.weight_ih_l0, 128 + 3 * 128),
        (built.dense.weight, 128 + 1),
    ):
        limit = math.sqrt(6 / fans)
        assert 0.95 * limit < weights.abs().max() <= limit
        assert weights.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.15)


@pytest.mark.parametrize("size", [SOURCE, SMALL])
def test_the_memory_of_a_gru_starts_orthogonal(size):
    for gru in (TriggerNet(size).gru1, TriggerNet(size).gru2):
        rows = gru.weight_hh_l0.detach().T  # the three gates side by side, as Keras has them
        np.testing.assert_allclose(rows @ rows.T, np.eye(size.units), atol=1e-5)


def test_norms_move_as_those_of_keras():
    built = TriggerNet(TINY).train()
    table = frames(41, batch=8)
    heard = built.conv(table.transpose(1, 2)).detach()
    built(table)
    np.testing.assert_allclose(built.norm1.running_mean, 0.01 * heard.mean((0, 2)), atol=1e-6)
    assert {norm.eps for norm in (built.norm1, built.norm2, built.norm3)} == {1e-3}


def test_a_seed_decides_the_start():
    first, again, other = (network(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv.weight"], other["conv.weight"])


# ---------------------------------------------------------------- what it computes


def test_dropout_belongs_to_training():
    built, table = network(), frames(61, batch=4)
    with torch.no_grad():
        assert torch.equal(built(table)[0], built(table)[0])
        built.train()
        for norm in (built.norm1, built.norm2, built.norm3):
            norm.eval()
        one, other = built(table)[0], built(table)[0]
    assert (one - other).abs().mean() > 0.01


def test_every_row_of_a_batch_is_by_itself():
    built, table = network(), frames(61, batch=3)
    whole = built(table)[0].detach()
    for row in range(3):
        np.testing.assert_allclose(
            built(table[row : row + 1])[0].detach()[0], whole[row], atol=1e-6
        )


def test_frames_are_shifted_and_scaled_first():
    mean, std = np.linspace(-3, 3, 12), np.linspace(0.5, 2, 12)
    plain, scaled = network(), network(mean=mean, std=std)
    table = frames(41)
    given = table * torch.tensor(std, dtype=torch.float32) + torch.tensor(mean, dtype=torch.float32)
    np.testing.assert_allclose(scaled(given)[0].detach(), plain(table)[0].detach(), atol=1e-5)
    assert not {"mean", "std"} & {name for name, _ in scaled.named_parameters()}
    assert {"mean", "std"} <= scaled.state_dict().keys()
    assert parameters(scaled) == parameters(plain)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_a_state_that_is_carried_on_gives_the_whole(parts):
    built, size = network(), TINY
    steps = sum(parts)
    table = frames((steps - 1) * size.stride + size.kernel)
    state, found, first = None, [], 0
    with torch.no_grad():
        for part in parts:
            last = first + part
            piece = table[:, first * size.stride : (last - 1) * size.stride + size.kernel]
            logits, state = built(piece, state)
            found.append(logits)
            first = last
        whole, (one, other) = built(table)
    np.testing.assert_allclose(torch.cat(found, dim=1), whole, atol=1e-5)
    np.testing.assert_allclose(state[0], one, atol=1e-5)
    np.testing.assert_allclose(state[1], other, atol=1e-5)


def test_it_remembers():
    built, table = network(), frames(41)
    _, state = built(frames(41, seed=5))
    assert (built(table, state)[0] - built(table)[0]).abs().max() > 0.01


# ---------------------------------------------------------------- causality


@pytest.mark.parametrize("size", [SOURCE, SMALL, TINY])
def test_a_frame_changes_no_answer_before_it_is_heard(size):
    built, table = network(size), frames(15 + 4 * 60, size)
    with torch.no_grad():
        before = built(table)[0].numpy()[0]
        for changed in (0, 7, 100, 101, 102, 103, 200):
            other = table.clone()
            other[0, changed:] += 1
            after = built(other)[0].numpy()[0]
            steps = np.arange(len(before))
            hears = steps * size.stride + size.kernel - 1 >= changed
            np.testing.assert_array_equal(after[~hears], before[~hears])
            assert (after[hears] != before[hears]).all()


@pytest.mark.parametrize("size, front_end", [(SOURCE, SOURCE_FRONT_END), (SMALL, FrontEnd())])
def test_a_sound_changes_no_answer_before_it_is_heard(size, front_end):
    """From raw sound: a live detector could have given every answer at its time."""
    rate = front_end.sample_rate
    mean = front_end(0.3 * np.ones(rate, np.float32)).mean(axis=0)
    detector = Detector(front_end, network(size, mean=mean, std=mean.clip(1) * 3))
    rng = np.random.default_rng(0)
    sound = rng.uniform(-0.3, 0.3, rate).astype(np.float32)
    times, before = detector.scores(sound, rate)
    for seconds in (0.2, 0.5, 0.83):
        changed = sound.copy()
        first = int(seconds * rate)
        changed[first:] = rng.uniform(-0.3, 0.3, rate - first)
        _, after = detector.scores(changed, rate)
        earlier = times * rate <= first
        assert 3 < earlier.sum() < len(times) - 2
        np.testing.assert_array_equal(after[earlier], before[earlier])
        later = times * rate > first + front_end.window
        assert (after[later] != before[later]).all()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "entries, sentence",
    [
        ({"units": 0}, "units is 0; expected a whole number from 1 up; change it."),
        ({"filters": 2.5}, "filters is 2.5; expected a whole number from 1 up; change it."),
        ({"bins": -1}, "bins is -1; expected a whole number from 1 up; change it."),
        (
            {"stride": 6},
            "stride is 6 and kernel 5; expected a stride of at most the kernel, so that",
        ),
        (
            {"dropout": 1},
            "dropout is 1; expected the share that is dropped, from 0 to below 1; the ",
        ),
        (
            {"dropout": -0.1},
            "dropout is -0.1; expected the share that is dropped, from 0 to below ",
        ),
        (
            {"dropout": math.nan},
            "dropout is nan; expected the share that is dropped, from 0 to bel",
        ),
    ],
)
def test_an_impossible_size(entries, sentence):
    with pytest.raises(ValueError) as caught:
        Size(**vars(TINY) | entries)
    assert str(caught.value).startswith(sentence) and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "options, name, shape",
    [
        ({"mean": [0.0] * 11}, "mean", r"\(11,\)"),
        ({"std": np.ones((1, 12))}, "std", r"\(1, 12\)"),
        ({"mean": 3.0}, "mean", r"\(\)"),
        ({"mean": [math.nan] * 12}, "mean", r"\(12,\)"),
        ({"std": [0.0] * 12}, "std", r"\(12,\)"),
        ({"std": [math.inf] * 12}, "std", r"\(12,\)"),
    ],
)
def test_an_impossible_scale(options, name, shape):
    sentence = rf"^{name} has shape {shape}, or holds .*; expected 12 finite values, .* scenes\.$"
    with pytest.raises(ValueError, match=sentence):
        TriggerNet(TINY, **options)


@pytest.mark.parametrize("shape", [(1, 12, 50), (50, 12), (1, 50, 13)])
def test_frames_of_another_shape(shape):
    sentence = r"^The network was given frames of shape \(.*\); expected \(batch, frames, 12\), .*;"
    with pytest.raises(ValueError, match=sentence + r" transpose, never reshape\.$"):
        network()(torch.zeros(shape))


def test_too_few_frames():
    with pytest.raises(ValueError, match=r"^The network was given 4 frames; expected at least 5, "):
        network()(frames(4))
