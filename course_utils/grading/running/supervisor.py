"""What stands above a command in a sandbox: sets its limits, and clears away what it leaves.

Run as a program with ``-I``, never imported by the command: it knows nothing of the course, so that
it starts at once.
"""

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil

_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
_PATIENCE = 10.0  # seconds for killed processes to be gone


def end_below(top: psutil.Process, seen: set[psutil.Process] | None = None) -> None:
    """Kill every process below one, and those seen there before that have left it.

    All are stopped before the first is killed, because a bomb forks faster than a list is read.

    Parameters
    ----------
    top : psutil.Process
        Lives on.
    seen : set of psutil.Process, optional
        Processes that were below it; who has found another parent is killed, too.
    """
    until = time.monotonic() + _PATIENCE
    for act in ("suspend", "kill"):
        treated: set[psutil.Process] = set()
        while (found := _living(top, seen or set()) - treated) and time.monotonic() < until:
            for process in found:
                _if_it_lives(getattr(process, act))
            treated |= found
    while _living(top, seen or set()) and time.monotonic() < until:
        time.sleep(0.01)


def _living(top: psutil.Process, seen: set[psutil.Process]) -> set[psutil.Process]:
    """The processes below one, or once seen there, that still run something."""
    below = _if_it_lives(lambda: top.children(recursive=True)) or []
    every = {*below, *(process for process in seen if process.is_running())} - {top}
    return {process for process in every if _if_it_lives(process.status) not in _GONE}


_GONE = {None, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


def _if_it_lives(ask: Callable[[], object]) -> object | None:
    """What a question about a process is answered with; None if it has ended meanwhile."""
    try:
        return ask()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _adopt_orphans() -> None:
    """Become the parent of every process below whose own parent ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _limit(limits: dict[str, int]) -> None:
    """Set the limits that this system knows, for this process and all below."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows: the grader's watch is all there is
        return
    for name, value in limits.items():
        if hasattr(resource, name):
            kind = getattr(resource, name)
            highest = resource.getrlimit(kind)[1]
            value = value if highest == resource.RLIM_INFINITY else min(value, highest)
            resource.setrlimit(kind, (value, value))


def _when_the_grader_is_gone() -> None:
    """End everything when the other end of the standard input is closed, even by SIGKILL."""
    # Not sys.stdin.buffer: its lock would be held here when the interpreter wants to end.
    while os.read(0, 4096):
        pass
    end_below(psutil.Process())
    os._exit(1)


def _wait(child: subprocess.Popen) -> int:
    """The exit code of a command; ends of adopted processes are taken note of meanwhile."""
    if not hasattr(os, "waitstatus_to_exitcode") or os.name == "nt":
        return child.wait()
    while True:
        ended, status = os.wait()
        if ended == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode


def main(limits: dict[str, int], command: list[str]) -> int:
    """Run a command below limits and clear away what it leaves.

    Parameters
    ----------
    limits : dict
        Names of :mod:`resource` with their values, e.g. ``{"RLIMIT_CORE": 0}``.
    command : list of str
        Program and arguments.

    Returns
    -------
    int
        The command's exit code; 128 and the signal's number where a signal has ended it.
    """
    _adopt_orphans()
    _limit(limits)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_when_the_grader_is_gone, daemon=True).start()
    code = _wait(child)
    end_below(psutil.Process())
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
