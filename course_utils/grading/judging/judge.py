"""The judge: a process that runs the source notebook, and checks what a learner's kernel recorded.

No learner's code ever runs here. The kernel first runs the whole source notebook, solutions
included; then it runs one check cell after the other with the recorded values in place of the
calls. So expected values, tolerances and hints never leave it.
"""

import json
import os
import threading
from collections.abc import Iterable

from course_utils.grading.checks import scores, values
from course_utils.grading.judging.kernel import CellError, Kernel
from course_utils.grading.source import marks

PREPARES = 300
"""Seconds that one cell of a source notebook may take."""
JUDGES = 60
"""Seconds for the checks of one task."""


class JudgeError(RuntimeError):
    """The source notebook does not run, or a check could not be made: no learner's doing."""


class Judge:
    """Checks recorded values against the source notebook of one exercise.

    Use it as a context; the kernel starts at the first judgement. Several threads may ask.

    Parameters
    ----------
    name : str
        Name of the exercise, for messages.
    cells : iterable of (str, str)
        Id and source of the code cells of the source notebook, in their order. Behind the mark of
        hidden tests no expected values are told.
    folder : path-like
        Where the notebook lies: its kernel's working folder.
    """

    def __init__(
        self, name: str, cells: Iterable[tuple[str, str]], folder: str | os.PathLike[str]
    ) -> None:
        self._name = name
        self._cells = {
            name: source.replace(marks.BEGIN_HIDDEN, f"task.conceal()  {marks.BEGIN_HIDDEN}")
            for name, source in cells
        }
        self._folder = folder
        self._kernel: Kernel | None = None
        self._lock = threading.Lock()
        self._inputs: dict[str, list] = {}

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *problem: object) -> None:
        with self._lock:
            self._stop()

    def prepare(self) -> None:
        """Run the source notebook, if that has not been done yet.

        Raises
        ------
        JudgeError
            If it does not run.
        """
        with self._lock:
            self._started()

    def inputs(self, check_cell: str) -> list:
        """What the calls of a check cell take, made where no learner's code can look.

        Parameters
        ----------
        check_cell : str
            Its id.

        Returns
        -------
        list
            Written as :func:`course_utils.grading.checks.values.encode` does it.

        Raises
        ------
        JudgeError
            As :meth:`judge`.
        """
        with self._lock:
            if check_cell not in self._inputs:
                self._inputs[check_cell] = self._checked(check_cell, _INPUTS, values.MIME)
        return self._inputs[check_cell]

    def judge(self, check_cell: str, outcomes: list[dict]) -> dict:
        """Run the checks of one task on recorded values.

        Parameters
        ----------
        check_cell : str
            Id of the check cell.
        outcomes : list of dict
            What :class:`course_utils.grading.checks.recording.Recorder` wrote down.

        Returns
        -------
        dict
            The evidence of :class:`course_utils.grading.Score`.

        Raises
        ------
        JudgeError
            If the source notebook fails, or the check cell gives no score.
        """
        with self._lock:
            recorded = self._started().scratch / "recorded.json"
            recorded.write_text(json.dumps(outcomes), encoding="utf-8")
            return self._checked(check_cell, _REPLAY.format(path=str(recorded)), scores.MIME)

    def _checked(self, check_cell: str, before: str, mime: str) -> object:
        """Run a check cell after what says how it is to run; its one output of that type."""
        try:
            kernel = self._started()
            kernel.run("before", before, JUDGES)
            given = kernel.run(check_cell, self._cells[check_cell], JUDGES)
        except CellError as error:
            # Whatever state it is in now, the next judgement begins afresh.
            self._stop()
            raise JudgeError(str(error)) from error
        found = [data[mime] for data in given if mime in data]
        if len(found) != 1:
            raise JudgeError(
                f"The check cell {check_cell} of {self._name} gave {len(found)} scores; expected "
                "one from task.score() in its last line; mend the source notebook."
            )
        return found[0]

    def _started(self) -> Kernel:
        if self._kernel is None:
            try:
                self._kernel = Kernel(self._name, self._folder).__enter__()
                for name, source in self._cells.items():
                    self._kernel.run(name, source, PREPARES)
            except RuntimeError as error:
                self._stop()
                raise JudgeError(str(error)) from error
        return self._kernel

    def _stop(self) -> None:
        if self._kernel is not None:
            self._kernel.__exit__()
        self._kernel = None


# Each says all of how the next check cell is to run, whatever was said before.
_TASKS = "from course_utils.grading.checks import tasks as _tasks; "
_INPUTS = _TASKS + "_tasks.only_inputs()"
_REPLAY = _TASKS + "_tasks.only_inputs(False); _tasks.replay({path!r})"
