"""A check cell without its answers: what a learner's kernel gets when the judging is elsewhere."""

import ast
import json

from course_utils.grading import syntax

_CHECKS = ("that", "holds")
_FROM, _NAME = "course_utils.grading", "Task"


def only_calls(source: str, inputs: list[object]) -> str:
    """Take everything but the calls out of the checks of a cell.

    Of ``task.that(call, expected, says=..., hints=...)`` only ``task.that(call)`` is left, and
    ``Task`` becomes :class:`course_utils.grading.checks.recording.Recorder`. Comments go, too.

    Parameters
    ----------
    source : str
        A check cell of a source notebook.
    inputs : list
        What :meth:`course_utils.grading.judging.judge.Judge.inputs` gave for it.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is no Python, imports no ``Task``, or a check is anything but a statement of its own:
        then its result could not be left out.
    """
    try:
        tree = syntax.tree(source)
    except SyntaxError as error:
        raise ValueError(
            f"A check cell is no Python in line {error.lineno}: {error.msg}; mend the source."
        ) from error
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    imported = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == _FROM:
            imported += _replaced(node)
        elif is_check(node):
            if id(node) not in statements or not node.args:
                raise ValueError(
                    f"The check in line {node.lineno} of a check cell is part of something else or "
                    "has no call; expected task.that(call, ...) as a statement of its own."
                )
            given = any(keyword.arg == "given" for keyword in node.keywords)
            node.args = node.args[:1]
            node.keywords = [ast.keyword("given", ast.Constant(True))] if given else []
        elif inputs and isinstance(node, ast.Call) and _named(node.func, _NAME):
            node.keywords.append(ast.keyword("given", ast.Constant(json.dumps(inputs))))
    if imported != 1:
        raise ValueError(
            f"A check cell imports Task {imported} times; expected "
            f'"from {_FROM} import {_NAME}" once; mend the source.'
        )
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def is_check(node: ast.AST) -> bool:
    """Whether it is a call of ``task.that`` or ``task.holds``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _CHECKS
        and _named(node.func.value, "task")
    )


def _named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _replaced(node: ast.ImportFrom) -> int:
    """Let an import of Task bring the recorder under that name; how many it brought."""
    if [alias.name for alias in node.names] != [_NAME] or node.names[0].asname:
        return 0
    node.module = f"{_FROM}.checks.recording"
    node.names = [ast.alias(name="Recorder", asname=_NAME)]
    return 1
