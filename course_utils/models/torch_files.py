"""Files of PyTorch, read with care: checksums are compared, and nothing in them is run."""

import pickle
import zipfile
import zlib
from pathlib import Path

import torch

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
