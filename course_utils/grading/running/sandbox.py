"""Runs a command that nobody trusts, and leaves nothing of it behind but a folder.

With bubblewrap the command has a system of its own: no network, no other processes, no files but
those it needs. Where bubblewrap does not work, limits, a watch and a guard in the kernel
(:mod:`~course_utils.grading.running.guard`) hold what they can; they stop accidents and simple
tricks, not an attacker who knows them.
"""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import psutil

from course_utils import places
from course_utils.grading.running import bubblewrap, supervisor, surroundings
from course_utils.grading.running.guard import GUARD
from course_utils.grading.running.watch import Watch

_TAIL = 4000  # characters of the log that are kept
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much a command may use.

    Attributes
    ----------
    seconds : float
        Time from start to end.
    memory_mb : int
        Memory of all its processes together. A notebook with TensorFlow or PyTorch and a small
        network takes 500 to 900.
    file_mb : int
        The largest single file.
    disk_mb : int
        All that it writes together.
    processes : int
        Processes at a time; the notebook's own run takes five.
    """

    seconds: float = 120
    memory_mb: int = 2500
    file_mb: int = 64
    disk_mb: int = 256
    processes: int = 64


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    status : str
        ``"done"``, ``"failed"``, or the limit that it broke: ``"time"``, ``"memory"``,
        ``"processes"``, ``"disk"``.
    reason : str
        A sentence for the learner; empty when it is done.
    seconds : float
        How long it took.
    log_tail : str
        The end of what it wrote to its standard output and error.
    code : int
        Its exit code; 128 and the signal's number where a signal has ended it.
    """

    status: str
    reason: str
    seconds: float
    log_tail: str
    code: int


def run(
    command: Sequence[str],
    folder: Path,
    limits: Limits,
    visible: Iterable[Path] = (),
    hidden: Iterable[Path] = (),
    *,
    within: str | None = None,
) -> Ended:
    """Run a command in a sandbox. Nothing that it started is left when this returns.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; the program's path is the same inside and outside.
    folder : Path
        Where it works, the only place that it can write to. It stays when the command has ended.
    limits : Limits
        What ends it early.
    visible : iterable of Path
        What it can read besides Python, the system's libraries, and the course with its data.
    hidden : iterable of Path
        What it cannot read even where something visible holds it. Need not exist.
    within : {"bubblewrap", "guard"}, optional
        How to hold it; the better of what works here when absent.

    Returns
    -------
    Ended

    Raises
    ------
    NotADirectoryError, FileNotFoundError
        If the folder, or something visible, is missing.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise NotADirectoryError(
            f"The sandbox's folder {places.shown(folder)} is not there: it was expected to be an"
            " existing folder; create it first."
        )
    visible = [Path(path).resolve(strict=True) for path in visible]
    hidden = [Path(path).resolve() for path in hidden]
    above = [sys.executable, "-I", supervisor.__file__, json.dumps(surroundings.rlimits(limits))]
    environment = surroundings.environment(folder)
    if (within or kind()) == "bubblewrap":
        above = [*bubblewrap.arguments(folder, visible, hidden), *above]
    else:
        readable = [*bubblewrap.shown(), *visible]
        closed = [Path.home(), places.project_root(), *hidden]
        environment[GUARD] = json.dumps([folder, readable, closed], default=str)
    private = folder / bubblewrap.PRIVATE
    for name in ("home", "tmp", "shm"):
        (private / name).mkdir(parents=True, exist_ok=True)
    try:
        return _run([*above, *command], environment, folder, limits)
    finally:
        remove(private)


@functools.cache
def kind() -> str:
    """How commands are held on this machine.

    Returns
    -------
    str
        ``"bubblewrap"`` where it is installed and works (tried once), else ``"guard"``.
    """
    if shutil.which("bwrap") is None:
        return "guard"
    with tempfile.TemporaryDirectory() as name:
        for part in ("home", "tmp", "shm"):
            (Path(name).resolve() / bubblewrap.PRIVATE / part).mkdir(parents=True)
        trial = [*bubblewrap.arguments(Path(name).resolve(), (), ()), sys.executable, "-c", ""]
        tried = subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True)
    return "guard" if tried.returncode else "bubblewrap"


def remove(folder: Path) -> None:
    """Remove a folder that a command has left, however deep or locked it is.

    Parameters
    ----------
    folder : Path
        Need not exist.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    if folder.is_symlink():  # a command can put one in the place of its folder
        folder.unlink()
        return
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        if os.name == "nt":
            raise
        subprocess.run(["chmod", "-R", "u+rwx", folder], stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL)
        if folder.exists():
            raise


def _run(command: list[str], environment: dict[str, str], folder: Path, limits: Limits) -> Ended:
    begun = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,  # is closed when the grader dies, which ends the command as well
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    log = bytearray()
    reader = threading.Thread(target=_read, args=(process.stdout, log), daemon=True)
    reader.start()
    broken = _watched(process, folder, limits)
    seconds = time.monotonic() - begun
    reader.join(timeout=5)
    process.stdin.close()
    tail = bytes(log).decode("utf-8", "replace")[-_TAIL:]
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    status, reason = broken or _ending(code)
    return Ended(status, reason, seconds, tail, code)


def _watched(process: subprocess.Popen, folder: Path, limits: Limits) -> tuple[str, str] | None:
    """Wait until a command has ended or breaks a limit, and until all of it is gone."""
    top = psutil.Process(process.pid)
    watch = Watch(top, folder, limits)
    try:
        while process.poll() is None:
            if broken := watch.broken():
                return broken
            try:
                process.wait(watch.pause)
            except subprocess.TimeoutExpired:
                continue
        return None
    finally:  # an interrupted grader comes here, too
        if process.poll() is None:
            supervisor.end_below(top, watch.seen)
            process.kill()
            process.wait()
        supervisor.end_below(top, watch.seen)


def _ending(code: int) -> tuple[str, str]:
    """Status and reason of a command that ended by itself."""
    if code == 0:
        return "done", ""
    try:
        return "failed", f"It was ended by the signal {signal.Signals(code - 128).name}."
    except ValueError:
        return "failed", f"It ended with the exit code {code}."


def _read(stream: BufferedReader, log: bytearray) -> None:
    """Take what a command writes, and keep the end of it."""
    while block := stream.read1(1 << 16):
        log += block
        del log[: -4 * _TAIL]
    stream.close()
