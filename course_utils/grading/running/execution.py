"""Runs a notebook in a sandbox, and says what every cell has put out."""

import json
import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_utils import places
from course_utils.grading.running import sandbox
from course_utils.grading.running.sandbox import Limits

_RECORD = ".record.jsonl"
_LARGEST = 100_000_000  # bytes of a record: more than the plugin ever writes
_STATUSES = ("ok", "error", "timeout", "dead", "not run")
_SENTENCE = 500
_NOTES = 200


@dataclass(frozen=True)
class CellRun:
    """What a cell has done.

    Attributes
    ----------
    status : str
        ``"ok"``, ``"error"``, ``"timeout"``, ``"dead"`` (the kernel ended in it) or ``"not run"``.
    outputs : list of NotebookNode
        What it has put out in answer to its own message.
    seconds : float
        How long it took.
    """

    status: str = "not run"
    outputs: list[NotebookNode] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Execution:
    """What a notebook has done.

    Attributes
    ----------
    cells : dict
        Every code cell's id with its :class:`CellRun`, in the notebook's order.
    reason : str
        A sentence if the run was ended early or did not begin, else empty.
    notebook : NotebookNode
        The notebook with its outputs; its sources are those that were given.
    notes : list of str
        Sentences about what was left out or looked odd.
    seconds : float
        How long all of it took.
    """

    cells: dict[str, CellRun]
    reason: str
    notebook: NotebookNode
    notes: list[str]
    seconds: float


def execute(
    notebook_path: Path,
    folder: Path,
    limits: Limits,
    *,
    kernel: str | None = None,
    visible: Iterable[Path] = (),
    hidden: Iterable[Path] = (),
    within: str | None = None,
) -> Execution:
    """Run a notebook in a sandbox, whatever the sources of its cells are.

    Parameters
    ----------
    notebook_path : Path
        A notebook of format 4.5 that somebody trusted has put together: every code cell has an id
        of its own, and ``metadata.course.timeout_s`` says how long it may take (20 s without).
    folder : Path
        An empty folder, in which it runs.
    limits : Limits
        Limits of the whole run.
    kernel : str, optional
        Name of an installed kernel; this environment's own when absent.
    visible, hidden, within
        As in :func:`course_utils.grading.running.sandbox.run`.

    Returns
    -------
    Execution

    Raises
    ------
    ValueError
        If two code cells have the same id, or one has none.
    """
    notebook = nbformat.read(notebook_path, as_version=4)
    ids = _ids(notebook, notebook_path)
    folder = Path(folder).resolve()
    copy = folder / "notebook.ipynb"
    nbformat.write(notebook, copy)
    command = _command(copy, folder / _RECORD, kernel)
    ended = sandbox.run(command, folder, limits, visible, hidden, within=within)
    events, trouble = _events(folder / _RECORD)
    cells, odd = _cells(ids, events, ended.status)
    _fill(notebook, cells)
    if (wrong := _invalid(notebook)) is not None:
        cells, trouble = dict.fromkeys(ids, CellRun()), wrong
        _fill(notebook, cells)
    notes = odd + [event["note"] for event in events if "note" in event][:_NOTES]
    reason = trouble or _reason(ended, events)
    return Execution(cells, reason, notebook, notes, ended.seconds)


def _ids(notebook: NotebookNode, path: Path) -> list[str]:
    """The ids of all code cells."""
    ids = [cell.get("id") for cell in notebook.cells if cell.cell_type == "code"]
    if None in ids or len(set(ids)) < len(ids):
        raise ValueError(
            f"{places.shown(path)} has code cells without an id, or with the same: an id of its own"
            " was expected for every cell; prepare the notebook from the pristine one."
        )
    return ids


def _command(notebook: Path, record: Path, kernel: str | None) -> list[str]:
    """How nbval is called: nothing but its plugin and ours, and no settings of a repository."""
    plugins = (
        "course_utils.grading.running.quick_start",
        "course_utils.grading.running.nbval_plugin",
        "nbval.plugin",
    )
    which = ["--nbval-current-env"] if kernel is None else ["--nbval-kernel-name", kernel]
    unneeded = (
        "cacheprovider", "python", "doctest", "unittest", "junitxml", "pastebin", "nose", "logging",
        "faulthandler", "stepwise", "setuponly", "setupplan", "recwarn", "monkeypatch",
    )  # fmt: skip
    return [
        sys.executable, "-P", "-m", "pytest", str(notebook), "--nbval-lax", *which,
        "--disable-plugin-autoload", *(part for name in plugins for part in ("-p", name)),
        f"--course-record={record}",
        "-c", os.devnull, "--rootdir", str(notebook.parent), "--noconftest", "-s", "-q",
        "--no-header", "--color=no", "--tb=line", "--disable-warnings",
        *(part for name in unneeded for part in ("-p", f"no:{name}")),
    ]  # fmt: skip


def _events(path: Path) -> tuple[list[dict[str, Any]], str]:
    """What the record says, and a sentence if it makes no sense: hostile code may have written it.

    A last line without an end is what a killed run leaves, and is passed over.
    """
    try:
        *lines, _unfinished = _read(path).split(b"\n")
        return [_checked(json.loads(line)) for line in lines], ""
    except FileNotFoundError:
        return [], ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
        return [], (
            f"The record of the run makes no sense ({type(error).__name__}): something in the"
            " notebook has changed it, so nothing of this run counts; leave the grader's files"
            " alone."
        )


def _read(path: Path) -> bytes:
    """The content of a plain file of a sensible size; no link is followed, no pipe waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            raise ValueError("a plain file of at most 100 MB was expected")
        return file.read(_LARGEST)


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    """An event with the right types; raises an error of the usual kinds for any other."""
    # Half of a surrogate pair is valid JSON, but cannot be written to any file.
    event = json.loads(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace"))
    known = {
        "begun": str, "note": str, "trouble": str,
        "cell": str, "status": str, "seconds": (int, float), "outputs": list,
    }  # fmt: skip
    if not event or not all(isinstance(event[key], known[key]) for key in event):
        raise TypeError("an event has known fields of known types")
    if "cell" in event and (event["status"] not in _STATUSES or len(event) != 4):
        raise ValueError("a cell has a known status, seconds and outputs")
    if "cell" in event and not 0 <= event["seconds"] < 1e6:
        raise ValueError("a cell takes a sensible time")
    for key in ("note", "trouble"):
        if key in event:
            event[key] = event[key][:_SENTENCE]
    return event


def _cells(
    ids: list[str], events: list[dict[str, Any]], ending: str
) -> tuple[dict[str, CellRun], list[str]]:
    """Every cell's run, and notes about what does not fit."""
    cells, notes = dict.fromkeys(ids, CellRun()), []
    for event in events:
        # The cell in which a run was ended has begun, and nothing more is known of it.
        cell = event.get("begun", event.get("cell"))
        if cell is None:
            continue
        if cell not in cells or cells[cell].status not in ("not run", "begun"):
            notes.append(f"The record names {cell[:80]!r} once too often; that was left out.")
        elif "begun" in event:
            cells[cell] = CellRun("begun")
        else:
            outputs = [nbformat.from_dict(output) for output in event["outputs"]]
            cells[cell] = CellRun(event["status"], outputs, float(event["seconds"]))
    left = "timeout" if ending == "time" else "dead"
    for cell, run in cells.items():
        if run.status == "begun":
            cells[cell] = replace(run, status=left)
    return cells, notes[:_NOTES]


def _fill(notebook: NotebookNode, cells: dict[str, CellRun]) -> None:
    """Put the outputs into the notebook."""
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            run = cells[cell.id]
            number += run.status != "not run"
            cell.outputs = run.outputs
            cell.execution_count = number if run.status != "not run" else None
            for output in run.outputs:
                if isinstance(output, dict) and "execution_count" in output:
                    output["execution_count"] = number


def _invalid(notebook: NotebookNode) -> str | None:
    """A sentence if the outputs are none that a notebook can hold."""
    try:
        nbformat.validate(notebook)
    except (nbformat.ValidationError, TypeError, RecursionError):
        return (
            "The run has put out something that no notebook can hold, so nothing of it counts;"
            " show values with print or display."
        )
    return None


def _reason(ended: sandbox.Ended, events: list[dict[str, Any]]) -> str:
    """Why a run ended early, or did not begin."""
    for event in events:
        if "trouble" in event:
            return event["trouble"]
    if ended.status not in ("done", "failed"):
        return ended.reason
    # pytest ends with 1 where a cell fails, which is no trouble of the run.
    if ended.code in (0, 1) and any("cell" in event for event in events):
        return ""
    last = " / ".join(ended.log_tail.split("\n")[-4:]).strip(" /")
    return (
        f"The notebook's run broke off ({ended.reason.rstrip('.')}; it wrote {last[-300:]!r}): a"
        " cell may have ended it; if it stays without that cell, look at the course's environment."
    )
