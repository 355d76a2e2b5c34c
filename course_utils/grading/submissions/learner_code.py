"""What a learner's code says to others than Python: marks for nbval, and names it may not use."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

from IPython.core.inputtransformer2 import TransformerManager

from course_utils.grading import syntax

# A comment that is nothing but such a word tells nbval to skip the cell, or to expect its error.
_MARKER = re.compile(r"\b(NBVAL|PYTEST_VALIDATE)_(?=[A-Z])")
_LINE_OF_IPYTHON = re.compile(r"^[ \t]*[!%?/,;]|=[ \t]*[!%]|\?[ \t]*$", re.MULTILINE)
_MOST = {"characters": 5000, "lines": 20}
"""What IPython transforms in a second: for each line of its own it reads the whole cell again."""
NO_PYTHON = (SyntaxError, ValueError)
# Too deep for the parser here, which proves nothing about the learner's kernel.
_TOO_DEEP = (RecursionError, MemoryError, RuntimeError)


def without_markers(source: str) -> str:
    """Take nbval's markers out of the comments of a cell.

    Parameters
    ----------
    source : str
        A code cell.

    Returns
    -------
    str
        With the same lines; a marker is spelt with ``-`` for its first ``_``. In a string nothing
        changes, because that would change the program.
    """
    if not _MARKER.search(source):
        return source
    lines = source.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(source, newline="\n").readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                line = lines[row - 1]
                lines[row - 1] = line[:column] + _MARKER.sub(r"\1-", line[column:])
    except (*NO_PYTHON, tokenize.TokenError):
        lines = [
            _MARKER.sub(r"\1-", line) if line.lstrip().startswith("#") else line
            for line in source.split("\n")
        ]
    return "\n".join(lines)


def mentions(source: str, names: Iterable[str]) -> list[str]:
    """Find out which names a cell mentions.

    Parameters
    ----------
    source : str
        A code cell; it may hold magics.
    names : iterable of str
        Names to look for, such as ``"mfcc"`` or ``"librosa"``.

    Returns
    -------
    list of str
        Those that are read, set, imported or asked for as an attribute, or that stand as words in a
        string with a use. Comments and docstrings do not count. In a cell that is no Python nothing
        is found: it fails anyway.
    """
    try:
        text = "\n".join(_words(parsed(source)))
    except NO_PYTHON:
        return []
    except _TOO_DEEP:
        text = source
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def parsed(source: str) -> ast.Module:
    """The syntax tree of a cell.

    Parameters
    ----------
    source : str
        A code cell; magics become calls, as they do in a kernel.

    Raises
    ------
    SyntaxError, ValueError
        If it is no Python.
    RecursionError, MemoryError, RuntimeError
        If it is too deep or too long to tell.
    """
    try:
        return syntax.tree(source)
    except NO_PYTHON:
        found = {"characters": len(source), "lines": len(_LINE_OF_IPYTHON.findall(source))}
        if any(found[what] > most for what, most in _MOST.items()):
            raise RuntimeError("too long to look for magics") from None
        return syntax.tree(TransformerManager().transform_cell(source))


def _words(tree: ast.Module) -> Iterator[str]:
    """Everything in a cell that may name something."""
    idle = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module or ''}.{'.'.join(alias.name for alias in node.names)}"
        elif isinstance(node, ast.Import):
            yield ".".join(alias.name for alias in node.names)
        elif isinstance(node, ast.alias):
            yield node.asname or ""
        elif isinstance(node, ast.Constant) and id(node) not in idle:
            if isinstance(node.value, bytes):
                yield node.value.decode("latin-1")
            elif isinstance(node.value, str):
                yield node.value
