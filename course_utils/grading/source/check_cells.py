"""What a check cell says, read from its syntax tree, and whether it keeps the rules.

The rules hold because of who runs a check cell. A learner's kernel gets only its statements and the
first argument of each check (:mod:`~course_utils.grading.submissions.rewriting`), so whatever else
a statement computes, a learner's function could find there.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from course_utils.grading import syntax
from course_utils.grading.submissions.rewriting import is_check

_ARGUMENTS = ("name", "points", "without")


class CheckCellError(ValueError):
    """A check cell does not keep the rules; the message says what was found and expected."""


@dataclass(frozen=True)
class CheckCell:
    """What a check cell says about its task.

    Attributes
    ----------
    name : str
        The task.
    points : float
        What it gives.
    without : tuple of str
        Names that the learner's cell may not mention.
    hints : tuple of str
        The sentences written in the ``hints`` of its checks.
    calls, others : frozenset of str
        Names that are read where the learner's value is computed, and everywhere else.
    """

    name: str
    points: float
    without: tuple[str, ...]
    hints: tuple[str, ...]
    calls: frozenset[str]
    others: frozenset[str]


def read(source: str) -> CheckCell:
    """Read a check cell.

    Parameters
    ----------
    source : str
        The cell, with or without its hidden tests.

    Returns
    -------
    CheckCell

    Raises
    ------
    CheckCellError
        If it is no Python or breaks a rule: one ``task = Task(name, points)``; every check and the
        closing ``task.score()`` a statement of its own, at the top or in a ``for`` that is not left
        early; each check with a call that is a lambda, what is expected, and ``says``; no expected
        value computed in a statement of its own.
    """
    try:
        tree = syntax.tree(source)
    except (SyntaxError, ValueError) as error:
        raise CheckCellError(f"is no Python ({error}), expected statements") from error
    name, points, without = _task(tree)
    checks = list(_checks(tree))
    for check in checks:
        _one_check(check)
    calls = _read_names(check.args[0] for check in checks)
    sentences = [node for check in checks for node in _sentences(check)]
    told = {id(node) for sentence in sentences for node in ast.walk(sentence)}
    given = [node for check in checks for node in (*check.args[1:], *check.keywords)]
    given = [node for each in given for node in ast.walk(each) if id(node) not in told]
    _nothing_leaks(tree, calls, frozenset(node.id for node in given if _is_name(node)))
    first = {id(node) for check in checks for node in ast.walk(check.args[0])}
    others = _read_names(
        node for node in ast.walk(tree) if id(node) not in first and _is_name(node)
    )
    return CheckCell(name, points, without, tuple(_texts(tree, sentences)), calls, others)


def _task(tree: ast.Module) -> tuple[str, float, tuple[str, ...]]:
    """The arguments of the one ``task = Task(...)``."""
    made = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and [ast.unparse(target) for target in node.targets] == ["task"]
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "Task"
    ]
    stored = [node for node in ast.walk(tree) if _is_name(node, "task", ast.Store)]
    if len(made) != 1 or len(stored) != 1:
        raise CheckCellError(f"sets task {len(stored)} times, expected task = Task(...) once")
    (call,) = made
    said = dict(zip(_ARGUMENTS, call.args, strict=False))
    said |= {keyword.arg or "**": keyword.value for keyword in call.keywords}
    try:
        values = {name: ast.literal_eval(node) for name, node in said.items()}
        name, points, without = values["name"], values["points"], values.get("without", ())
        fits = isinstance(name, str) and isinstance(points, int | float) and points > 0
        fits = (
            fits and isinstance(without, tuple) and all(isinstance(each, str) for each in without)
        )
    except (KeyError, ValueError):
        fits = False
    if not fits or not values.keys() <= set(_ARGUMENTS) or len(call.args) > len(_ARGUMENTS):
        raise CheckCellError(
            f"has {ast.unparse(call)}, expected Task(name, points=..., without=(...)) in literals"
        )
    return name, float(points), without


def _checks(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls of checks, all of which are statements that run whatever came before."""
    statements = list(_statements(tree.body))
    *before, last = [node for node in statements if _calls(node)] or [tree]
    if last is not tree.body[-1] or _calls(last) != "score":
        raise CheckCellError("does not end with task.score(), expected that as its last line")
    uses = sum(_is_name(node, "task", ast.Load) for node in ast.walk(tree))
    if uses != len(before) + 1 or any(_calls(node) == "score" for node in before):
        raise CheckCellError(
            "uses task within another statement, expected task.that(...), task.holds(...) and one "
            "task.score() as statements of their own, at the top or in a for"
        )
    if not before:
        raise CheckCellError("has no checks, expected task.that(...) or task.holds(...)")
    yield from (node.value for node in before)


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that a check may be: those of the cell and of its loops."""
    for node in body:
        yield node
        if isinstance(node, ast.For):
            yield from _statements(node.body)
            inner = list(ast.walk(node))
            if any(is_check(each) for each in inner) and (
                node.orelse or any(isinstance(each, ast.Break | ast.Continue) for each in inner)
            ):
                raise CheckCellError("leaves a loop early, expected no break, continue or else")


def _calls(node: ast.AST) -> str:
    """Which method of ``task`` a statement calls, if any."""
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and (is_check(call) or ast.unparse(call) == "task.score()"):
        return call.func.attr
    return ""


def _one_check(check: ast.Call) -> None:
    """Raise unless a check has the three things that it needs."""
    if len(check.args) != 2 or any(isinstance(each, ast.Starred) for each in check.args):
        raise CheckCellError(
            f"has a check with {len(check.args)} values in line {check.lineno}, expected two: the "
            "call, and what is right"
        )
    call = check.args[0]
    named = [keyword.arg for keyword in check.keywords]
    takes = len(call.args.args) - len(call.args.defaults) if isinstance(call, ast.Lambda) else -1
    if (takes > 0) != ("given" in named) or takes < 0:
        raise CheckCellError(
            f"has the call {ast.unparse(call)[:40]!r} in line {check.lineno}, expected a lambda "
            "that takes nothing, or what given= makes"
        )
    if "says" not in named:
        raise CheckCellError(f"has a check without says= in line {check.lineno}, expected it")


def _nothing_leaks(tree: ast.Module, calls: frozenset[str], given: frozenset[str]) -> None:
    """Raise if a statement sets what only the judge needs: learner's code could find it."""
    bound = [(_stored(node), _read_names(_sources(node))) for node in ast.walk(tree)]
    bound = [(names, sources) for names, sources in bound if names]
    needed, more = set(calls), True
    while more:
        found = {name for names, sources in bound if names & needed for name in sources}
        more, needed = not found <= needed, needed | found
    leaked = sorted(given & {name for names, _ in bound for name in names} - needed)
    if leaked:
        raise CheckCellError(
            f"sets {leaked[0]!r} in a statement of its own though only what is expected needs it, "
            "expected it inside a lambda of the check: a learner's code could look it up"
        )


def _stored(node: ast.AST) -> set[str]:
    """Names that a statement sets; imports aside, which say nothing about a task."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.NamedExpr):
        targets = [node.target]
    elif isinstance(node, ast.withitem):
        targets = [node.optional_vars] if node.optional_vars else []
    return {each.id for target in targets for each in ast.walk(target) if _is_name(each)}


def _sources(node: ast.AST) -> list[ast.AST]:
    """What a statement computes the names that it sets from."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node]
    if isinstance(node, ast.For):
        return [node.iter]
    found = getattr(node, "value", None) or getattr(node, "context_expr", None)
    return [found] if isinstance(found, ast.AST) else []


def _sentences(check: ast.Call) -> list[ast.AST]:
    """The parts of a check's hints that are shown; of hints made elsewhere all."""
    for keyword in check.keywords:
        if keyword.arg == "hints" and isinstance(keyword.value, ast.Dict):
            return list(keyword.value.values)
        if keyword.arg == "hints" and isinstance(keyword.value, ast.List | ast.Tuple):
            pairs = [each for each in keyword.value.elts if isinstance(each, ast.Tuple)]
            return [pair.elts[-1] for pair in pairs if pair.elts]
        if keyword.arg == "hints":
            return [keyword.value]
    return []


def _texts(tree: ast.Module, sentences: Iterable[ast.AST]) -> Iterator[str]:
    """What hints say; of an f-string its fixed parts, of a name what a statement sets it to."""
    named = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and _is_name(node.targets[0])
    }
    for sentence in sentences:
        for node in ast.walk(named.get(getattr(sentence, "id", ""), sentence)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _is_name(node: ast.AST, name: str = "", context: type = ast.expr_context) -> bool:
    """Whether it is a name, or that one, read or set as asked."""
    return isinstance(node, ast.Name) and name in ("", node.id) and isinstance(node.ctx, context)


def _read_names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Names that are read somewhere in syntax trees."""
    found = (each for node in nodes for each in ast.walk(node))
    return frozenset(each.id for each in found if _is_name(each, context=ast.Load))
