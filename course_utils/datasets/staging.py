"""Whole or not at all: work in a temporary sibling, then rename it into place.

A temporary sibling is called ``.<name>.<host>.<process id>.<random>.partial``. Its name says who
made it, so that what a killed process left behind can be told from another process's work.
"""

import errno
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from course_utils import places

_ENDING = ".partial"
# Age from which another machine's temporary sibling counts as left behind.
_FOREIGN_LEFTOVER_AFTER_S = 24 * 3600

# What the disk says when it is full, or when this person's share of it is.
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DownloadError(RuntimeError):
    """A data set could not be brought in; the text is one sentence that says what to do."""


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A temporary folder beside ``target``, on the same disk, removed at the end.

    Parameters
    ----------
    target : Path
        What will be made. Its parent folder is created, and temporary siblings of the same
        target that were left behind are removed.

    Yields
    ------
    Path
        An empty folder. Whatever is still in it when the block ends is removed.

    Raises
    ------
    DownloadError
        If the disk is full or the folder cannot be written; both also inside the block.
    """
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        temporary = _new_sibling(target)
        yield temporary
    except OSError as error:
        if error.errno in _FULL:
            raise _full(target) from error
        # requests' errors are OSErrors without a number; they are not about this disk.
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR}:
            raise DownloadError(
                f"{places.shown(target)} cannot be written ({error.strerror}): a folder that this"
                " user may write to was expected; change its permissions, or set"
                f" {places.DATA_ROOT} to another folder."
            ) from error
        raise
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _new_sibling(target: Path) -> Path:
    """Create an empty temporary folder beside ``target`` that names this process."""
    prefix = f".{target.name}.{_host()}.{os.getpid()}."
    return Path(tempfile.mkdtemp(prefix=prefix, suffix=_ENDING, dir=target.parent))


def _remove_leftovers(target: Path) -> None:
    """Remove temporary siblings of ``target`` that no process works on any more."""
    for path in target.parent.iterdir():
        mine = path.name.startswith(f".{target.name}.") and path.name.endswith(_ENDING)
        if mine and _left_behind(path, path.name[len(target.name) + 2 : -len(_ENDING)]):
            shutil.rmtree(path, ignore_errors=True)


def check_space(target: Path, needed: int) -> None:
    """Refuse early when the disk has no room.

    Parameters
    ----------
    target : Path
        What will be written, in a folder that exists.
    needed : int
        Bytes.

    Raises
    ------
    DownloadError
        If fewer than ``needed`` bytes are free.
    """
    if shutil.disk_usage(target.parent).free < needed:
        raise _full(target, needed)


def replace_folder(made: Path, target: Path, same: Callable[[Path], bool]) -> None:
    """Move a finished folder to its place, where another process may have put one meanwhile.

    Parameters
    ----------
    made : Path
        The finished folder, beside ``target``.
    target : Path
        Its place. A folder that is there is replaced, unless ``same(target)``.
    same : callable
        Tells whether a folder already holds the same as ``made``; ``made`` is then left alone.

    Raises
    ------
    DownloadError
        If other processes keep changing the place.
    """
    for _ in range(100):
        try:
            # First without clearing the place: a folder that another process has just finished
            # there is not taken away from under its reader.
            os.rename(made, target)
            return
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.EACCES}:
                raise
        if same(target):
            return
        _discard(target, same)
        time.sleep(0.01)
    raise DownloadError(
        f"{places.shown(target)} could not be put in its place, because it is open or changes all"
        " the time: close what uses it and run this again."
    )


def _discard(folder: Path, wanted: Callable[[Path], bool]) -> None:
    """Take an outdated folder away in one step, then delete it at leisure."""
    grave = _new_sibling(folder)
    try:
        os.rename(folder, grave / "old")
        if wanted(grave / "old"):  # another process has renewed it since it was looked at
            os.rename(grave / "old", folder)
    except OSError as error:
        # Gone already, replaced already, or (on Windows) open in another program: look again.
        if error.errno not in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.EACCES}:
            raise
    finally:
        shutil.rmtree(grave, ignore_errors=True)


def _host() -> str:
    """Name of the machine, without the dots that separate the parts of a temporary name."""
    return re.sub(r"[^A-Za-z0-9-]", "-", platform.node())[:60] or "unnamed"


def _left_behind(path: Path, who: str) -> bool:
    """Whether the process that made a temporary sibling (``host.pid.random``) is gone."""
    host, _, rest = who.partition(".")
    number = rest.partition(".")[0]
    if host == _host() and number.isdigit() and not _running(int(number)):
        return True
    try:
        return time.time() - path.stat().st_mtime > _FOREIGN_LEFTOVER_AFTER_S
    except FileNotFoundError:  # its owner has just removed it
        return False


def _running(number: int) -> bool:
    """Whether a process is alive; one that was killed but not yet collected is not."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def _full(target: Path, needed: int | None = None) -> DownloadError:
    """The error for a full disk."""
    wanted = f" where {needed / 1e6:,.0f} MB are needed" if needed else ""
    free = shutil.disk_usage(target.parent).free
    return DownloadError(
        f"The disk of {places.shown(target)} is full: {free / 1e6:,.0f} MB are free{wanted}; make"
        f" room, or set {places.DATA_ROOT} to a folder on another disk."
    )
