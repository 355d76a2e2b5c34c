"""The craft rules of exercises that a program can check, over every source notebook.

The first half goes over the notebooks of the course. The second holds each rule to finding what it
is there for, in a small exercise that is broken in one place at a time.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import run_notebooks
import small_exercise
from nbformat import NotebookNode

from course_utils.grading.source import exercises, marks, mistakes, rules
from course_utils.grading.source.exercises import Exercise

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {path.stem: path for path in sorted(ROOT.glob("notebooks/solutions/[0-9]*_*.ipynb"))}
POINTS, TASKS = 10, 4
CODE_LINES, HIDDEN_LINES, TEXT_WORDS = 15, 30, 120
HINT = re.compile(
    r"<details><summary>Hint (\d)</summary>\n(.*?)</details>", re.DOTALL | re.IGNORECASE
)
HEADING = re.compile(r"## Task (\d+) · \S.*\((\d+) points?\)\n\n\S")

Rule = Callable[[Exercise], Iterator[str]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


def words(text: str) -> int:
    left_out = r"```.*?```|\$\$.*?\$\$|<[^>]+>|\|.*\|"
    found = re.sub(left_out, " ", text, flags=re.DOTALL).split()
    return sum(1 for word in found if re.search(r"\w", word))  # not the marks of headings and lists


def lines(source: str) -> list[str]:
    """Lines that are neither blank nor a comment."""
    found = [line.strip() for line in source.split("\n")]
    return [line for line in found if line and not line.startswith("#")]


def task_texts(exercise: Exercise) -> dict[str, str]:
    """The text of each task; given code may stand between it and the solution cell."""
    texts = {cell.id: cell.source for cell in exercise.notebook.cells}
    return {task.name: texts.get(f"{task.solution.id}-task", "") for task in exercise.tasks}


@rule
def it_has_its_points(exercise: Exercise) -> Iterator[str]:
    points = [task.points for task in exercise.tasks]
    if sum(points) != POINTS:
        yield f"{sum(points):g} points, expected {POINTS}"
    if len(points) < TASKS:
        yield f"{len(points)} tasks, expected at least {TASKS}"
    if points[0] > 2 or max(points) < 4:
        yield f"tasks of {points} points, expected a first of 1 or 2 and one of 4"


@rule
def it_opens_and_closes_as_exercises_do(exercise: Exercise) -> Iterator[str]:
    first, second, third, *_, last = exercise.notebook.cells
    if not re.match(rf"# {exercise.name[:2]} · Exercises: \S.*\n\n\S", first.source):
        yield f"begins {first.source[:40]!r}, expected '# NN · Exercises: topic' and a paragraph"
    for word in ("minutes", "points", f"lesson {exercise.name[:2]}"):
        if word not in first.source.lower():
            yield f"the first cell does not say {word!r}"
    if second.id != "how-it-works" or f"exercises/{exercise.name}.ipynb\n" not in second.source:
        yield f"the second cell is {second.id!r}, expected 'how-it-works' with its own name"
    if third.id != "set-up":
        yield f"the third cell is {third.id!r}, expected 'set-up'"
    if last.id != "recap" or not re.match(r"## \S.*\n\n\S", last.source):
        yield f"the last cell is {last.id!r}, expected the recap"


@rule
def each_task_says_what_it_is_for(exercise: Exercise) -> Iterator[str]:
    for number, task in enumerate(exercise.tasks, start=1):
        text = task_texts(exercise)[task.name]
        heading = HEADING.match(text)
        if not heading or [int(each) for each in heading.groups()] != [number, task.points]:
            expected = f"expected Task {number} with {task.points:g} points"
            yield f"{task.name}: begins {text[:40]!r}, {expected}"
        if [each for each, _ in HINT.findall(text)] != ["1", "2"]:
            yield f"{task.name}: hints {[each for each, _ in HINT.findall(text)]}, expected 1 and 2"
        if (count := words(HINT.sub("", text))) > TEXT_WORDS:
            yield f"{task.name}: {count} words outside the hints, expected at most {TEXT_WORDS}"


@rule
def no_text_gives_the_code_away(exercise: Exercise) -> Iterator[str]:
    for task in exercise.tasks:
        own = lines("\n".join(marks.solution(task.solution.source)))
        said = [line for line in own if line in task_texts(exercise)[task.name]]
        if 2 * len(said) > len(own):
            yield f"{task.name}: the text has {len(said)} of {len(own)} lines of the solution"


@rule
def a_function_says_what_it_takes_and_gives(exercise: Exercise) -> Iterator[str]:
    for task in exercise.tasks:
        for node in ast.parse(marks.stub(task.solution.source)).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if node.returns is None or any(each.annotation is None for each in given):
                yield f"{task.name}: {node.name} lacks type hints"
            if not ast.get_docstring(node):
                yield f"{task.name}: {node.name} has no docstring"


@rule
def cells_are_short_enough(exercise: Exercise) -> Iterator[str]:
    texts = task_texts(exercise).values()
    for cell in exercise.notebook.cells:
        count, most = words(cell.source), TEXT_WORDS
        if cell.cell_type == "code":
            count, most = len(lines(cell.source)), CODE_LINES
            if marks.BEGIN_HIDDEN in cell.source:
                most = HIDDEN_LINES
        elif cell.source in texts or cell.id == "how-it-works":
            continue
        if count > most:
            yield f"{cell.id}: {count} lines or words, expected at most {most}"


@rule
def each_check_has_hidden_tests(exercise: Exercise) -> Iterator[str]:
    for task in exercise.tasks:
        if marks.without_hidden_tests(task.check.source) == task.check.source:
            yield f"{task.name}: no hidden tests"


@rule
def ids_can_be_read(exercise: Exercise) -> Iterator[str]:
    for cell in exercise.notebook.cells:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id) or cell.id[-4:].isdigit():
            yield f"id {cell.id!r}, expected words such as 'mel-figure'"


@rule
def nothing_is_stored(exercise: Exercise) -> Iterator[str]:
    for cell in exercise.notebook.cells:
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield f"{cell.id}: has outputs or a number, expected a notebook that was not run"


@rule
def no_path_of_a_machine_is_named(exercise: Exercise) -> Iterator[str]:
    for cell in exercise.notebook.cells:
        if found := run_notebooks.ANYONES_PATH.search(cell.source):
            yield f"{cell.id}: {found[0]!r}"


@rule
def objectives_are_those_of_the_lesson(exercise: Exercise) -> Iterator[str]:
    for task in exercise.tasks:
        if task.objective is not None and task.objective not in (1, 2, 3, 4):
            yield f"{task.name}: objective {task.objective}, expected one of 1 to 4"


# The exercises of the course.

needs_sources = pytest.mark.skipif(not SOURCES, reason="notebooks/solutions/ is not there")


@pytest.fixture(scope="module")
def read() -> dict[str, Exercise]:
    return {}


@pytest.mark.parametrize("check", RULES, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SOURCES)
def test_an_exercise_keeps_the_rule(read, name, check):
    exercise = read.setdefault(name, exercises.read(SOURCES[name]))
    problems = list(check(exercise))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", SOURCES)
def test_an_exercise_has_its_mistakes(name):
    exercise = exercises.read(SOURCES[name])
    assert mistakes.read(exercise).keys() == {task.name for task in exercise.tasks}


@pytest.mark.parametrize("name", SOURCES)
def test_an_exercise_is_set_up_as_its_lesson(name):
    lesson = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    exercise = nbformat.read(SOURCES[name], as_version=4)
    sources = [
        next(cell.source for cell in notebook.cells if cell.id == "set-up")
        for notebook in (lesson, exercise)
    ]
    assert sources[0] == sources[1]


@needs_sources
def test_all_exercises_explain_themselves_alike():
    texts = {
        exercises.read(path).notebook.cells[1].source.replace(name, "NN_topic")
        for name, path in SOURCES.items()
    }
    assert len(texts) == 1


@needs_sources
def test_every_lesson_from_01_on_has_an_exercise():
    lessons = {path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    assert set(SOURCES) == {name for name in lessons if name[:2] != "00"}


# The rules themselves.


def hints(first: str = "Think.", second: str = "Think more.") -> str:
    return "".join(
        f"\n\n<details><summary>Hint {number}</summary>\n\n{text}\n\n</details>"
        for number, text in ((1, first), (2, second))
    )


@pytest.fixture
def good() -> NotebookNode:
    """An exercise that keeps every rule."""
    made = small_exercise.notebook()
    title, set_up, *tasks, recap = made.cells
    title.source = "# 42 · Exercises: echoes\n\nOn lesson 42. Ten minutes, 10 points."
    how = small_exercise.text("how-it-works", f"notebooks/exercises/{small_exercise.NAME}.ipynb\n")
    cells = []
    for number, (first, points) in enumerate([("a", 2), ("b", 2), ("c", 2), ("d", 4)], start=1):
        for cell in copy.deepcopy(tasks[:3]):
            cell.id = cell.id.replace("frame-count", f"{first}-frame-count")
            cell.source = cell.source.replace("frame_count", f"{first}_frame_count")
            if "nbgrader" in cell.metadata:
                cell.metadata.nbgrader.grade_id = cell.id.replace("-", "_")
            if "points" in cell.metadata.get("nbgrader", {}):
                cell.metadata.nbgrader.points = points
                cell.source = cell.source.replace("points=2", f"points={points}")
            if cell.cell_type == "markdown":
                cell.source = f"## Task {number} · Count ({points} points)\n\nCount." + hints()
            cells.append(cell)
    made.cells = [title, how, set_up, *cells, recap]
    return made


def broken_rules(folder: Path, notebook: NotebookNode) -> set[str]:
    exercise = exercises.read(small_exercise.write(folder, notebook))
    return {check.__name__ for check in RULES if list(check(exercise))}


def test_a_good_exercise_passes(tmp_path, good):
    assert broken_rules(tmp_path, good) == set()


def put(name: str, **changes: object) -> Callable[[NotebookNode], object]:
    return lambda notebook: found(notebook, name).update(changes)


def replace(name: str, old: str, new: str) -> Callable[[NotebookNode], object]:
    def change(notebook: NotebookNode) -> None:
        cell = found(notebook, name)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def found(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(each for each in notebook.cells if each.id == name)


def more(name: str) -> Callable[[NotebookNode], object]:
    """Add a cell."""
    return lambda notebook: notebook.cells.insert(3, small_exercise.code(name, "x = 1"))


def worth(points: float) -> Callable[[NotebookNode], object]:
    """Give the last task other points, everywhere."""

    def change(notebook: NotebookNode) -> None:
        found(notebook, "d-frame-count-check").metadata.nbgrader.points = points
        replace("d-frame-count-check", "points=4", f"points={points}")(notebook)
        replace("d-frame-count-task", "(4 points", f"({points} points")(notebook)

    return change


def without_last_task(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if not cell.id.startswith("d-")]


A = "a-frame-count"


@pytest.mark.parametrize(
    ("change", "found_by"),
    [
        (worth(5), "it_has_its_points"),
        (without_last_task, "it_has_its_points"),
        (replace("title", "42", "41"), "it_opens_and_closes_as_exercises_do"),
        (replace("title", "Ten minutes, ", ""), "it_opens_and_closes_as_exercises_do"),
        (replace("how-it-works", "42_echoes", "41"), "it_opens_and_closes_as_exercises_do"),
        (put("set-up", id="begin"), "it_opens_and_closes_as_exercises_do"),
        (replace("recap", "## ", ""), "it_opens_and_closes_as_exercises_do"),
        (replace(f"{A}-task", "Task 1", "Task 2"), "each_task_says_what_it_is_for"),
        (replace(f"{A}-task", "2 points", "3 points"), "each_task_says_what_it_is_for"),
        (replace(f"{A}-task", "Hint 2", "Hint 3"), "each_task_says_what_it_is_for"),
        (replace(f"{A}-task", "Count.", "word " * 121), "each_task_says_what_it_is_for"),
        (
            replace(
                f"{A}-task", "Think.", "hops = (n_samples - window) // stride\nreturn 1 + hops"
            ),
            "no_text_gives_the_code_away",
        ),
        (replace(A, "stride: int", "stride"), "a_function_says_what_it_takes_and_gives"),
        (replace(A, " -> int", ""), "a_function_says_what_it_takes_and_gives"),
        (
            replace(A, '"""Number of frames."""\n', "\n"),
            "a_function_says_what_it_takes_and_gives",
        ),
        (replace("set-up", "import", "x = 1\n" * 15 + "import"), "cells_are_short_enough"),
        (replace("recap", "Counted", "word " * 120), "cells_are_short_enough"),
        (replace(A, "    hops", "    a = 1\n" * 12 + "    hops"), "cells_are_short_enough"),
        (
            replace(f"{A}-check", marks.BEGIN_HIDDEN, "x = 1\n" * 30 + marks.BEGIN_HIDDEN),
            "cells_are_short_enough",
        ),
        (
            lambda notebook: put(
                f"{A}-check",
                source=marks.without_hidden_tests(found(notebook, f"{A}-check").source),
            )(notebook),
            "each_check_has_hidden_tests",
        ),
        (more("Mel_2"), "ids_can_be_read"),
        (more("cell-1234"), "ids_can_be_read"),
        (put(f"{A}-task", id="count"), "each_task_says_what_it_is_for"),
        (put("set-up", execution_count=1), "nothing_is_stored"),
        (
            put("set-up", outputs=[nbformat.v4.new_output("stream", text="a")]),
            "nothing_is_stored",
        ),
        (replace("set-up", "import", "# /home/me/x\nimport"), "no_path_of_a_machine_is_named"),
        (
            lambda notebook: found(notebook, A).metadata.course.update(objective=5),
            "objectives_are_those_of_the_lesson",
        ),
    ],
)
def test_a_broken_rule_is_found_and_no_other_complains(tmp_path, good, change, found_by):
    change(good)
    assert broken_rules(tmp_path, good) == {found_by}


def test_a_task_that_is_no_function_needs_no_type_hints(tmp_path, good):
    put(A, source="rate = (\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION\n)")(good)
    check = found(good, f"{A}-check")
    check.source = check.source.replace("a_frame_count(16000, 480, 160)", "rate")
    check.source = check.source.replace("a_frame_count(samples, 480, 160)", "rate")
    assert rules.learners_names(found(good, A)) == {"rate"}
    with pytest.raises(SyntaxError):
        ast.parse(marks.stub(found(good, A).source))
