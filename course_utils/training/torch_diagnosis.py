"""Where a number first leaves what a computer can hold."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import torch
from torch import nn

from course_utils.training.torch_batches import tensors

SLOWER = "lower the learning rate"
CLIPS = "look for the clip or the setting that such a number comes from"


def in_step(model: nn.Module, batch: object, forward: Callable[[], object]) -> tuple[str, str]:
    """Where the first number of a training step that is not finite appears.

    Parameters
    ----------
    model : torch.nn.Module
        With the weights that it had before the step, and the step's gradients.
    batch : tensor, or tuple, list or dict of tensors
    forward : callable
        Computes the step's loss again.

    Returns
    -------
    (str, str)
        The place, and what to do about it.
    """
    if not all(map(_finite, tensors(batch))):
        return "the batch", CLIPS
    place = in_weights(model) or _in_outputs(model, forward)
    if place:
        return place, SLOWER
    # Gradients are computed from the last layer to the first.
    for name, weight in reversed(list(model.named_parameters())):
        if weight.grad is not None and not _finite(weight.grad):
            return f"the gradient of {name!r}", SLOWER
    return "the sum of all gradients", SLOWER


def in_weights(model: nn.Module) -> str | None:
    """The first weight or running mean that is not finite; None if all are."""
    for name, value in model.state_dict().items():
        if isinstance(value, torch.Tensor) and not _finite(value):
            return f"the weight {name!r}"
    return None


def in_optimizer(optimizer: torch.optim.Optimizer) -> str | None:
    """The first entry of an optimizer's state that is not finite; None if all are."""
    for state in optimizer.state.values():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and not _finite(value):
                return f"the optimizer's {name!r}"
    return None


def _in_outputs(model: nn.Module, forward: Callable[[], object]) -> str | None:
    """The first layer whose output is not finite, else the loss if that is not."""
    found = []

    def look(name: str, layer: nn.Module, inputs: object, output: object) -> None:
        if not all(map(_finite, tensors(output))):
            found.append(f"the output of layer {name!r}")

    with ExitStack() as hooks, torch.no_grad():
        for name, layer in model.named_modules():
            hook = layer.register_forward_hook(partial(look, name or type(model).__name__))
            hooks.enter_context(hook)
        loss = forward()
    if not all(map(_finite, tensors(loss))):
        found.append("the loss")
    return found[0] if found else None


def _finite(value: torch.Tensor) -> bool:
    return bool(torch.isfinite(value).all())
