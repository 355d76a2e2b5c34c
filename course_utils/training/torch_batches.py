"""Batches on their way to the model: made ahead in the background, moved to its device."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

Batch = torch.Tensor | tuple | list | dict
"""A tensor, or a collection of tensors; anything else in a collection is left as it is."""


def made_ahead(
    batch_of: Callable[[int], Batch], steps: Iterable[int], ahead: int = 1
) -> Iterator[Batch]:
    """Make batches in the background while earlier ones are used.

    Parameters
    ----------
    batch_of : callable
        Gives the batch of a step. It is called for one step after the other, in a thread of its
        own, so that it must not draw from a random generator that others use.
    steps : iterable of int
    ahead : int
        How many batches may wait; 0 makes each when it is asked for, with no thread.

    Yields
    ------
    tensor, tuple, list or dict
        The batches, in order. What ``batch_of`` raises is raised when its batch is due. Close the
        generator to end the thread, after the batch that it is making.
    """
    if not ahead:
        yield from map(batch_of, steps)
        return
    with ThreadPoolExecutor(1, "batches") as thread:
        waiting = deque()
        try:
            for step in steps:
                waiting.append(thread.submit(batch_of, step))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            thread.shutdown(wait=False, cancel_futures=True)


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch with all its tensors on a device."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {name: moved(part, device) for name, part in batch.items()}
    if isinstance(batch, tuple | list):
        return type(batch)(moved(part, device) for part in batch)
    return batch


def tensors(batch: object) -> Iterator[torch.Tensor]:
    """All tensors of a batch."""
    if isinstance(batch, torch.Tensor):
        yield batch
    elif isinstance(batch, Mapping):
        yield from tensors(list(batch.values()))
    elif isinstance(batch, tuple | list):
        for part in batch:
            yield from tensors(part)
