"""The syntax tree of a piece of Python, from any thread."""

import ast
import threading

# Before Python 3.11.8 and 3.12.2 all threads count the depth of the trees that they build in one
# place. Where the interpreter changes threads in between, ast.parse may end in "SystemError: AST
# constructor recursion depth mismatch" (gh-106905), and submissions are graded in threads.
_ONE_AT_A_TIME = threading.Lock()


def tree(source: str) -> ast.Module:
    """Parse Python.

    Parameters
    ----------
    source : str
        Statements.

    Raises
    ------
    SyntaxError, ValueError
        If it is no Python.
    RecursionError, MemoryError
        If it is too deep.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(source)
