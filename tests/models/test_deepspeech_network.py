"""The speech network: as published, exact lengths, and that nobody hears padding or neighbours."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_deepspeech import TINY, TINY_SOURCE, frames, network, one_thread  # noqa: F401
from torch.nn.functional import gelu

from course_utils.models.deepspeech import SMALL, SOURCE, Net, Size, parameters

SIZES = [TINY, TINY_SOURCE]
LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=6)
slowly = settings(deadline=None, max_examples=30)


def answers(net: Net, table: torch.Tensor, *lengths: int) -> list[np.ndarray]:
    """Log-probabilities of each item, as long as it is."""
    with torch.no_grad():
        log_probs, steps = net(table, torch.tensor(lengths))
    return [rows[:count].numpy() for rows, count in zip(log_probs, steps, strict=True)]


def by_hand(net: Net, table: torch.Tensor) -> np.ndarray:
    """One table without batch, lengths or packing: the layers as the source has them in a row."""

    published = net.size.published
    x = table[None, None]
    for conv in net.convs:
        x = conv(x) if published else gelu(conv(x))
    for block in net.residual:
        first, one, second, two = block.layers
        x = x + two(gelu(second[0](one(gelu(first[0](x))))))
    x = net.narrow(x[0].permute(1, 0, 2).flatten(1))[None]
    for norm, gru in zip(net.norms, net.grus, strict=True):
        x = gru(gelu(norm[0](x)) if published else norm[0](x))[0]
    first, second = net.classifier[0], net.classifier[-1]
    return second(gelu(first(x[0])) if published else first(x[0])).log_softmax(1).detach().numpy()


# ---------------------------------------------------------------- as published


def test_parameters_as_published():
    built = Net(SOURCE)
    assert parameters(built) == 23_705_373
    parts = {
        "convolution": [built.convs], "residual": [built.residual], "narrow": [built.narrow],
        "recurrent": [built.norms, built.grus], "head": [built.classifier],
    }  # fmt: skip
    assert {name: sum(map(parameters, part)) for name, part in parts.items()} == {
        "convolution": 320, "residual": 56_256, "narrow": 1_049_088,
        "recurrent": 22_060_032, "head": 539_677,
    }  # fmt: skip
    assert len(built.convs) == 1 and built.narrow.in_features == 2048
    assert all(gru.bidirectional and gru.batch_first for gru in built.grus)


def test_steps_as_published():
    """A second of the source is 81 frames, and 41 steps of 25 ms."""
    assert Net(SOURCE).steps_in(81) == 41
    assert Net(replace(SOURCE, layers=1)).eval()(
        frames(81, size=SOURCE), torch.tensor([81])
    )[0].shape == (1, 41, 29)  # fmt: skip


def test_the_small_one():
    assert 1e6 < parameters(Net(SMALL)) < 4e6 and Net().size == SMALL
    assert SMALL.n_mels == 64 and Net().steps_in(100) == 25


@pytest.mark.parametrize("size", [*SIZES, replace(TINY, strides=(3, 1), residual_blocks=1)])
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_layers_by_hand(size, count):
    net, table = network(size), frames(count, size=size)
    np.testing.assert_allclose(answers(net, table, count)[0], by_hand(net, table[0]), atol=1e-5)


def test_a_seed_decides_the_start():
    first, again, other = (network(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["convs.0.weight"], other["convs.0.weight"])


# ---------------------------------------------------------------- lengths


@pytest.mark.parametrize("strides", [(1,), (2,), (3,), (2, 2), (3, 2), (2, 3, 2), (1, 1)])
def test_steps_are_exact_for_every_length(strides):
    net = network(replace(TINY, strides=strides, n_mels=5, channels=2, layers=1, units=2))
    expected = np.arange(1, 201)
    for stride in strides:
        expected = np.ceil(expected / stride).astype(int)
    assert [net.steps_in(count) for count in range(1, 201)] == expected.tolist()
    assert net.steps_in(0) == 0
    lengths = torch.arange(1, 201)
    assert net.steps_in(lengths).tolist() == expected.tolist()
    with torch.no_grad():
        steps = net(torch.zeros(200, 200, 5), lengths)[1]
        assert steps.tolist() == expected.tolist() and steps.dtype == torch.int64
        for count, promised in enumerate(expected.tolist(), start=1):
            log_probs, steps = net(torch.zeros(1, count, 5), torch.tensor([count]))
            assert log_probs.shape == (1, promised, 11) and steps.tolist() == [promised]


def test_shapes_and_probabilities():
    log_probs, steps = network()(frames(41, 18), torch.tensor([41, 18]))
    assert log_probs.shape == (2, 11, 11) and steps.tolist() == [11, 5]
    assert log_probs.dtype == torch.float32
    np.testing.assert_allclose(log_probs.exp().sum(2).detach(), 1, atol=1e-5)


def test_frames_behind_the_longest():
    net, table = network(), frames(41, 18)
    more = torch.cat([table, torch.full((2, 30, 12), 9.0)], dim=1)
    for one, other in zip(answers(net, table, 41, 18), answers(net, more, 41, 18), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


# ---------------------------------------------------------------- a batch is no company


@pytest.mark.parametrize("size", SIZES)
@slowly
@given(LENGTHS, st.integers(0, 99))
def test_a_batch_gives_what_each_item_gives_alone(size, lengths, seed):
    net, table = network(size), frames(*lengths, size=size, seed=seed)
    for k, (found, length) in enumerate(zip(answers(net, table, *lengths), lengths, strict=True)):
        alone = answers(net, table[k : k + 1, :length], length)[0]
        assert found.shape == alone.shape == (net.steps_in(length), 11)
        np.testing.assert_allclose(found, alone, atol=1e-4)


@pytest.mark.parametrize("size", [SMALL, replace(SOURCE, layers=2)])
def test_a_batch_of_one_at_full_size(size):
    torch.manual_seed(0)
    net, lengths = Net(size).eval(), (30, 61, 8)
    table = frames(*lengths, size=size, padding=1e6)
    for k, found in enumerate(answers(net, table, *lengths)):
        alone = answers(net, table[k : k + 1, : lengths[k]], lengths[k])[0]
        np.testing.assert_allclose(found, alone, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("padding", [1e6, -3.0, math.inf, math.nan])
def test_what_stands_in_the_padding_changes_nothing(size, padding):
    net, lengths = network(size), (17, 40, 1, 33)
    clean = answers(net, frames(*lengths, size=size), *lengths)
    dirty = answers(net, frames(*lengths, size=size, padding=padding), *lengths)
    for one, other in zip(clean, dirty, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("training", [False, True])
def test_another_item_changes_nothing(size, training):
    """The source's GRUs, all but the first, ran over the batch."""
    net = network(replace(size, dropout=0.0)).train(training)
    table = frames(30, 30, 22, size=size)
    other = table.clone()
    other[1] = torch.randn(30, 12)
    before, after = (answers(net, each, 30, 30, 22) for each in (table, other))
    assert np.abs(before[1] - after[1]).max() > 0.01
    for k in (0, 2):
        np.testing.assert_allclose(before[k], after[k], atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_every_step_hears_all_of_its_item(size):
    """Both directions run over time, in every layer."""
    net, table = network(replace(size, layers=2)), frames(24, size=size)
    before = answers(net, table, 24)[0]
    for frame in (0, 12, 23):
        other = table.clone()
        other[0, frame] += 3
        assert (np.abs(answers(net, other, 24)[0] - before).max(axis=1) > 0).all()


def test_dropout_belongs_to_training():
    """And each layer of it drops: in every convolution but the first, after GRUs, in the head."""
    net = network(replace(TINY_SOURCE, dropout=0.5))
    table, calls = frames(30, size=TINY_SOURCE), []
    assert np.array_equal(answers(net, table, 30), answers(net, table, 30))
    layers = [each for each in net.modules() if isinstance(each, torch.nn.Dropout)]
    for layer in layers:
        layer.register_forward_hook(lambda *_: calls.append(1))
        layer.train()
        assert np.abs(answers(net, table, 30)[0] - answers(net, table, 30)[0]).max() > 0.01
        layer.eval()
    calls.clear()
    answers(net, table, 30)
    assert len(calls) == 6 + 5 + 1


# ---------------------------------------------------------------- gradients


def gradients(net: Net, table: torch.Tensor, lengths: tuple[int, ...], item: int) -> tuple:
    """Of the sum of one item's log-probabilities of class 0: by frames, and by weights."""
    net.zero_grad()
    table = table.clone().requires_grad_()
    log_probs, steps = net(table, torch.tensor(lengths))
    log_probs[item, : steps[item], 0].sum().backward()
    return table.grad, {name: values.grad.clone() for name, values in net.named_parameters()}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("padding", [0.0, 1e6, math.nan])
def test_gradients_come_from_the_item_alone(size, padding):
    net, lengths = network(replace(size, dropout=0.0)).train(), (20, 13, 31)
    table = frames(*lengths, size=size, padding=padding)
    by_frames, by_weights = gradients(net, table, lengths, item=1)
    assert (by_frames[1, :13] != 0).any(dim=1).all()
    by_frames[1, :13] = 0
    assert (by_frames == 0).all(), "neighbours and padding are not heard"
    alone = gradients(net, table[1:2, :13], (13,), item=0)[1]
    for name, values in by_weights.items():
        np.testing.assert_allclose(values, alone[name], rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("size", SIZES)
def test_all_weights_learn(size):
    net, lengths = network(size), (20, 13)
    log_probs, steps = net(frames(*lengths, size=size), torch.tensor(lengths))
    targets = torch.tensor([[1, 2, 2], [3, 4, 0]])
    loss = torch.nn.functional.ctc_loss(
        log_probs.transpose(0, 1), targets, steps, torch.tensor([3, 2]), blank=10
    )
    loss.backward()
    for name, values in net.named_parameters():
        assert values.grad.isfinite().all() and values.grad.abs().max() > 0, name


# ---------------------------------------------------------------- what is refused, and what is not


@pytest.mark.parametrize("n_mels", [1, 2, 3, 13, 81])
@pytest.mark.parametrize("strides", [(2,), (2, 2), (3, 2)])
def test_an_odd_number_of_bands(n_mels, strides):
    """The source cannot be built with 81."""
    size = replace(TINY, n_mels=n_mels, strides=strides, residual_blocks=1)
    net, table = network(size), frames(9, size=size)
    np.testing.assert_allclose(answers(net, table, 9)[0], by_hand(net, table[0]), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 12, 50), (50, 12), (1, 50, 13), (1, 1, 50, 12)])
def test_frames_of_another_shape(shape):
    sentence = r"^The network was given frames of shape \(.*\); expected \(batch, frames, 12\), .*;"
    with pytest.raises(ValueError, match=sentence + r" transpose, never reshape\.$"):
        network()(torch.zeros(shape), torch.tensor([50]))


@pytest.mark.parametrize(
    "lengths",
    [[20], [20, 20, 20], [20, 21], [20, 0], [20, -3], [20.0, 10.0], [[20], [20]], [], 20],
)
def test_lengths_that_do_not_fit(lengths):
    with pytest.raises(ValueError) as caught:
        network()(torch.zeros(2, 20, 12), torch.tensor(lengths))
    text = str(caught.value)
    assert text.startswith(f"The network was given the lengths {torch.tensor(lengths).tolist()} ")
    assert "for 2 items of 20 frames; expected a whole number from 1 " in text
    assert text.endswith("; count the frames of each sound before padding.") and "\n" not in text


@pytest.mark.parametrize("shape", [(0, 20, 12), (2, 0, 12)])
def test_nothing_to_hear(shape):
    with pytest.raises(ValueError, match=r"^The network was given the lengths .*; expected .*;"):
        network()(torch.zeros(shape), torch.zeros(shape[0], dtype=torch.int64))


@pytest.mark.parametrize(
    "entries, sentence",
    [
        ({"units": 0}, "units is 0; expected a whole number from 1 up; change it."),
        ({"n_mels": 2.5}, "n_mels is 2.5; expected a whole number from 1 up; change it."),
        ({"classes": 1}, "classes is 1; expected a whole number from 2 up; change it."),
        ({"residual_blocks": -1}, "residual_blocks is -1; expected a whole number from 0 up; cha"),
        ({"strides": ()}, "strides are (); expected one or more whole numbers from 1 to 3, so "),
        ({"strides": (2, 4)}, "strides are (2, 4); expected one or more whole numbers from 1 to"),
        ({"strides": (0,)}, "strides are (0,); expected one or more whole numbers from 1 to 3, "),
        ({"strides": 2}, "strides are 2; expected one or more whole numbers from 1 to 3, so "),
        ({"dropout": 1}, "dropout is 1; expected the share that is dropped, from 0 to below 1; "),
        ({"dropout": -0.1}, "dropout is -0.1; expected the share that is dropped, from 0 to be"),
        ({"dropout": math.nan}, "dropout is nan; expected the share that is dropped, from 0 to"),
    ],
)
def test_an_impossible_size(entries, sentence):
    with pytest.raises(ValueError) as caught:
        Size(**vars(TINY) | entries)
    assert str(caught.value).startswith(sentence) and str(caught.value).endswith(".")
