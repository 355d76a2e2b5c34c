"""Everything that a training run in Keras needs to go on, in one file that is always whole.

Keras' own ``BackupAndRestore`` writes the weights and the step number into two files, one after the
other and each in place. A program that is killed in between leaves a damaged file, or weights of
one step under the number of another. Here one new file takes the place of the old one in a single
step of the file system.
"""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from course_utils import files, places
from course_utils.training import identity

_RECORD = "record"


def save(path: Path, variables: Sequence[keras.Variable], record: dict) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : Path
        Ends in ``.npz``; its folder exists.
    variables : sequence of keras.Variable
        Weights, state of random generators and of the optimizer, in an order that does not change.
    record : dict
        Whatever else belongs to the state, as JSON can hold it.
    """
    arrays = {f"{number:04d}": variable.numpy() for number, variable in enumerate(variables)}
    with files.whole(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, **arrays, **{_RECORD: np.array(json.dumps(record))})
        file.flush()
        os.fsync(file.fileno())  # or a power cut could leave the new name with nothing behind it


def restore(path: Path, variables: Sequence[keras.Variable], expected: dict) -> dict:
    """Put a checkpoint's values into the variables.

    Parameters
    ----------
    path : Path
    variables : sequence of keras.Variable
        In the order in which they were saved.
    expected : dict
        Entries that the checkpoint's record must have, such as the architecture.

    Returns
    -------
    dict
        The record.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or one of another run; no variable is changed then.
    """
    arrays, record = _read(path)
    identity.check(path, {name: record.get(name) for name in expected}, expected)
    _check_fit(path, arrays, variables)
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return record


def _read(path: Path) -> tuple[list[np.ndarray], dict]:
    """The arrays in their order, and the record."""
    try:
        with zipfile.ZipFile(path) as archive:
            # Read whole before it is parsed, because reading compares checksums.
            content = {
                name: np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
                for name in sorted(archive.namelist())
            }
        record = json.loads(str(content.pop(f"{_RECORD}.npy")))
        if not isinstance(record, dict):
            raise ValueError("its record has no entries")
    except (OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError,
            zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:120]
        raise ValueError(
            f"{places.shown(path)} is no checkpoint ({reason}); expected a file that a training run"
            " wrote; delete it to train from the start."
        ) from error
    return list(content.values()), record


def _check_fit(path: Path, arrays: list[np.ndarray], variables: Sequence[keras.Variable]) -> None:
    """Refuse arrays that are too many, too few, or of another shape or type."""
    found = [(array.shape, str(array.dtype)) for array in arrays]
    wanted = [(tuple(variable.shape), str(variable.dtype)) for variable in variables]
    if found == wanted:
        return
    what = f"holds {len(found)} arrays; expected {len(wanted)}"
    if len(found) == len(wanted):
        at = [one != other for one, other in zip(found, wanted, strict=True)].index(True)
        what = f"has {_sized(found[at])} for {variables[at].path!r}; expected {_sized(wanted[at])}"
    raise ValueError(
        f"{places.shown(path)} {what}, as this version of the course makes them; train in another"
        " folder, or delete the checkpoint to start afresh."
    )


def _sized(array: tuple[tuple[int, ...], str]) -> str:
    shape, kind = array
    return f"{kind} of shape {shape}"
