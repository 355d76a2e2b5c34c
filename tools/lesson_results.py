"""What the lessons measured in their last clean run: `data/results/lessons.json`.

`make notebooks` writes it together with the outputs that it stores, so a figure on the front page
is the one that the notebook shows. The hash of a notebook's code says whether it still is.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nbformat
from publish import INSTALL

from course_utils import files, places

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "data" / "results" / "lessons.json"
KEPT = (
    "scale", "data", "n", "metric", "value", "interval_95", "baseline", "seconds", "hardware",
    "written", "false_alarms", "hours",
)  # fmt: skip


def read(file: Path = FILE) -> dict[str, dict]:
    """What each lesson measured, by the notebook's file name without its ending."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def keep(notebook: Path, file: Path = FILE) -> bool:
    """Take over what a notebook's run has left in its `results.json`.

    Parameters
    ----------
    notebook : Path
        The notebook that has just been run, from nothing, and stored.
    file : Path
        Where to keep it.

    Returns
    -------
    bool
        Whether there was anything.
    """
    left = places.runs(notebook.stem) / "results.json"
    if not left.is_file():
        return False
    found = json.loads(left.read_text(encoding="utf-8"))
    known = read(file)
    known[notebook.stem] = {"code": code_of(notebook)} | {
        name: _rounded(found[name]) for name in KEPT if name in found
    }
    text = json.dumps(dict(sorted(known.items())), indent=1) + "\n"
    with files.whole(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return True


def code_of(notebook: Path) -> str:
    """A hash of all that a notebook runs, whether it is published or not."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = [INSTALL.sub("", cell.source) for cell in cells if cell.cell_type == "code"]
    return hashlib.sha256("\n\n".join(code).encode()).hexdigest()


def _rounded(value: object) -> object:
    """Figures as a reader needs them; a run's last digits would only make noise in the history."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return value
