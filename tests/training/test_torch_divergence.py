"""Numbers that are not finite stop a run in PyTorch, by name, before they do harm."""

import numpy as np
import pytest
import torch
from small_torch import (
    batch_of,
    looped,
    loss,
    network,
    one_thread,  # noqa: F401
    plan,
    values,
)
from torch import nn

from course_utils.training.torch_loop import Diverged, Loop


class Bent(nn.Module):
    """Gives its input on, with a slope at zero that is not a number."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.sqrt(0 * x)


class Fickle(nn.Module):
    """Overflows every other time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / (torch.rand(()) < 0.5)


class Scaled(nn.Module):
    """Gives its input on, with a huge gradient of its own weight."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6))
        self.slope = slope

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + (self.weight - self.weight.detach()) * self.slope


def sgd(weights):
    return torch.optim.SGD(weights, 1e30)


def diverges(loop: Loop, batch=batch_of, steps: int = 9) -> str:
    """The sentence; nothing has changed, neither in memory nor on disk."""
    before, step = values(loop), loop.step
    content = loop._file.read_bytes() if loop._file.exists() else None
    with pytest.raises(Diverged) as caught:
        loop.run(batch, plan(steps))
    assert values(loop) == before and loop.step == step
    assert (loop._file.read_bytes() if loop._file.exists() else None) == content
    assert all(weight.grad is None for weight in loop.model.parameters())
    return str(caught.value)


@pytest.fixture
def two_steps(tmp_path) -> Loop:
    """Two steps of a run, and their checkpoint."""
    loop = looped(tmp_path)
    loop.run(batch_of, plan(2))
    return loop


def test_the_batch(two_steps):
    def batch(step: int):
        table, labels = batch_of(step)
        table[3, 2, 1] = np.nan
        return table, labels

    assert diverges(two_steps, batch) == (
        "Training of 'Small' stopped before step 3, whose loss is nan: the first number that is"
        " not finite is in the batch; expected finite numbers; look for the clip or the setting"
        " that such a number comes from, and train in another folder."
    )


@pytest.mark.parametrize("name", ["gru.weight_hh_l0", "norm.bias", "logits.weight"])
def test_a_weight(two_steps, name):
    with torch.no_grad():
        two_steps.model.get_parameter(name).view(-1)[1] = np.inf
    sentence = diverges(two_steps)
    assert f"is in the weight '{name}'; expected finite numbers; lower the learning" in sentence


def test_an_output_that_overflows(tmp_path):
    model = network()
    with torch.no_grad():
        model.logits.weight.fill_(3e38)
    assert "in the output of layer 'logits'; expected" in diverges(looped(tmp_path, model))


def test_an_output_that_overflows_in_training_alone(tmp_path):
    """Dropout doubles what it keeps; when the network is only used, it does nothing."""
    model = network()
    with torch.no_grad():
        model.norm.weight.zero_()
        model.norm.bias.fill_(2e38)
    assert "in the output of layer 'dropout'; expected" in diverges(looped(tmp_path, model))


def test_an_output_that_overflows_every_other_time(tmp_path):
    """The search for the place draws the same random numbers as the step."""
    for seed in range(8):
        model = network(Fickle())
        torch.manual_seed(seed)
        loop = looped(tmp_path / str(seed), model)
        with pytest.raises(Diverged, match=r"in the output of layer 'more\.0'; expected"):
            loop.run(batch_of, plan(30, save_every=30))


def test_only_the_loss(tmp_path):
    def square(model, batch):
        return (1e30 * model(batch[0])).square().mean()

    sentence = diverges(looped(tmp_path, loss=square))
    assert "whose loss is inf: the first number that is not finite is in the loss;" in sentence


def test_a_loss_whose_gradients_are_finite(tmp_path):
    def shifted(model, batch):
        return loss(model, batch)[0] + np.inf

    assert "is in the loss; expected" in diverges(looped(tmp_path, loss=shifted))


def test_only_a_gradient(tmp_path):
    sentence = diverges(looped(tmp_path, network(Bent())))
    assert "whose loss is nan" not in sentence
    # It comes about after the layer "norm", whose weights are the last that it reaches unharmed.
    assert "is in the gradient of 'norm.bias'; expected" in sentence


def test_only_the_sum_of_the_gradients(tmp_path):
    sentence = diverges(looped(tmp_path, network(Scaled(3e38))))
    assert "is in the sum of all gradients; expected" in sentence


def test_a_later_step(tmp_path):
    def batch(step: int):
        table, labels = batch_of(step)
        return (table * np.nan if step == 5 else table), labels

    loop = looped(tmp_path)
    with pytest.raises(Diverged, match=r"before step 6, .* in the batch;"):
        loop.run(batch, plan(9))
    whole = looped(tmp_path / "whole")
    whole.run(batch_of, plan(5))
    assert loop.step == 5 and values(loop) == values(whole)
    assert looped(tmp_path).step == 3


@pytest.mark.parametrize("last", [{}, {"save_every": 99, "evaluate_every": 1}])
def test_a_step_that_bursts_the_weights_is_neither_saved_nor_evaluated(tmp_path, last):
    """The loss and the gradients of the last step are finite, and the weights after it are not."""

    def steep(model, batch):
        return 1e10 * model(batch[0]).mean()

    loop = looped(tmp_path, loss=steep, optimizer=sgd)
    evaluated = []
    with pytest.raises(Diverged, match=r"stopped after step 1: .* is in the weight '"):
        loop.run(batch_of, plan(1, **last), lambda: evaluated.append(1) or {})
    assert not evaluated and not loop._file.exists()


def test_the_optimizer_too(two_steps):
    state = two_steps._stepper.parts["optimizer"].state[two_steps.model.logits.weight]
    state["exp_avg"][0] = np.nan
    content = two_steps._file.read_bytes()
    with pytest.raises(Diverged, match=r"after step 2: .* in the optimizer's 'exp_avg'; expected"):
        two_steps.save()
    assert two_steps._file.read_bytes() == content


# In float16, with its scaled gradients.


def test_an_overflow_is_tried_again_with_a_smaller_scale(tmp_path):
    def steep(model, batch):
        value, more = loss(model, batch)
        return 100 * value, more

    loop = looped(tmp_path, loss=steep, amp=torch.float16)
    first, *_, last = loop.run(batch_of, plan(9))
    assert first["skipped"] == last["skipped"] > 0
    assert last["step"] == 9
    # What was tried in vain has left nothing behind.
    assert int(loop.model.norm.num_batches_tracked) == 9
    scale = loop._stepper.parts["scaler"].get_scale()
    assert scale == 65536 / 2 ** first["skipped"]
    calm = looped(tmp_path / "calm", loss=steep, amp=torch.float16)
    calm._stepper.parts["scaler"].load_state_dict(
        calm._stepper.parts["scaler"].state_dict() | {"scale": scale}
    )
    assert calm.run(batch_of, plan(9))[-1]["skipped"] == 0
    assert values(calm) == values(loop)
    assert looped(tmp_path, loss=steep, amp=torch.float16)._stepper.skipped == first["skipped"]


def test_a_gradient_that_no_scale_helps(tmp_path):
    loop = looped(tmp_path, network(Bent()), amp=torch.float16)
    assert "is in the gradient of 'norm.bias'; expected" in diverges(loop)
    assert loop._stepper.skipped == 16  # from 65536 to 1


def test_a_loss_that_overflows_is_not_tried_again(tmp_path):
    model = network()
    with torch.no_grad():
        model.logits.weight.fill_(6e4)  # the largest number in float16 is 65504
    loop = looped(tmp_path, model, amp=torch.float16)
    assert "in the output of layer 'logits'; expected" in diverges(loop)
    assert loop._stepper.skipped == 0
