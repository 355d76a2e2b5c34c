"""Programs and notebooks for the sandbox, and a look at what they leave behind."""

import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.grading.running import execution, sandbox

BUBBLEWRAP = pytest.mark.skipif(
    sandbox.kind() != "bubblewrap", reason="bubblewrap does not work here"
)
EITHER = pytest.mark.parametrize("within", [pytest.param("bubblewrap", marks=BUBBLEWRAP), "guard"])


def program(source: str, folder: Path, within: str, *arguments: object, **more) -> sandbox.Ended:
    """Run Python source in a sandbox; limits by their names, and ``visible`` and ``hidden``."""
    places = {name: more.pop(name) for name in ("visible", "hidden") if name in more}
    limits = sandbox.Limits(**{"seconds": 20, **more})
    command = [sys.executable, "-c", source, *map(str, arguments)]
    return sandbox.run(command, folder, limits, **places, within=within)


def notebook(
    folder: Path,
    *sources: str,
    within: str | None = None,
    timeout_s: float = 20,
    tags: tuple[str, ...] = (),
    kernel: str | None = None,
    hidden: tuple[Path, ...] = (),
    **limits,
) -> execution.Execution:
    """Execute a notebook with these cells, called a, b, c …"""
    metadata = {"course": {"timeout_s": timeout_s}, "tags": list(tags)}
    cells = [
        new_code_cell(source, id="abcdefghijklmnop"[number], metadata=metadata)
        for number, source in enumerate(sources)
    ]
    path = folder / "given.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    inside = folder / "inside"
    inside.mkdir()
    limits = sandbox.Limits(**{"seconds": 60, **limits})
    return execution.execute(path, inside, limits, kernel=kernel, hidden=hidden, within=within)


def statuses(done: execution.Execution) -> list[str]:
    """How the cells ended, in order."""
    return [run.status for run in done.cells.values()]


def shown(run: execution.CellRun) -> str:
    """All text that a cell has put out."""
    return "".join(
        output.get("text", "")
        + output.get("data", {}).get("text/plain", "")
        + output.get("evalue", "")
        for output in run.outputs
    )


def left(mark: object) -> list[str]:
    """The command lines of processes that still run and name a path; after a moment's grace."""
    until = time.monotonic() + 5
    while (found := _naming(str(mark))) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def _naming(mark: str) -> list[str]:
    lines = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        if mark in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            lines.append(line)
    return lines
