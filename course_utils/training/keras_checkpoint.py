"""Everything that a training run in Keras needs to go on, in one file that is always whole.

Keras' own ``BackupAndRestore`` writes the weights and the step number into two files, one after the
other and each in place. A program that is killed in between leaves a damaged file, or weights of
one step under the number of another. Here one new file takes the place of the old one in a single
step of the file system.
"""

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from course_utils import places

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
    unfinished = path.with_name(f"unfinished_{path.name}")
    arrays = {f"{number:04d}": variable.numpy() for number, variable in enumerate(variables)}
    with unfinished.open("wb") as file:
        np.savez(file, **arrays, **{_RECORD: np.array(json.dumps(record))})
        file.flush()
        os.fsync(file.fileno())  # or a power cut could leave the new name with nothing behind it
    os.replace(unfinished, path)


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
    try:
        with np.load(path, allow_pickle=False) as content:
            record = json.loads(str(content[_RECORD]))
            arrays = [content[name] for name in sorted(content.files) if name != _RECORD]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(
            f"{places.shown(path)} is no checkpoint ({reason}); expected a file that a training run"
            " wrote; delete it to train from the start."
        ) from error
    for name, value in expected.items():
        # Through JSON, which knows lists and no tuples.
        if record.get(name) != json.loads(json.dumps(value)):
            raise ValueError(
                f"{places.shown(path)} is a checkpoint of {name} {record.get(name)!r}; expected"
                f" {value!r}; train in another folder, or delete the checkpoint to start afresh."
            )
    shapes = [variable.shape for variable in variables]
    if [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"{places.shown(path)} holds {len(arrays)} arrays that do not fit the {len(shapes)} of"
            " this model; expected a checkpoint of the same architecture, labels and features;"
            " train in another folder, or delete it to start afresh."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return record
