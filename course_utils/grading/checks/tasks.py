"""What a check cell calls: a task, its checks, and the score that the cell ends with.

The same check cell runs in three places. In a learner's notebook a check calls the learner's
function and says what is right. Under the grader the learner's kernel only records what the calls
give (:mod:`~course_utils.grading.checks.recording`), and another process, which no learner's code
has touched, makes the inputs before (:func:`only_inputs`) and after runs the cell with the recorded
values in place of the calls (:func:`replay`).
"""

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

from course_utils.grading.checks import comparing, values
from course_utils.grading.checks.scores import Check, Score

_CONCEALED = "Your code gives something else here; the values of this check stay hidden."
NOT_WRITTEN = "is not written yet."
Hints = Mapping[object, str] | Iterable[tuple[object, str]]

_replayed: list[dict] | None = None
_only_inputs = False


class Task:
    """Checks that together are worth some points.

    Parameters
    ----------
    name : str
        The ``grade_id`` of the cell in which the learner writes.
    points : float
        What it gives if every check is right; otherwise it gives nothing.
    without : iterable of str
        Names that the learner's cell may not mention, because they are the finished thing. The
        grader looks for them; a check in the notebook does not see the cell.
    """

    def __init__(self, name: str, points: float, without: Iterable[str] = ()) -> None:
        self.name = name
        self.points = float(points)
        self.without = tuple(without)
        self._checks: list[Check] = []
        self._concealed = False
        self._recorded = None if _replayed is None else iter(_replayed)
        self._inputs: list[object] | None = [] if _only_inputs else None

    def that(
        self,
        call: Callable[..., object],
        expected: object,
        *,
        says: str,
        hints: Hints = (),
        rtol: float = 1e-5,
        atol: float = 1e-8,
        given: Callable[[], Sequence[object]] | None = None,
    ) -> None:
        """Check that a call gives the expected value.

        Parameters
        ----------
        call : callable
            Takes nothing, gives the learner's value: numbers, text, arrays, lists and dictionaries
            of these. What it raises is told in a sentence.
        expected : object
            The right value, or a function of nothing that gives it.
        says : str
            What is asked, in a few words.
        hints : mapping or iterable of pairs
            Wrong values, or functions of nothing that give them, each with the sentence to show to
            the learner whose call gave just that. The first that fits is shown.
        rtol, atol : float
            Relative and absolute tolerance of numbers.
        given : callable, optional
            Gives what ``call`` takes, where that is made from the answer: the grader makes it
            elsewhere, so that a learner's code cannot look at how.
        """
        if self._inputs is not None:
            return self._keep(given)
        got, failed = self._outcome(call, given)
        if not failed:
            failed = comparing.difference(got, _plain(expected), rtol, atol)
            if failed:
                pairs = hints.items() if isinstance(hints, Mapping) else hints
                known = (say for wrong, say in pairs if _is(got, wrong, rtol, atol))
                failed = next(known, self._told("Your code " + failed))
        self._checks.append(Check(says, not failed, failed or ""))

    def holds(
        self,
        call: Callable[..., object],
        true_of: Callable[[object], bool],
        *,
        says: str,
        hints: Iterable[tuple[Callable[[object], bool], str]] = (),
        given: Callable[[], Sequence[object]] | None = None,
    ) -> None:
        """Check that a call gives a value that has a property, where more than one answer is right.

        Parameters
        ----------
        call : callable
            As in :meth:`that`. Tuples arrive as lists.
        true_of : callable
            Given the value, says whether it is right. An error in it counts as no.
        says : str
            What is asked, in a few words.
        hints : iterable of (callable, str)
            Functions of the value that know a mistake, each with the sentence to show.
        given : callable, optional
            As in :meth:`that`.
        """
        if self._inputs is not None:
            return self._keep(given)
        got, failed = self._outcome(call, given)
        if not failed and not _true(true_of, got):
            known = (say for mistaken, say in hints if _true(mistaken, got))
            gave = f"Your code gave {comparing.shown(got)}, of which this is not true."
            failed = next(known, self._told(gave))
        self._checks.append(Check(says, not failed, failed or ""))

    def conceal(self) -> None:
        """Say no expected values from here on, where the judge begins with hidden tests.

        Whoever could ask a hidden test for its answer would need no other.
        """
        self._concealed = True

    def _told(self, sentence: str) -> str:
        return _CONCEALED if self._concealed else sentence

    def score(self) -> "Score | Inputs":
        """The points, as the last line of the check cell.

        Returns
        -------
        Score
            Or the inputs, after :func:`only_inputs`.

        Raises
        ------
        ValueError
            If the task has no checks.
        """
        if self._inputs is not None:
            return Inputs(self._inputs)
        if not self._checks:
            raise ValueError(f"The task {self.name} has no checks; expected at least one.")
        if self._recorded is not None and next(self._recorded, None) is not None:
            more = "There are more answers than checks; whatever adds answers must go."
            self._checks.append(Check("one answer for each check", False, more))
        won = all(check.correct for check in self._checks)
        return Score(self.name, self.points if won else 0.0, self.points, tuple(self._checks))

    def _keep(self, given: Callable[[], Sequence[object]] | None) -> None:
        """Make the inputs of a check, for a call that is made elsewhere."""
        self._inputs += [] if given is None else [values.encode(given())]

    def _outcome(
        self, call: Callable[..., object], given: Callable[[], Sequence[object]] | None
    ) -> tuple[object, str]:
        """What the call gave, and a sentence if it gave nothing."""
        if self._recorded is None:
            outcome = observed(call, *([] if given is None else _plain(given)))
        else:
            outcome = next(self._recorded, {"failed": "was not reached."})
        if "failed" in outcome:
            return None, f"Your code {outcome['failed']}"
        try:
            return values.decode(outcome["value"]), ""
        except (KeyError, ValueError):
            return None, "The recorded answer cannot be read."


@dataclass(frozen=True)
class Inputs:
    """What the calls of a check cell take, written down for a kernel that only makes the calls."""

    written: list[object]

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        return {"text/plain": f"{len(self.written)} inputs", values.MIME: self.written}


def observed(call: Callable[..., object], *inputs: object) -> dict:
    """Make a call of a check, and write down what it gave or why it gave nothing.

    Parameters
    ----------
    call : callable
        Of a check.
    *inputs
        What it takes.

    Returns
    -------
    dict
        ``{"value": ...}`` as :func:`course_utils.grading.checks.values.encode` writes it, or
        ``{"failed": sentence}``.
    """
    try:
        # nbgrader takes all points from a check that writes to stderr, and a warning is no mistake.
        with warnings.catch_warnings(), redirect_stderr(sys.stdout):
            warnings.simplefilter("ignore")
            value = call(*inputs)
    except NotImplementedError:
        return {"failed": NOT_WRITTEN}
    except (Exception, SystemExit) as error:
        return {"failed": _told(error)}
    try:
        return {"value": values.encode(value)}
    except (TypeError, ValueError) as error:
        return {"failed": f"gave what cannot be checked: it {error}"}


def replay(path: str | os.PathLike[str] | None) -> None:
    """From now on take the values of checks from a file instead of making their calls.

    Parameters
    ----------
    path : path-like or None
        A JSON list of what :func:`observed` gives, in the order of the checks; None goes back to
        making the calls.
    """
    global _replayed
    _replayed = None
    if path is not None:
        # Whoever wrote it, each is a dictionary from here on.
        written = json.loads(Path(path).read_text(encoding="utf-8"))
        _replayed = [one if isinstance(one, dict) else {} for one in written]


def only_inputs(wanted: bool = True) -> None:
    """From now on let check cells make the inputs of their calls, and nothing else."""
    global _only_inputs
    _only_inputs = wanted


def _plain(value: object) -> object:
    """An expected or wrong value in the form in which a learner's arrives."""
    return values.decode(values.encode(value() if callable(value) else value))


def _is(got: object, wrong: object, rtol: float, atol: float) -> bool:
    """Whether it is that wrong value; a mistake that cannot be computed here is not it."""
    try:
        return comparing.equal(got, _plain(wrong), rtol, atol)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return False


def _true(said: Callable[[object], bool], got: object) -> bool:
    """Whether it is true of the value; the value may be of any kind and make the question fail."""
    try:
        return bool(said(got))
    except Exception:
        return False


def _told(error: BaseException) -> str:
    """An error in one sentence, with the learner's own line."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        # Files with these names hold the cells of a notebook.
        if ("ipykernel_" in frame.filename or frame.filename.startswith("<ipython-"))
        and frame.name != "<lambda>"
    ]
    where = f" in line {own[-1].lineno} of {own[-1].name}" if own else ""
    told = str(error).strip().splitlines()[:1]
    return f"raised {type(error).__name__}{where}" + (f": {told[0][:200]}" if told else ".")
