"""Every listed mistake costs exactly its task, and is told what was written for it.

The learner's side of one exercise runs in one kernel, so that three seconds of starting it are
spent once and not for every mistake; the answers go through the same rewriting, recording and
judging as a submission's. All mistakes of lesson 01 go through the whole grader in
`test_a_class_of_100.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from course_utils.grading.checks import values
from course_utils.grading.judging.judge import Judge
from course_utils.grading.judging.kernel import Kernel
from course_utils.grading.source import exercises, mistakes
from course_utils.grading.source.exercises import Exercise
from course_utils.grading.submissions import rewriting

pytestmark = pytest.mark.slow
EXERCISES = exercises.find()
SECONDS = 60


class Desk:
    """A learner's kernel in which an exercise has been solved, and the judge beside it."""

    def __init__(self, exercise: Exercise, stack: ExitStack) -> None:
        self.exercise = exercise
        folder = exercise.path.parent
        self.judge = stack.enter_context(Judge(exercise.name, exercise.code, folder))
        self.kernel = stack.enter_context(Kernel(exercise.name, folder))
        self.checks = {
            task.name: rewriting.only_calls(task.check.source, self.judge.inputs(task.check.id))
            for task in exercise.tasks
        }
        for name, source in exercise.code:
            self.kernel.run(name, source, SECONDS)

    def points(self) -> tuple[dict[str, float], dict[str, list[str]]]:
        """Points and hints of all tasks, as the functions in the kernel are now."""
        points, hints = {}, {}
        for task in self.exercise.tasks:
            outputs = self.kernel.run(task.check.id, self.checks[task.name], SECONDS)
            (recorded,) = [data[values.MIME] for data in outputs if values.MIME in data]
            evidence = self.judge.judge(task.check.id, recorded["outcomes"])
            points[task.name] = evidence["points"]
            hints[task.name] = [check["hint"] for check in evidence["checks"]]
        return points, hints

    def write(self, task: str, source: str) -> None:
        """Run another solution cell."""
        self.kernel.run(task, source, SECONDS)


@pytest.fixture(scope="module", params=EXERCISES, ids=lambda exercise: exercise.name)
def desk(request) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(request.param, stack)


def test_each_mistake_costs_its_task_and_shows_its_hint(desk, capsys):
    listed = mistakes.read(desk.exercise)
    wrong, caught = [], 0
    for task in desk.exercise.tasks:
        for mistake in listed[task.name]:
            notebook = mistakes.placed(desk.exercise, task.name, mistake)
            (cell,) = [cell for cell in notebook.cells if cell.id == task.solution.id]
            desk.write(task.name, cell.source)
            points, hints = desk.points()
            expected = {one.name: one.points for one in desk.exercise.tasks} | {task.name: 0}
            if points != expected:
                wrong.append(f"{task.name}, {mistake.name}: gave {points}")
            elif not any(mistake.hint in hint for hint in hints[task.name]):
                wrong.append(f"{task.name}, {mistake.name}: was told {hints[task.name]}")
            else:
                caught += 1
        desk.write(task.name, task.solution.source)
    with capsys.disabled():
        print(
            f"\n{desk.exercise.name}: {caught} mistakes of {len(desk.exercise.tasks)} tasks caught"
        )
    assert not wrong
    assert caught >= 3 * len(desk.exercise.tasks)


def test_the_solution_has_all_points_again_and_again(desk):
    for _ in range(2):
        points, hints = desk.points()
        assert points == {task.name: task.points for task in desk.exercise.tasks}
        assert not any(hint for told in hints.values() for hint in told)
