"""A pytest plugin that makes nbval a grader's engine: own limit for each cell, answers on record.

Loaded with ``nbval.plugin``, whose notebook, cells and kernel it replaces by its own. What happens
goes into a file with a line of JSON for each event, written at once, so that a run that is killed
leaves what it had: ``{"begun": cell}``,
``{"cell": cell, "status": …, "seconds": …, "outputs": […]}``,
``{"note": sentence}`` and ``{"trouble": sentence}`` where the kernel does not start.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbval.kernel
import nbval.plugin
import pytest
from jupyter_client.kernelspec import NoSuchKernel

from course_utils.grading.running import watched_kernel

RECORD = "--course-record"
_SECONDS = 20.0
"""How long a cell may take that says nothing about it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file for the record."""
    parser.addoption(RECORD, required=True, help="file that says what every cell has done")


def pytest_configure() -> None:
    """Put the watched kernel in the place of nbval's."""
    nbval.kernel.NbvalKernelspecManager = watched_kernel.OwnKernel
    nbval.plugin.RunningKernel = watched_kernel.WatchedKernel


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Iterator[None]:
    """Take what nbval collects as a notebook on record."""
    found = yield
    return [RecordedNotebook.from_parent(parent, path=file_path) for _ in found]


def _record(config: pytest.Config, **event: Any) -> None:
    with open(config.getoption(RECORD), "ab") as file:
        file.write(json.dumps(event).encode() + b"\n")


class RecordedNotebook(nbval.plugin.IPyNbFile):
    """nbval's notebook, which says so if its kernel does not start."""

    def collect(self) -> Iterator["RecordedCell"]:
        """Every code cell, run whatever its source and its tags say to nbval."""
        for item in super().collect():
            # A learner who writes "# NBVAL_SKIP" into a cell skips nothing.
            yield RecordedCell.from_parent(
                self,
                name=item.name,
                cell_num=item.cell_num,
                cell=item.cell,
                options=defaultdict(bool),
            )

    def setup(self) -> None:
        """Start the kernel."""
        try:
            super().setup()
        except (NoSuchKernel, OSError, RuntimeError) as error:
            name = self.config.option.nbval_kernel_name or "of this environment"
            _record(
                self.config,
                trouble=f"The kernel {name} could not be started ({error}): an installed Python"
                " kernel was expected; install ipykernel in the course's environment.",
            )
            raise


class RecordedCell(nbval.plugin.IPyNbCell):
    """nbval's cell, put on record."""

    def setup(self) -> None:
        """Nothing: nbval would expect a cell to fail here because an earlier one took too long."""

    def runtest(self) -> None:
        """Run the cell within its own time."""
        kernel = self.parent.kernel
        if not kernel.is_alive():
            self._record("not run", 0.0, [])
            pytest.skip("the kernel has ended")
        _record(self.config, begun=self.cell.id)
        own = self.cell.metadata.get("course", {}).get("timeout_s", _SECONDS)
        self.config.option.nbval_cell_timeout = float(own)
        begun = time.monotonic()
        try:
            super().runtest()
        finally:
            seconds = time.monotonic() - begun
            if not kernel.idle and kernel.is_alive():
                kernel.stop()  # it goes on with this cell, whatever it says
            self._record(self._status(), seconds, kernel.outputs.cell)
            for note in kernel.outputs.notes:
                _record(self.config, note=f"{self.cell.id}: {note}")

    def _status(self) -> str:
        """How the cell ended. The reply counts as much as what was put out: both can be hidden."""
        kernel = self.parent.kernel
        if kernel.interrupted:
            return "timeout"
        if not kernel.is_alive():
            return "dead"
        failed = any(output.output_type == "error" for output in kernel.outputs.cell)
        return "ok" if kernel.reply == "ok" and not failed else "error"

    def _record(self, status: str, seconds: float, outputs: list) -> None:
        _record(
            self.config,
            cell=self.cell.id,
            status=status,
            seconds=round(seconds, 3),
            outputs=outputs,
        )
