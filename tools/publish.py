"""Stamp where the notebooks are published: a launch badge each, and a set-up cell that installs.

    python tools/publish.py owner/name              (make publish REPO=owner/name)
    python tools/publish.py owner/name --branch dev
    python tools/publish.py --none                  take badges and installation out again

A notebook that is published nowhere carries no badge, because its link would be dead. Nothing else
of a notebook changes, stored outputs included.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import make_exercises
import nbformat

from course_utils import files

ROOT = Path(__file__).resolve().parent.parent
PATTERN = "[0-9][0-9]_*.ipynb"
BADGE = re.compile(r"\n\n\[!\[Open in Colab\]\([^)]*\)\]\((?P<link>[^)]*)\)\Z")
INSTALL = re.compile(
    r"^import sys\n\nif \"google\.colab\".*?\n\n(?=from course_utils)", re.M | re.S
)
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", nargs="?", help="owner/name on GitHub")
    parser.add_argument("--branch", default="main")
    parser.add_argument("--none", action="store_true", help="take everything out again")
    parser.add_argument("--course", type=Path, default=ROOT / "notebooks")
    options = parser.parse_args(arguments)
    known = REPOSITORY.fullmatch(options.repository or "")
    if options.none == bool(options.repository) or not (known or options.none):
        found = options.repository or "no repository"
        print(f"Found {found}, expected REPO=owner/name, as on GitHub.", file=sys.stderr)
        return 2
    for path, published in notebooks(options.course):
        stamp(path, published, options.repository, options.branch)
    return make_exercises.main(["--course", str(options.course)])


def notebooks(course: Path) -> list[tuple[Path, str]]:
    """Every notebook that people write, with the path under which a learner opens it."""
    lessons = [(path, f"notebooks/{path.name}") for path in sorted(course.glob(PATTERN))]
    sources = sorted((course / "solutions").glob(PATTERN))
    return lessons + [(path, f"notebooks/exercises/{path.name}") for path in sources]


def stamp(path: Path, published: str, repository: str | None, branch: str) -> None:
    """Write badge and installation into one notebook, in place of those that it has.

    Parameters
    ----------
    path : Path
        The notebook.
    published : str
        Its path in the repository, as learners open it.
    repository : str or None
        ``owner/name``; None takes both out.
    branch : str
        Branch that learners get.
    """
    notebook = nbformat.read(path, as_version=4)
    title, set_up = notebook.cells[0], next(c for c in notebook.cells if c.id == "set-up")
    title.source = BADGE.sub("", title.source)
    set_up.source = INSTALL.sub("", set_up.source)
    if repository:
        title.source += badge(published, repository, branch)
        set_up.source = re.sub(
            r"^(?=from course_utils)", install(repository, branch), set_up.source, flags=re.M
        )
    with files.whole(path) as unfinished:
        unfinished.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def badge(published: str, repository: str, branch: str) -> str:
    colab = "https://colab.research.google.com"
    link = f"{colab}/github/{repository}/blob/{branch}/{published}"
    return f"\n\n[![Open in Colab]({colab}/assets/colab-badge.svg)]({link})"


def install(repository: str, branch: str) -> str:
    return (
        'import sys\n\nif "google.colab" in sys.modules:  # elsewhere `make lab` has installed it\n'
        f'    %pip install --quiet "course-utils[colab] @ git+https://github.com/{repository}@{branch}"\n\n'
    )


if __name__ == "__main__":
    sys.exit(main())
