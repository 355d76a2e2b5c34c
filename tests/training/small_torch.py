"""A network of a few weights in PyTorch, its loop and its batches."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.training.torch_loop import Loop, Plan

IDENTITY = {"recipe": {"batch_size": 8}}


@pytest.fixture(autouse=True)
def one_thread():
    """So little work is done fastest by one thread, above all on a machine that is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Small(nn.Module):
    """A GRU, batch normalisation and dropout: a state of each kind."""

    def __init__(self, *more: nn.Module) -> None:
        super().__init__()
        self.gru = nn.GRU(5, 6, batch_first=True)
        self.norm = nn.BatchNorm1d(6)
        self.dropout = nn.Dropout(0.5)
        self.more = nn.Sequential(*more)
        self.logits = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(self.more(self.dropout(self.norm(self.gru(x)[0][:, -1]))))


def loss(model: nn.Module, batch: tuple) -> tuple[torch.Tensor, dict]:
    table, labels = batch
    logits = model(table)
    right = (logits.argmax(1) == labels).float().mean()
    return nn.functional.cross_entropy(logits, labels), {"accuracy": right}


def network(*more: nn.Module) -> Small:
    torch.manual_seed(3)
    return Small(*more)


def looped(folder, model=None, optimizer=None, schedule=None, loss=loss, **options) -> Loop:
    model = model or network()
    optimizer = (optimizer or (lambda w: torch.optim.AdamW(w, 0.05)))(model.parameters())
    scheduler = schedule(optimizer) if schedule else None
    options = {"device": "cpu", "tensorboard": False, "identity": IDENTITY} | options
    return Loop(folder, model, optimizer, loss, scheduler=scheduler, **options)


def batch_of(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng([7, step])
    table = torch.from_numpy(rng.normal(size=(8, 4, 5)).astype(np.float32))
    return table, torch.from_numpy(rng.integers(0, 3, 8))


def plan(steps: int, **options) -> Plan:
    return Plan(steps, **{"save_every": 3, "evaluate_every": 4} | options)


def values(loop: Loop) -> list[bytes]:
    """Everything with a state: weights, running means, optimizer, generator of random numbers."""
    held = list(loop.model.state_dict().values())
    for state in loop._stepper.parts["optimizer"].state_dict()["state"].values():
        held += [value for value in state.values() if isinstance(value, torch.Tensor)]
    return [value.detach().cpu().numpy().tobytes() for value in (*held, *loop._stepper.random)]


def without_clock(history: list[dict]) -> list[dict]:
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in history]
