"""What `make publish` stamps into notebooks, and that what is stamped leads somewhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import publish
import pytest

ROOT = Path(__file__).resolve().parents[2]

LINK = "https://colab.research.google.com/github/anna/course/blob/{}/{}"


@pytest.fixture
def course(tmp_path) -> Path:
    """A copy of one lesson and one source of exercises."""
    (tmp_path / "solutions").mkdir()
    for name in ("01_spectrograms_and_mfccs.ipynb", "solutions/03_confusion_matrices.ipynb"):
        shutil.copy(ROOT / "notebooks" / name, tmp_path / name)
    return tmp_path


@pytest.fixture(autouse=True)
def no_release(monkeypatch):
    """Releases are tested with the grader; here only what is stamped counts."""
    monkeypatch.setattr(publish.make_exercises, "main", lambda arguments: 0)


def cells(path: Path) -> dict[str, str]:
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


def test_badges_lead_to_what_learners_open(course):
    assert publish.main(["anna/course", "--branch", "spring", "--course", str(course)]) == 0
    for path, published in publish.notebooks(course):
        title = next(iter(cells(path).values()))
        assert title.endswith(f"]({LINK.format('spring', published)})")
    assert {published for _, published in publish.notebooks(course)} == {
        "notebooks/01_spectrograms_and_mfccs.ipynb",
        "notebooks/exercises/03_confusion_matrices.ipynb",
    }


def test_only_colab_installs_and_only_this_package(course):
    publish.main(["anna/course", "--course", str(course)])
    for path, _ in publish.notebooks(course):
        set_up = cells(path)["set-up"]
        (line,) = [line for line in set_up.splitlines() if "pip" in line]
        assert line == (
            '    %pip install --quiet "course-utils[colab] @ git+https://github.com/anna/course@main"'
        )
        assert 'if "google.colab" in sys.modules:' in set_up
        assert re.search(r'^this = lesson\.begin\("0\d_\w+"', set_up, re.MULTILINE)


def test_publishing_elsewhere_replaces_and_none_restores(course):
    before = {path: path.read_bytes() for path, _ in publish.notebooks(course)}
    publish.main(["anna/course", "--course", str(course)])
    publish.main(["ben/other", "--course", str(course)])
    for path in before:
        text = path.read_text(encoding="utf-8")
        assert "anna/course" not in text and text.count("ben/other") == 2
    assert publish.main(["--none", "--course", str(course)]) == 0
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("arguments", [[], ["anna"], ["anna/course/x"], ["anna/course", "--none"]])
def test_what_is_no_repository_is_said(arguments, course, capsys):
    before = {path: path.read_bytes() for path, _ in publish.notebooks(course)}
    assert publish.main([*arguments, "--course", str(course)]) == 2
    assert "expected REPO=owner/name" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


def test_badges_of_this_copy_agree_with_their_paths():
    found = {}
    for path, published in publish.notebooks(ROOT / "notebooks"):
        title = next(iter(cells(path).values()))
        link = publish.BADGE.search(title)
        assert ("Open in Colab" in title) == bool(link)
        found[published] = link and link["link"].removesuffix(published)
    # All are published in one place, or none is.
    assert len(set(found.values())) == 1, found
