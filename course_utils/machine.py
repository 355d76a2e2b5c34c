"""What this machine has, which scale fits it, and how its native libraries are kept quiet."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import psutil

_GIBIBYTE = 2**30

LIBRARIES = (
    "numpy", "scipy", "soundfile", "soxr", "librosa", "tensorflow", "keras", "torch", "torchaudio",
    "jupyterlab", "ipywidgets",
)  # fmt: skip
"""Distributions whose version decides what a lesson's numbers look like."""


def hardware() -> dict[str, str | int | float]:
    """Processor cores, memory and free disk space in GiB, GPU, system."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / _GIBIBYTE, 1),
        "free_disk_gib": round(shutil.disk_usage(Path.cwd()).free / _GIBIBYTE, 1),
        "gpu": _gpu(),
    }


def versions() -> dict[str, str]:
    """Installed version of Python and of every name in :data:`LIBRARIES`.

    A library that is not installed is listed as ``"not installed"``. Nothing is imported.
    """
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _gpu() -> str:
    """Name of the GPU, or ``"none"``.

    Asks the NVIDIA driver's own tool, and the processor type on a Mac, because asking TensorFlow
    or PyTorch would load it.
    """
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "Apple GPU (Metal)"
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "none"
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):  # the tool is there, a working driver is not
        return "none"
    return "; ".join(answer.stdout.strip().splitlines()) or "none"


def fitting_scale(found: dict) -> tuple[str, str]:
    """The largest scale that a machine can be expected to finish, and why.

    Parameters
    ----------
    found : dict
        As :func:`hardware` returns it.

    Returns
    -------
    scale : str
        A name of :data:`course_utils.scale.SCALES`.
    reason : str
        One sentence.
    """
    if found["gpu"] != "none" and found["free_disk_gib"] >= 20:
        return "full", "There is a GPU, and the disk has room for the real data sets."
    if found["cores"] >= 2 and found["memory_gib"] >= 7 and found["free_disk_gib"] >= 10:
        return "laptop", "No GPU is needed for this scale, and cores, memory and disk suffice."
    return "mini", (
        "The laptop scale wants two cores, 7 GiB of memory and 10 GiB of disk; mini runs anywhere."
    )


@contextmanager
def quietly() -> Iterator[None]:
    """Keep what native code writes to stderr out of a notebook or a terminal.

    TensorFlow reports its build options there on every import, past all its own log settings, and
    its converter whatever it does. In a notebook, Python's own warnings and errors take another
    way and are not touched.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
