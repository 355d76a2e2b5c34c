"""Everything that a training run in PyTorch needs to go on, in one file that is always whole.

``torch.save`` alone writes in place, so that a program that is killed meanwhile leaves half a file;
and ``torch.load`` does not compare checksums, so that a flipped bit becomes a weight.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from course_utils import files, places
from course_utils.models import torch_files
from course_utils.training import identity

Parts = Mapping[str, Any]
"""Whatever has a state, by name: ``model``, ``optimizer``, ``scaler``, perhaps ``scheduler``."""

_AFRESH = "train in another folder, or delete the checkpoint to start afresh."


def save(path: Path, parts: Parts, random: list, record: dict) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : Path
        Its folder exists.
    parts : mapping
    random : list of list of torch.Tensor
        States of random generators, for each process.
    record : dict
        Whatever else belongs to the state, as JSON can hold it; among it ``identity``, a dict with
        what makes this run this run.
    """
    content = {
        "record": json.dumps(record | {"kinds": _kinds(parts)}),
        "random": random,
        "states": {name: part.state_dict() for name, part in parts.items()},
    }
    with files.whole(path) as unfinished, unfinished.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())  # or a power cut could leave the new name with nothing behind it


def restore(path: Path, parts: Parts, expected: dict) -> tuple[dict, list]:
    """Put a checkpoint's values into the parts.

    Parameters
    ----------
    path : Path
    parts : mapping
        Of the same kinds as those that were saved; they stay on their devices.
    expected : dict
        The ``identity`` that the checkpoint's record must have.

    Returns
    -------
    (dict, list)
        The record, and the states of random generators.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or one of another run; no part is changed then.
    """
    record, random, states = _read(path)
    wanted = {"identity": expected, "kinds": _kinds(parts)}
    identity.check(path, {name: record[name] for name in wanted}, wanted)
    _check_fit(path, _sizes(states["model"]), _sizes(parts["model"].state_dict()))
    try:  # first, because it may still refuse, and then changes nothing
        parts["optimizer"].load_state_dict(states["optimizer"])
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{places.shown(path)} does not fit the optimizer ({reason}); expected one for the same"
            f" groups of weights; {_AFRESH}"
        ) from error
    for name, part in parts.items():
        # Without mixed precision a scaler has no state; a run may go on on another device.
        if name != "optimizer" and states[name]:
            part.load_state_dict(states[name])
    return record, random


def _kinds(parts: Parts) -> dict[str, str]:
    """The class of each part; one optimizer would take another one's state, and fail later."""
    return {name: type(part).__name__ for name, part in parts.items()}


def _read(path: Path) -> tuple[dict, list, dict]:
    """The record, the states of random generators, and the states of the parts."""
    try:
        content = torch_files.read(path)
        record, random, states = (content[name] for name in ("record", "random", "states"))
        record = json.loads(record)
        if not {"identity", "kinds"} <= record.keys():
            raise ValueError("its record lacks entries")
    except torch_files.UNREADABLE as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(
            f"{places.shown(path)} is no checkpoint ({reason}); expected a file that a training run"
            " wrote; delete it to train from the start."
        ) from error
    return record, random, states


def _sizes(state: dict) -> dict[str, str]:
    """How large each tensor is, in words."""
    return {
        name: f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }


def _check_fit(path: Path, found: dict[str, str], wanted: dict[str, str]) -> None:
    """Refuse tensors with other names, shapes or types."""
    for name in dict.fromkeys([*wanted, *found]):
        has, expected = found.get(name, "nothing"), wanted.get(name, "nothing")
        if has != expected:
            raise ValueError(
                f"{places.shown(path)} has {has} for {name!r}; expected {expected}, as this"
                f" version of the course makes it; {_AFRESH}"
            )
