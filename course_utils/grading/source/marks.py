"""The marks in source notebooks: what nbgrader takes out of the cells that a learner gets."""

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
"""What nbgrader writes in place of a solution."""


def with_solution(source: str, lines: list[str]) -> str:
    """Put lines in place of a solution and its marks.

    Parameters
    ----------
    source : str
        A solution cell of a source notebook.
    lines : list of str
        Lines with their indentation.

    Returns
    -------
    str
    """
    return _replaced(source, BEGIN_SOLUTION, END_SOLUTION, lines)


def marked(source: str) -> str:
    """Put the marks of a solution around the stub of a released cell.

    Parameters
    ----------
    source : str
        A solution cell of a released notebook.

    Returns
    -------
    str
        A solution cell of a source notebook, solved by nothing.
    """
    found = []
    for line in source.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        found += [indent + BEGIN_SOLUTION] if line.strip() == STUB[0] else []
        found.append(line)
        found += [indent + END_SOLUTION] if line.strip() == STUB[-1] else []
    return "\n".join(found)


def stub(source: str) -> str:
    """A solution cell as nbgrader releases it.

    Parameters
    ----------
    source : str
        A solution cell of a source notebook.

    Returns
    -------
    str
    """
    begin = next(line for line in source.split("\n") if line.strip() == BEGIN_SOLUTION)
    indent = begin[: -len(begin.lstrip())]
    return with_solution(source, [indent + line for line in STUB])


def solution(source: str) -> list[str]:
    """The lines between the marks of a solution cell."""
    lines = source.split("\n")
    places = [line.strip() for line in lines]
    return lines[places.index(BEGIN_SOLUTION) + 1 : places.index(END_SOLUTION)]


def without_hidden_tests(source: str) -> str:
    """A check cell as nbgrader releases it; one without hidden tests stays as it is."""
    return _replaced(source, BEGIN_HIDDEN, END_HIDDEN, [])


def _replaced(source: str, begin: str, end: str, lines: list[str]) -> str:
    kept: list[str] = []
    inside = False
    for line in source.split("\n"):
        if line.strip() == begin:
            inside = True
            kept += lines
        elif line.strip() == end:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)
