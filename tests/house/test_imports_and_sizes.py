"""Which modules load what, and how big they are."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FRAMEWORKS = {"tensorflow": {"tensorflow", "keras", "tf_keras"}, "torch": {"torch", "torchaudio"}}
MODULE_LINES, FUNCTION_LINES = 320, 45  # hard limits; the aims are 300 and 30
PACKAGE = Path(__file__).resolve().parents[2] / "course_utils"
MODULES = sorted(PACKAGE.rglob("*.py"))


def named(path: Path) -> object:
    return pytest.param(path, id=path.relative_to(PACKAGE.parent).as_posix())


def frameworks_of(tree: ast.AST) -> set[str]:
    """Return the frameworks that a module imports anywhere, inside functions, too."""
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            roots.add((node.module or "").split(".")[0])
    return {name for name, modules in FRAMEWORKS.items() if roots & modules}


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's lines without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def test_importing_the_package_loads_no_framework():
    code = "import sys, course_utils; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "course_utils" in shown
    assert not set(shown) & set().union(*FRAMEWORKS.values())


@pytest.mark.parametrize("path", [named(path) for path in MODULES])
def test_no_module_imports_both_frameworks(path):
    assert len(frameworks_of(ast.parse(path.read_text(encoding="utf-8")))) < 2


@pytest.mark.parametrize("path", [named(path) for path in MODULES])
def test_modules_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < MODULE_LINES
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert not {f.name: lines_of(f) for f in functions if lines_of(f) >= FUNCTION_LINES}


def test_package_has_modules():
    assert MODULES
