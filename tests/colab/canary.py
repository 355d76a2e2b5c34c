"""Whether every attribute of a library that the notebooks use is there, in whatever environment.

    python canary.py NOTEBOOK...        says what is missing; exit status 1 if anything is
    python canary.py --list NOTEBOOK... lists what is used

Needs nothing but Python and the libraries that are asked for, because it runs where a hosted
notebook runs, too.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path


def main(arguments: list[str]) -> int:
    listing = "--list" in arguments
    paths = [Path(argument) for argument in arguments if argument != "--list"]
    names = sorted({name for path in paths for name in used(path)})
    missing = names if listing else [name for name in names if not is_there(name)]
    print(*missing, sep="\n")
    return 0 if listing or not missing else 1


def used(path: Path) -> Iterator[str]:
    """Dotted names that a notebook takes from imported modules, such as ``numpy.fft.rfft``."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    trees = [tree for tree in map(parsed, sources) if tree is not None]
    bound: dict[str, str] = {}
    for tree in trees:
        for name, target in imports(tree):
            yield target
            bound[name] = target
    # What a cell assigns is the lesson's own, whatever was imported under that name.
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.pop(node.id, None)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and (name := dotted(node)):
                root, _, rest = name.partition(".")
                if root in bound:
                    yield f"{bound[root]}.{rest}"


def parsed(source: str) -> ast.Module | None:
    """The cell's syntax tree, without its lines for IPython; None if nothing is left of it."""
    lines = source.split("\n")
    kept = ["pass" if line.lstrip()[:1] in ("%", "!") else line for line in lines]
    indents = [line[: len(line) - len(line.lstrip())] for line in lines]
    try:
        return ast.parse("\n".join(i + k.lstrip() for i, k in zip(indents, kept, strict=True)))
    except SyntaxError:
        return None


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that import statements bind, with what they stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, whole


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of such an expression, empty for any other."""
    if isinstance(node, ast.Name):
        return node.id
    before = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if before else ""


def is_there(name: str) -> bool:
    """Whether a dotted name leads to something: modules as far as there are, then attributes."""
    parts = name.split(".")
    found, at = None, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(len(parts), 0, -1):
            try:
                found, at = importlib.import_module(".".join(parts[:number])), number
                break
            except ImportError:
                continue
        for part in parts[at:]:
            # What a value of a module offers is its own affair.
            if at == 0 or not hasattr(found, part):
                return False
            found = getattr(found, part)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
