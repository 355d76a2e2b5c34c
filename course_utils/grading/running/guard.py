"""Refuses a kernel what a notebook has no business with, where no bubblewrap does.

An audit hook sees what Python code does by way of Python: it cannot be taken away again, but code
that calls C functions by itself gets round it. It stops accidents and the tricks that people try
first. :func:`course_utils.grading.running.sandbox.kind` says which of both holds a command.
"""

import os
import sys
from collections.abc import Callable, Iterable

GUARD = "COURSE_GRADING_GUARD"
"""Environment variable that asks for a guard: JSON with the arguments of :func:`install`."""

_STARTS = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "pty.spawn", "subprocess.Popen", "_winapi.CreateProcess",
}  # fmt: skip
_SIGNALS = {"os.kill", "os.killpg"}
_LISTS = {"os.listdir", "os.scandir"}
_CHANGES = {
    "os.chflags", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename",
    "os.rmdir", "os.setxattr", "os.symlink", "os.truncate", "os.utime",
}  # fmt: skip
_BOTH = {"os.link", "os.rename"}  # of these the second argument is a path that counts, too
_CALLS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0}  # where the host is
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install(folder: str, readable: Iterable[str], closed: Iterable[str]) -> None:
    """Refuse, from now on and for good, what does not belong into an exercise.

    Refused with a :class:`PermissionError` are: to open, list or link what lies in ``closed``; to
    write outside ``folder``; to connect to another machine; to start a process, or to signal one.

    Parameters
    ----------
    folder : str
        Where the notebook may write.
    readable : iterable of str
        Files and folders in ``closed`` that may be read all the same.
    closed : iterable of str
        Files and folders that may not be read. Of two places that hold a path, the inner one says
        whether it may.
    """
    real = os.path.realpath
    place = real(folder)
    opened = [place, *(real(name) for name in readable)]
    # A home at the very top, as that of a service, would close the system's libraries.
    shut = [path for path in (real(name) for name in closed) if os.path.dirname(path) != path]
    paths = _paths(place, opened, shut)
    sys.addaudithook(_hook(paths, _doings()))


def _paths(folder: str, opened: list[str], shut: list[str]) -> Callable[[object, str], None]:
    """A function that refuses a path, or not; what it needs is its own, not a module's."""
    real, fsdecode, text = os.path.realpath, os.fsdecode, (str, bytes, os.PathLike)
    is_a, some, most, inside = isinstance, any, max, _inside

    def refuse(given: object, why: str) -> None:
        if not is_a(given, text):
            return
        path = real(fsdecode(given))
        if why == "change" and not (inside(path, folder) or inside(path, os.devnull)):
            raise PermissionError(
                f"An exercise may not write to {path!r}: only the folder that it runs in is its"
                " own; use a name without a folder, or tempfile."
            )
        depth = most((len(place) for place in shut if inside(path, place)), default=-1)
        free = most((len(place) for place in opened if inside(path, place)), default=-1)
        # The import system lists the folders above a package.
        above = why == "list" and some(inside(place, path) for place in opened)
        # Names below an open folder say nothing about where they are: it is not opened at all.
        holds = why == "hold" and some(inside(place, path) for place in shut)
        if holds or (depth >= 0 and depth >= free and not above):
            raise PermissionError(
                f"An exercise may not read {path!r}: only Python, the course and its data are for"
                " notebooks; work with what the exercise gives."
            )

    return refuse


def _doings() -> Callable[[str, tuple], None]:
    """A function that refuses to start processes, and to leave this machine."""
    pid, starts, signals, calls = os.getpid(), _STARTS, _SIGNALS, _CALLS
    is_a, text = isinstance, str

    def refuse(event: str, values: tuple) -> None:
        if event in starts or (event in signals and values[0] != pid):
            raise PermissionError(
                f"An exercise may not start or signal other processes (it tried {event}): what it"
                " needs runs in the notebook itself."
            )
        if event in calls:
            address = values[calls[event]]
            host = address[0] if is_a(address, tuple) else address
            host = host.decode("utf-8", "replace") if is_a(host, bytes) else host
            if host is not None and not text(host).startswith(("127.", "::1", "localhost")):
                raise PermissionError(
                    f"An exercise may not connect to {host!r}: it runs without a network; all data"
                    " that it needs ship with the course."
                )

    return refuse


def _hook(
    paths: Callable[[object, str], None], doings: Callable[[str, tuple], None]
) -> Callable[[str, tuple], None]:
    """The audit hook."""
    lists, changes, both, to_write, is_a = _LISTS, _CHANGES, _BOTH, _TO_WRITE, isinstance

    def hook(event: str, values: tuple) -> None:
        if event == "open":
            path, mode, flags = values
            writes = is_a(flags, int) and flags & to_write
            paths(path, "change" if writes else "read")
            if mode is None and not writes:
                paths(path, "hold")
        elif event in lists:
            paths(values[0], "list")
        elif event in changes:
            for given in values[: 2 if event in both else 1]:
                paths(given, "change")
        else:
            doings(event, values)

    return hook


def _inside(path: str, place: str) -> bool:
    """Whether a path is a place or lies below it."""
    return path == place or path.startswith(place + os.sep)
