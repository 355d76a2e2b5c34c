"""What the speech recogniser learns from: batches of utterances, and the CTC loss. Lesson: 06."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from course_utils.training.deepspeech_batches import Batches, impossible, refuse, too_few
from course_utils.training.torch_batches import moved

__all__ = ["Batches", "Heard", "ctc", "impossible", "validation"]


def ctc(model: nn.Module, batch: dict) -> torch.Tensor:
    """The loss, as :class:`course_utils.training.torch_loop.Loop` takes it.

    Parameters
    ----------
    model : torch.nn.Module
        Of (frames, lengths): log-probabilities and steps, as ``models.deepspeech.Net`` gives them.
    batch : dict
        As :class:`Batches` gives it; without ``blank``, that is the last class.

    Returns
    -------
    torch.Tensor
        One number, float32 in mixed precision, too: for each utterance the negative logarithm of
        its text's probability, divided by its characters; the mean of these, times ``weight``.

    Raises
    ------
    ValueError
        If an utterance has too few steps for its text, which would give infinity; it is named.
    """
    return _loss(*model(batch["frames"], batch["lengths"]), batch) * batch.get("weight", 1.0)


@dataclass(frozen=True)
class Heard:
    """What a network makes of a part: its mean loss, and each utterance in the part's order.

    Attributes
    ----------
    loss : float
    log_probs : list of np.ndarray
        Each float32 of shape (steps, classes).
    texts : list of str
        What should be decoded from them.
    """

    loss: float
    log_probs: list[np.ndarray]
    texts: list[str]


def validation(network: nn.Module, batches: Batches) -> Heard:
    """Let a network, in evaluation mode, hear every utterance of some batches once.

    Each of several processes hears all of them, and finds the same.

    Raises
    ------
    ValueError
        If the batches are augmented, played at other speeds, or shared by several processes.
    """
    if not batches.plain:
        raise ValueError(
            "The batches for validation are augmented, played at several speeds or one process's"
            " share; expected the sounds as they are; make them without augment, speeds and share."
        )
    log_probs: list[np.ndarray] = [None] * len(batches.part)
    device, total = next(network.parameters()).device, 0.0
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            for step in range(batches.per_epoch):
                batch = moved(batches(step), device)
                found, steps = network(batch["frames"], batch["lengths"])
                total += len(found) * _loss(found, steps, batch).item()
                for row, table, count in zip(batches.rows(step), found, steps, strict=True):
                    log_probs[row] = table[:count].float().cpu().numpy()
    finally:
        network.train(was_training)
    texts = [utterance.text for utterance in batches.part]
    return Heard(total / len(texts), log_probs, texts)


def _loss(log_probs: torch.Tensor, steps: torch.Tensor, batch: dict) -> torch.Tensor:
    targets, lengths = batch["targets"], batch["target_lengths"]
    inside = torch.arange(targets.shape[1], device=targets.device) < lengths[:, None]
    twice = (targets[:, 1:] == targets[:, :-1]) & inside[:, 1:]
    needed = lengths + twice.sum(1)
    short = (steps < needed).nonzero()[:, 0].tolist()
    if short:
        names = batch.get("names", [f"item {row}" for row in range(len(steps))])
        why = [too_few(int(steps[row]), int(needed[row])) for row in short]
        refuse([(names[row], each) for row, each in zip(short, why, strict=True)], len(steps))
    blank = batch.get("blank", log_probs.shape[2] - 1)
    return nn.functional.ctc_loss(log_probs.float().transpose(0, 1), targets, steps, lengths, blank)
