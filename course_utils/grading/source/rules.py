"""Rules that the source notebook of an exercise keeps: nbgrader's schema 3, and our own."""

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode, validator

from course_utils.grading import syntax
from course_utils.grading.source import check_cells, marks
from course_utils.grading.submissions.learner_code import mentions

SCHEMA = {
    "grade": bool,
    "solution": bool,
    "locked": bool,
    "task": bool,
    "grade_id": str,
    "schema_version": int,
}
"""What nbgrader's metadata must hold, and of which type."""
OPTIONAL = {"points", "checksum", "cell_type"}
OWN = {"timeout_s", "objective"}
"""What our own metadata, ``metadata.course``, may hold: positive numbers."""
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def problems(notebook: NotebookNode) -> Iterator[str]:
    """List what is wrong with a source notebook.

    Parameters
    ----------
    notebook : NotebookNode
        As it is stored, in format 4.

    Yields
    ------
    str
        Half a sentence: which cell, what was found, what was expected.
    """
    yield from _format(notebook)
    for cell in notebook.cells:
        found = [*_metadata(cell), *_marks(cell), *_own(cell)]
        yield from (f"cell {cell.get('id')!r} {problem}" for problem in found)
    ids = [about(cell)["grade_id"] for cell in notebook.cells if about(cell).get("grade_id")]
    for name in sorted({each for each in ids if ids.count(each) > 1}, key=str):
        yield f"the grade_id {name!r} stands {ids.count(name)} times, expected each once"
    yield from _pairs(notebook)


def about(cell: NotebookNode) -> dict:
    """What nbgrader keeps in the metadata of a cell, empty where there is nothing."""
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, dict) else {}


def _format(notebook: NotebookNode) -> Iterator[str]:
    version = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    if version != (4, 5):
        yield f"the format is {version[0]}.{version[1]}, expected 4.5, which has cell ids"
    ids = [cell.get("id") for cell in notebook.cells]
    for name in sorted({each for each in ids if ids.count(each) > 1}, key=str):
        yield f"the cell id {name!r} stands {ids.count(name)} times, expected each once"
    for error in validator.iter_validate(notebook):  # validate() would rename duplicate ids
        yield f"the notebook is not valid ({error.message[:200]}), expected the schema of 4.5"


def _metadata(cell: NotebookNode) -> Iterator[str]:
    """The rules of nbgrader for one cell, and that it is one of the two kinds that a task has."""
    if "nbgrader" not in cell.metadata:
        return
    found = about(cell)
    for key, kind in SCHEMA.items():
        if type(found.get(key)) is not kind:
            yield f"has {key} {found.get(key)!r}, expected {kind.__name__} in metadata.nbgrader"
            return
    for key in sorted(found.keys() - SCHEMA.keys() - OPTIONAL):
        yield f"has {key!r} in metadata.nbgrader, which nbgrader removes, expected metadata.course"
    if found["schema_version"] != 3:
        yield f"has schema_version {found['schema_version']}, expected 3"
    if not _NAME.fullmatch(found["grade_id"]):
        yield f"has the grade_id {found['grade_id']!r}, expected words joined by '_'"
    if cell.get("id") != found["grade_id"].replace("_", "-"):
        yield f"has the grade_id {found['grade_id']!r}, expected its id with '_' for '-'"
    if cell.cell_type != "code" or found.get("cell_type", "code") != "code":
        yield f"is a {cell.cell_type} cell, expected code in a solution or a check"
    kind = (found["grade"], found["solution"], found["locked"], found["task"])
    if kind not in ((False, True, False, False), (True, False, True, False)):
        yield (
            "is neither a solution (solution only) nor a check (grade and locked), expected one of "
            "them in metadata.nbgrader"
        )
    yield from _points(found)


def _points(found: dict) -> Iterator[str]:
    points = found.get("points")
    is_number = isinstance(points, int | float) and not isinstance(points, bool) and points > 0
    if found["grade"] and not is_number:
        yield f"has the points {points!r}, expected a positive number"
    if not found["grade"] and points is not None:
        yield f"has the points {points!r}, expected none: the check has them"


def _marks(cell: NotebookNode) -> Iterator[str]:
    """Marks are balanced, and each kind stands only where nbgrader looks for it."""
    for kind, key in (("SOLUTION", "solution"), ("HIDDEN TESTS", "grade")):
        lines = [line.strip() for line in cell.source.split("\n")]
        lines = [line for line in lines if f"BEGIN {kind}" in line or f"END {kind}" in line]
        belongs, expected = bool(about(cell).get(key)), [f"### BEGIN {kind}", f"### END {kind}"]
        if lines and not belongs:
            yield f"has the mark {lines[0]!r}, expected it only in a cell with {key}: true"
        elif belongs and lines != expected and (lines or kind == "SOLUTION"):
            yield f"has the marks {lines}, expected {expected}, each once on a line of its own"


def _own(cell: NotebookNode) -> Iterator[str]:
    own = cell.metadata.get("course", {})
    if not isinstance(own, dict) or not own.keys() <= OWN:
        yield f"has {own!r} in metadata.course, expected {' and '.join(sorted(OWN))} only"
        return
    for key, value in own.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            yield f"has {key} {value!r} in metadata.course, expected a positive number"
    if about(cell) and cell.metadata.get("tags"):
        yield f"has the tags {list(cell.metadata.tags)}, expected none: nbval acts on some"


def _pairs(notebook: NotebookNode) -> Iterator[str]:
    """Each check right below its solution, and what it says about the task."""
    cells = [*notebook.cells, None]
    names = {each.id: learners_names(each) for each in notebook.cells if _is(each, "solution")}
    if not names:
        yield "there are no solution cells, expected at least one task"
    for above, cell in zip([None, *cells], cells, strict=False):
        if above is not None and _is(above, "solution") and not (cell and _is(cell, "grade")):
            yield f"cell {above.id!r} has no check right below it, expected one"
        if cell is not None and _is(cell, "grade"):
            if above is None or not _is(above, "solution"):
                yield f"cell {cell.get('id')!r} is a check with no solution above, expected one"
            else:
                found = _check(above, cell, names)
                yield from (f"cell {cell.get('id')!r} {problem}" for problem in found)


def _check(solution: NotebookNode, cell: NotebookNode, names: dict[str, set[str]]) -> Iterator[str]:
    name = about(solution).get("grade_id")
    if about(cell).get("grade_id") != f"{name}_check":
        yield f"has the grade_id {about(cell).get('grade_id')!r}, expected '{name}_check'"
    try:
        check = check_cells.read(cell.source)
        check_cells.read(marks.without_hidden_tests(cell.source))
    except check_cells.CheckCellError as error:
        yield str(error)
        return
    if check.name != name:
        yield f"has Task({check.name!r}), expected the grade_id above it, {name!r}"
    if check.points != about(cell).get("points"):
        yield f"has Task(points={check.points:g}), expected those of its metadata"
    if said := mentions(solution.source, check.without):
        yield f"is without {said[0]!r}, but the solution mentions it, expected that it does not"
    foreign = set().union(*(each for owner, each in names.items() if owner != solution.id))
    if taken := sorted((check.calls | check.others) & (foreign - names[solution.id])):
        yield f"uses {taken[0]!r} of another task, expected that one mistake costs one task"
    if taken := sorted(check.others & names[solution.id]):
        yield f"uses {taken[0]!r} outside the call of a check, expected the course's own there"


def learners_names(cell: NotebookNode) -> set[str]:
    """Functions, classes and variables that a solution cell defines at its top.

    Parameters
    ----------
    cell : NotebookNode
        A solution cell; one that is no Python defines nothing.
    """
    try:
        tree = syntax.tree(cell.source)
    except (SyntaxError, ValueError):
        return set()
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, defined)} | {
        each.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def _is(cell: NotebookNode, key: str) -> bool:
    return bool(about(cell).get(key))
