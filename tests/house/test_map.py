"""The map in CONTRIBUTING.md: who imports whom, and the way of one clip, as the code has them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "course_utils"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# Whatever stands on these imports nothing of the course; the map has them in one line.
GROUND = {"files", "machine", "places", "progress", "scale"}


def rooms() -> dict[str, set[str]]:
    """For each module or package directly in the package, which others it imports."""
    found = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE.name):
                inside = node.module.split(".")[1:]
                names = inside[:1] or [alias.name for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [a.name.split(".")[1] for a in node.names if a.name.startswith("course_")]
            else:
                continue
            found[room] |= set(names) - {room}
    return found


def drawn() -> dict[str, set[str]]:
    """The same, as the map has it."""
    block = re.search(r"```map\n(.*?)```", TEXT, re.DOTALL).group(1)
    lines = (line.split("#")[0].split("<-") for line in block.splitlines() if "<-" in line)
    return {room.strip(): set(re.findall(r"\w+", others)) for room, others in lines}


def test_the_map_is_the_code():
    found = {room: others - GROUND for room, others in rooms().items() if room not in GROUND}
    found.pop("__init__", None)
    assert drawn() == found


def test_the_ground_stands_on_nothing():
    assert all(others <= GROUND for room, others in rooms().items() if room in GROUND)


@pytest.mark.slow
def test_the_way_of_a_clip_can_be_walked(tmp_path):
    way = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL).group(1)
    environment = {**os.environ, "COURSE_RUNS_ROOT": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    answer = subprocess.run(
        [sys.executable, "-c", way], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert answer.returncode == 0, answer.stderr
    assert "matched" in answer.stdout
