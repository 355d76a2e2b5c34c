"""What stands in place of a task in a learner's kernel when the judging is done elsewhere.

It makes the calls of a check cell and writes down what they gave. It knows neither what is expected
nor which mistakes have a hint: the grader takes both out of the cell before it reaches the kernel.
"""

import json
from collections.abc import Callable, Iterable

from course_utils.grading.checks import values
from course_utils.grading.checks.tasks import observed


class Recorded:
    """What the calls of one check cell gave; its output is of the type ``values.MIME``."""

    def __init__(self, task: str, outcomes: list[dict]) -> None:
        self.task = task
        self.outcomes = outcomes

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        return {
            "text/plain": f"{len(self.outcomes)} answers recorded",
            values.MIME: {"task": self.task, "outcomes": self.outcomes},
        }


class Recorder:
    """Has the methods of :class:`course_utils.grading.Task`, and only takes down what calls give.

    Parameters
    ----------
    name : str
        Name of the task.
    points, without
        Not used; they stand in the cell.
    given : str
        What calls take that were given something to take, in their order, as JSON.
    """

    def __init__(
        self, name: str, points: float, without: Iterable[str] = (), given: str = "[]"
    ) -> None:
        self.name = name
        self._given = iter(json.loads(given))
        self._outcomes: list[dict] = []
        self._written = 0

    def that(self, call: Callable[..., object], given: bool = False) -> None:
        """Make the call and write down what it gave, as long as all of it fits."""
        outcome = observed(call, *(values.decode(next(self._given)) if given else ()))
        self._written += len(json.dumps(outcome))
        if self._written > values.LARGEST:
            outcome = {"failed": "gave more than a check can hold; expected a smaller value."}
        self._outcomes.append(outcome)

    holds = that

    def score(self) -> Recorded:
        """All that was written down."""
        return Recorded(self.name, self._outcomes)
