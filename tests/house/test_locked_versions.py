"""environment.yml, pyproject.toml and requirements.lock say the same."""

from __future__ import annotations

import platform
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lock(root: Path) -> str:
    return (root / "requirements.lock").read_text(encoding="utf-8")


def locked(lock: str) -> dict[str, list[str]]:
    """Return the locked versions by name; a name may have one for each Python."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", lock, re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


def direct(project: dict) -> list[Requirement]:
    groups = project["project"]["optional-dependencies"].values()
    texts = project["project"]["dependencies"] + [text for group in groups for text in group]
    wanted = [Requirement(text) for text in texts + project["build-system"]["requires"]]
    # One of our groups may name another; that is no dependency.
    return [one for one in wanted if one.name != project["project"]["name"]]


def test_every_direct_dependency_is_locked_within_its_bounds(project, lock):
    versions = locked(lock)
    wrong = [
        f"{wanted} but locked {versions.get(canonicalize_name(wanted.name), 'not at all')}"
        for wanted in direct(project)
        if not versions.get(canonicalize_name(wanted.name))
        or not all(
            wanted.specifier.contains(version, prereleases=True)
            for version in versions[canonicalize_name(wanted.name)]
        )
    ]
    assert not wrong, f"run `make lock`: {'; '.join(wrong)}"


@pytest.mark.parametrize(
    ("name", "version"),
    [("torch", "2.11.0"), ("torchaudio", "2.11.0"), ("tensorflow", "2.21.0")],
)
def test_frameworks_are_the_ones_that_the_lessons_were_written_for(lock, name, version):
    assert locked(lock)[name] == [version]


def test_every_locked_package_has_a_hash(lock):
    blocks = re.split(r"^(?=[A-Za-z0-9][\w.-]*==)", lock, flags=re.MULTILINE)[1:]
    assert len(blocks) > 100
    assert not [block.split()[0] for block in blocks if "--hash=sha256:" not in block]


def test_conda_environment_installs_the_lock_and_nothing_else(root, project):
    text = (root / "environment.yml").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if not line.lstrip().startswith("#")]
    items = [line.removeprefix("- ") for line in lines[lines.index("dependencies:") + 1 :] if line]
    assert items == ["python=3.11", "pip", "pip:", "-r requirements.lock"]
    assert "3.11" in project["project"]["requires-python"]
    assert "pip install --no-deps -e ." in text


def test_bootstrap_and_package_want_the_same_pythons(root, project):
    text = (root / "tools" / "bootstrap.py").read_text(encoding="utf-8")
    oldest, newest = re.search(r"OLDEST, NEWEST = \(3, (\d+)\), \(3, (\d+)\)", text).groups()
    assert project["project"]["requires-python"] == f">=3.{oldest},<3.{int(newest) + 1}"


def test_pip_accepts_what_uv_has_locked(lock):
    """Installers differ on upper bounds of Python: uv overlooks them, pip of conda does not."""
    refused = [
        f"{found.metadata['Name']} {found.version}: Python {wanted}"
        for found in metadata.distributions()
        if canonicalize_name(found.metadata["Name"]) in locked(lock)
        and (wanted := found.metadata["Requires-Python"])
        and not SpecifierSet(wanted).contains(platform.python_version())
    ]
    assert not refused, refused
