"""The arguments of bubblewrap: what a command in the sandbox finds of this machine."""

import functools
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from course_utils import places

PRIVATE = ".private"
"""Folder in the sandbox's folder for what a command has to itself: home, /tmp, /dev/shm."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# What the loader, name resolution for "localhost" and processor counting look into.
_LITTLE = (
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
    "/etc/localtime", "/etc/hosts", "/etc/nsswitch.conf", "/sys/devices/system/cpu",
)  # fmt: skip


def arguments(folder: Path, visible: Iterable[Path], hidden: Iterable[Path]) -> list[str]:
    """How to call bubblewrap; the command follows.

    Parameters
    ----------
    folder : Path
        The one place that can be written to, at the same path inside.
    visible : iterable of Path
        What can be read besides Python, its packages, and the course with its data.
    hidden : iterable of Path
        What is empty inside even where something visible, or ``folder``, holds it.

    Returns
    -------
    list of str
    """
    private = folder / PRIVATE
    readable = [*shown(), *visible]
    covered = [path for path in hidden if path.exists()]
    early = [
        path for path in covered if not path.is_relative_to(folder) and _within(path, readable)
    ]
    late = [path for path in covered if path != folder and path.is_relative_to(folder)]
    return [
        "bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session",
        "--cap-drop", "ALL", "--hostname", "sandbox", *_no_deeper(),
        *_system(),
        "--proc", "/proc",
        "--dev", "/dev", "--bind", str(private / "shm"), "/dev/shm", "--remount-ro", "/dev",
        # Early, because Python, the course or the folder may lie below it.
        "--bind", str(private / "tmp"), "/tmp",
        *(part for path in readable for part in ("--ro-bind", str(path), str(path))),
        *(part for path in early for part in _cover(path)),
        "--bind", str(folder), str(folder),
        *(part for path in late for part in _cover(path)),
        *(part for path in covered if path.is_dir() and path in early + late
          for part in ("--remount-ro", str(path))),
        "--remount-ro", "/",
        "--chdir", str(folder),
    ]  # fmt: skip


def shown() -> list[Path]:
    """What every command can read: Python, its packages, and the course with its data."""
    return [*_python(), *_course()]


@functools.cache
def _no_deeper() -> list[str]:
    """No namespaces inside: there a command could fill file systems that nobody counts."""
    told = subprocess.run(["bwrap", "--help"], capture_output=True, text=True).stdout
    return ["--disable-userns"] if "--disable-userns" in told else []  # since 0.8


def _system() -> list[str]:
    """Programs and libraries of the system, read-only, and the little of the rest."""
    parts = []
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            parts += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            parts += ["--ro-bind", name, name]
    return parts + [part for name in _LITTLE for part in ("--ro-bind-try", name, name)]


def _python() -> list[Path]:
    """The environment that this Python runs from, and the Python that it was made from."""
    found = {Path(sys.base_prefix), Path(sys.prefix)}
    found |= {path.resolve() for path in found}
    return sorted(path for path in found if not _within(path, [Path(name) for name in _SYSTEM]))


def _course() -> list[Path]:
    """The package, its shipped data, and what has been unpacked of it; no lesson, no solution."""
    package = Path(__file__).resolve().parents[2]
    # By this file the package knows that it is used from a checkout.
    project = package.parent / "pyproject.toml"
    every = [package, project, places.shipped(), places.cache()]
    return [path for path in every if path.exists()]


def _within(path: Path, others: Iterable[Path]) -> bool:
    """Whether a path is, or lies below, one of others."""
    return any(path.is_relative_to(other) for other in others)


def _cover(path: Path) -> list[str]:
    """Nothing in the place of a folder or a file."""
    if path.is_dir():
        return ["--tmpfs", str(path)]
    return ["--ro-bind", "/dev/null", str(path)]
