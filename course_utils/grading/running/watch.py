"""Looks at a running command from outside: how many processes, how much memory, how much disk."""

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from course_utils.grading.running.sandbox import Limits

_MEGABYTE = 1 << 20
_ENTRY = 4096  # what a file takes beside its content, so that empty files count, too
_PAUSE = 0.1


class Watch:
    """Says when a command breaks its limits.

    Attributes
    ----------
    seen : set of psutil.Process
        Every process that was found below the command's first one.
    pause : float
        Seconds until the next look: long where looking takes long, so that the watch itself
        never takes more than a fifth of a processor core.
    """

    def __init__(self, top: psutil.Process, folder: Path, limits: "Limits") -> None:
        self.seen: set[psutil.Process] = set()
        self.pause = _PAUSE
        self._top, self._folder, self._limits = top, folder, limits
        self._found_there = written(folder)
        self._begun = time.monotonic()

    def broken(self) -> tuple[str, str] | None:
        """The limit that is broken, and a sentence about it; None while all is well."""
        begun = time.monotonic()
        try:
            return self._broken()
        finally:
            self.pause = max(_PAUSE, 4 * (time.monotonic() - begun))

    def _broken(self) -> tuple[str, str] | None:
        limits = self._limits
        if time.monotonic() - self._begun > limits.seconds:
            return "time", f"It ran for more than {limits.seconds:g} s, so it was stopped."
        below = self._below()
        if len(below) > limits.processes:
            return "processes", (
                f"It started more than {limits.processes} processes, so it was stopped."
            )
        if _above(below, limits.memory_mb * _MEGABYTE):
            return "memory", (
                f"It used more than {limits.memory_mb} MB of memory, so it was stopped."
            )
        return self._disk(below)

    def _below(self) -> list[psutil.Process]:
        """The processes below the command's first one."""
        try:
            below = self._top.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self.seen.update(below)
        return below

    def _disk(self, below: list[psutil.Process]) -> tuple[str, str] | None:
        try:
            total = written(self._folder) - self._found_there
        except OSError as error:  # locked, or too deep: what is in it could not be counted
            return "disk", (
                f"It made a folder that cannot be looked into ({error.strerror}), so it was"
                " stopped."
            )
        if total + unlinked(below) > self._limits.disk_mb * _MEGABYTE:
            return "disk", f"It wrote more than {self._limits.disk_mb} MB, so it was stopped."
        return None


def _above(processes: list[psutil.Process], limit: int) -> bool:
    """Whether processes use more than so many bytes of memory together."""
    # Pages that processes share are counted once for each of them here. The exact figure takes
    # long, so it is asked for only where the quick one is too high.
    resident = _sum(processes, lambda process: process.memory_info().rss)
    return resident > limit and _sum(processes, _proportional) > limit


def _proportional(process: psutil.Process) -> int:
    """A process's own pages and its part of the shared ones, in bytes."""
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return process.memory_info().rss
    return getattr(full, "pss", full.uss)


def _sum(processes: list[psutil.Process], figure: Callable[[psutil.Process], int]) -> int:
    total = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += figure(process)
    return total


def written(folder: Path) -> int:
    """Bytes on the disk below a folder; links are not followed.

    Raises
    ------
    OSError
        If a folder is locked, or lies so deep that it cannot be named.
    """
    total, todo = 0, [str(folder)]
    while todo:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # one that is gone must not hide the others
                    found = entry.stat(follow_symlinks=False)
                    total += _ENTRY + _size(found)
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
    return total


def unlinked(processes: list[psutil.Process]) -> int:
    """Bytes in files that are in no folder any more, but that a process holds open (Linux)."""
    sizes = {}
    for process in processes:
        with suppress(OSError), os.scandir(f"/proc/{process.pid}/fd") as entries:
            for entry in entries:
                with suppress(OSError):
                    found = entry.stat()
                    if found.st_nlink == 0 and stat.S_ISREG(found.st_mode):
                        sizes[found.st_dev, found.st_ino] = _size(found)
    return sum(sizes.values())


def _size(found: os.stat_result) -> int:
    """Bytes that a file really takes; its length where the system does not say that."""
    return found.st_blocks * 512 if hasattr(found, "st_blocks") else found.st_size
