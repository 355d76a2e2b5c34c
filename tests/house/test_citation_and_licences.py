"""What is said about citing and about licences is said everywhere in the same way."""

from __future__ import annotations

import json
import re
import tomllib

import pytest


@pytest.fixture
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_is_of_this_version(root, project):
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    title = re.search(r'^title: "(.*)"$', citation, re.MULTILINE)[1]
    assert f"\nversion: {project['version']}\n" in citation
    readme = " ".join((root / "README.md").read_text(encoding="utf-8").replace(">", "").split())
    assert f"*{title}*, version {project['version']}." in readme


def test_the_licences_are_the_same_everywhere(root, project):
    assert project["license"] == "Apache-2.0 AND CC-BY-4.0"
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^  - (\S+-\d\.\d)$", citation, re.MULTILINE) == ["Apache-2.0", "CC-BY-4.0"]
    readme = (root / "README.md").read_text(encoding="utf-8")
    for name in (*project["license-files"], "CITATION.cff", "INSTRUCTORS.md", "CONTRIBUTING.md"):
        assert (root / name).is_file() and f"]({name})" in readme


def test_every_shipped_data_set_may_be_passed_on(root):
    said = (root / "LICENSE-TEXT.md").read_text(encoding="utf-8")
    shipped = sorted(path.stem for path in (root / "data").glob("*_mini.json"))
    assert len(shipped) == 4
    for name in shipped:
        card = json.loads((root / "data" / f"{name}.json").read_text(encoding="utf-8"))
        assert card["licence"].startswith("CC0 1.0") and f"`{name}`" in said
