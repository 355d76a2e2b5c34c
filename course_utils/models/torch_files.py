"""Files of PyTorch, read with care: checksums are compared, and nothing in them is run."""

import json
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from course_utils import places

Model = TypeVar("Model")

UNREADABLE = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError,
    pickle.UnpicklingError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged or foreign file, and looking for something in it, can raise."""


def read(path: Path) -> object:
    """What ``torch.save`` wrote, tensors in the memory of the processor.

    Raises
    ------
    Exception
        One of :data:`UNREADABLE`; the caller knows what file it was meant to be.
    """
    with zipfile.ZipFile(path) as archive:
        # torch.load compares no checksums, so that a flipped bit would become a weight.
        if damaged := archive.testzip():
            raise ValueError(f"{Path(damaged).name} in it has another checksum")
    return torch.load(path, map_location="cpu", weights_only=True)


def load(
    file: Path, kind: str, what: str, lesson: str, build: Callable[[dict, dict], Model]
) -> Model:
    """A trained model from the file that its ``save`` wrote.

    Parameters
    ----------
    file : Path
    kind : str
        The ``format`` that the file has to name.
    what : str
        What it holds, for the errors.
    lesson : str
        Number of the lesson that makes one.
    build : callable
        Makes the model of (record, weights).

    Raises
    ------
    ValueError
        If there is no such file, or it is damaged or of another kind.
    """
    if not file.is_file():
        raise ValueError(
            f"There is no {file.name} in {places.shown(file.parent)}; expected the folder of a"
            f" finished training run; finish lesson {lesson} or train one there first."
        )
    try:
        content = read(file)
        if not isinstance(content, dict) or content.get("format") != kind:
            raise ValueError("it is another kind of file")
        return build(json.loads(content["record"]), content["weights"])
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ValueError(
            f"{places.shown(file)} cannot be read ({reason}); expected a {what} as training"
            " writes it; train it again."
        ) from error
