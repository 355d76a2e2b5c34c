"""Several processes that train one model, as ``torchrun`` starts them; or one that trains alone.

Each process is given its own share of the global batch, all shares equally large, and a loss that
is a mean: then the mean gradient of all processes is that of the global batch, and the learning
rate that suits one process suits them all. Batch normalisation and dropout see one share at a time.

Before it makes its loop, each process calls ``torch.distributed.init_process_group`` and, on GPUs,
``torch.cuda.set_device`` with its ``LOCAL_RANK``.
"""

import torch
from torch import distributed, nn


def rank() -> int:
    """Number of this process; the first one, 0, writes and reports for all."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def together(model: nn.Module) -> nn.Module:
    """The model, with gradients that are the means over all processes."""
    several = distributed.is_initialized()
    return nn.parallel.DistributedDataParallel(model) if several else model


def means(numbers: dict[str, float], device: torch.device) -> dict[str, float]:
    """Each number's mean over all processes, in all of which it has the same name."""
    if not distributed.is_initialized():
        return numbers
    table = torch.tensor(list(numbers.values()), dtype=torch.float64, device=device)
    distributed.all_reduce(table)
    return dict(zip(numbers, (table / distributed.get_world_size()).tolist(), strict=True))


def any_of(found: bool, device: torch.device) -> bool:
    """Whether it is so in one process at least."""
    return means({"": float(found)}, device)[""] > 0


def gathered(value: object) -> list:
    """What all processes have there, in their order."""
    if not distributed.is_initialized():
        return [value]
    values = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values
