from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the whole project."""
    return ROOT


def listed(*options: str) -> list[Path]:
    """Return what `git ls-files` lists, or skip where there is no repository (a downloaded zip)."""
    found = subprocess.run(
        ["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, text=True
    )
    if found.returncode:
        pytest.skip("not a git checkout, so nothing is tracked")
    return [ROOT / name for name in found.stdout.split("\0") if (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """What is in the repository."""
    return listed()


@pytest.fixture(scope="session")
def kept() -> list[Path]:
    """What is in the repository or would be with the next commit."""
    return listed("--cached", "--others", "--exclude-standard")
