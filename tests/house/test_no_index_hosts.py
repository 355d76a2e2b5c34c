"""Where packages come from is the reader's own setting: no file names a package index."""

from __future__ import annotations

import re

INDEX_URL = re.compile(
    r"https?://[\w.-]*(?:pypi|pythonhosted|pytorch\.org/whl|anaconda\.org|devpi|artifactory|nexus)"
    r"|https?://[^\s\"'`)>]+/simple/?(?=[\s\"'`)>]|$)",
    re.IGNORECASE | re.MULTILINE,
)
OPTIONS = re.compile(r"pypi|pythonhosted|--index-url|--extra-index-url|find-links|-i http", re.I)


def test_lock_names_no_index(root):
    found = OPTIONS.findall((root / "requirements.lock").read_text(encoding="utf-8"))
    assert not found, f"run `make lock` again, with the options it has: {found}"


def test_no_other_file_names_an_index(root, kept):
    assert len(kept) > 20
    found = []
    for path in kept:
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{path.relative_to(root)}: {match}" for match in INDEX_URL.findall(text)]
    assert not found
