"""Run the lessons from top to bottom at mini scale and store their outputs.

    python tools/run_notebooks.py            every notebooks/NN_*.ipynb
    python tools/run_notebooks.py 03 05      by number, or by path

A notebook is rewritten only if its whole run succeeded and left nothing that a reader should not
see: no error, no stderr, no path of this machine. Cell ids, tags and metadata stay as they are.
What the lessons measured goes with it, into data/results/lessons.json and the tables of the guides.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lesson_results
import make_tables
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

from course_utils import files, places

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
CELL_SECONDS = 600
# Where people's folders are, on Linux, macOS, Windows and hosted machines.
ANYONES_PATH = re.compile(
    r"(?<![\w.:/~…])/(?:home|root|work|Users|tmp|var|private|content|mnt|opt)/\w[^\s\"'<>]*"
    r"|\b[A-Z]:\\+Users\\[^\s\"'<>]*"
)
EMBEDDED = re.compile(r"base64,[A-Za-z0-9+/=\s]+")


class NotStored(Exception):
    """Why a notebook was left as it was, in one sentence."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", help="numbers or paths; default: every lesson")
    os.environ["COURSE_SCALE"] = "mini"
    for name in ("COURSE_SETTINGS", "COURSE_DATA_ROOT"):  # stored outputs are the same anywhere
        os.environ.pop(name, None)
    failed = 0
    try:
        paths = select(parser.parse_args(arguments).which)
    except NotStored as reason:
        print(reason, file=sys.stderr)
        return 1
    for path in paths:
        started = time.perf_counter()
        try:
            nothing_is_left_of(path)
            store(path, run(path))
        except NotStored as reason:
            print(f"not stored: {reason}", file=sys.stderr, flush=True)
            failed += 1
        else:
            print(f"{time.perf_counter() - started:6.1f} s  {shown(path)}", flush=True)
            if path.parent == NOTEBOOKS:
                lesson_results.keep(path)
    if failed:
        print(f"{failed} of {len(paths)} notebooks not stored", file=sys.stderr)
        return 1
    return make_tables.main([]) if any(path.parent == NOTEBOOKS for path in paths) else 0


def select(which: list[str]) -> list[Path]:
    """Return the notebooks meant by numbers or paths, every lesson when nothing is named."""
    if not which:
        which = sorted(str(path) for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
        if not which:
            raise NotStored(f"no lessons in {shown(NOTEBOOKS)}/: expected NN_name.ipynb there")
    paths = []
    for name in which:
        numbered = re.fullmatch(r"\d\d", name)
        found = sorted(NOTEBOOKS.glob(f"{name}_*.ipynb")) if numbered else [Path(name)]
        if not found or not found[0].is_file():
            raise NotStored(f"no notebook {name}: give a lesson's number or its path")
        paths += [path.resolve() for path in found]
    return paths


def nothing_is_left_of(path: Path) -> None:
    """Raise NotStored if a lesson would go on from an earlier run instead of doing its work."""
    left = places.runs(path.stem)
    if path.parent == NOTEBOOKS and left.exists():
        raise NotStored(
            f"{shown(path)} has run before, and would go on from {places.shown(left)}; expected a "
            "clean run, for its seconds too; move that folder away"
        )


def run(path: Path) -> nbformat.NotebookNode:
    """Return the notebook as a fresh kernel left it, cleaned, or raise NotStored."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    if notebook.nbformat != 4:
        raise NotStored(f"{shown(path)} has notebook format {notebook.nbformat}, expected 4")
    at = {"index": 0}
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=lambda cell, cell_index: at.update(index=cell_index),
    )
    try:
        client.execute()
    except (CellControlSignal, DeadKernelError) as error:
        cell = notebook.cells[at["index"]]
        raise NotStored(f"{place(path, notebook, cell)} {cause(error)}") from None
    clean(notebook)
    for cell, problem in problems(notebook):
        raise NotStored(f"{place(path, notebook, cell)} {problem}")
    saved = path_in(notebook.metadata.get("widgets", {}))
    if saved:
        raise NotStored(f"{shown(path)}: a widget's saved state holds an absolute path: {saved!r}")
    return notebook


def cause(error: Exception) -> str:
    """Return what ended the run, without the traceback's pages."""
    name = getattr(error, "ename", "")
    if name:
        value = str(error.evalue).strip()
        return f"raised {name}" + (f": {value.splitlines()[0]}" if value else "")
    if isinstance(error, DeadKernelError):
        return "lost its kernel (out of memory?)"
    return f"took more than {CELL_SECONDS} s"


def clean(notebook: nbformat.NotebookNode) -> None:
    """Strip what differs from machine to machine; join neighbouring pieces of one stream."""
    language = notebook.metadata.get("language_info", {}).get("name", "python")
    notebook.metadata["language_info"] = nbformat.from_dict({"name": language})
    notebook.metadata["kernelspec"] = nbformat.from_dict(
        {"display_name": "Python 3", "language": "python", "name": "python3"}
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return the outputs with neighbouring pieces of one stream as one."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        before = kept[-1] if kept else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before["text"] += output.text
        else:
            kept.append(output)
    return kept


def problems(notebook: nbformat.NotebookNode) -> Iterator[tuple[nbformat.NotebookNode, str]]:
    """Yield (cell, what is wrong) for every output that must not be stored."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        expected = "raises-exception" in cell.metadata.get("tags", [])
        for output in cell.outputs:
            if output.output_type == "error" and not expected:
                yield cell, f"raised {output.ename}"
            if output.output_type == "stream" and output.name == "stderr":
                yield cell, f"wrote to stderr: {output.text.strip().splitlines()[0][:100]!r}"
            path = path_in(output)
            if path:
                yield cell, f"shows an absolute path: {path!r}"


def path_in(output: dict) -> str | None:
    """Return the first path of some machine in an output's text, if there is one."""
    for text in texts(output):
        text = EMBEDDED.sub("", text)
        for own in (str(ROOT), str(Path.home()), sys.prefix):
            if len(own) > 1 and own in text:
                return own
        found = ANYONES_PATH.search(text)
        if found:
            return found.group()
    return None


def texts(value: object, kind: str = "") -> Iterator[str]:
    """Yield every string inside an output, base64 pictures and sounds apart."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, kind)
    elif isinstance(value, str):
        binary = kind.startswith(("image/", "audio/", "video/")) and kind != "image/svg+xml"
        if not binary:
            yield value


def store(path: Path, notebook: nbformat.NotebookNode) -> None:
    """Replace the file in one step, so that an interruption leaves the old one whole."""
    nbformat.validate(notebook)
    with files.whole(path) as unfinished:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            nbformat.write(notebook, file, version=nbformat.NO_CONVERT)
        shutil.copymode(path, unfinished)


def place(path: Path, notebook: nbformat.NotebookNode, cell: nbformat.NotebookNode) -> str:
    """Return `notebooks/03_x.ipynb, cell 'name' (number 7),` for a message."""
    number = notebook.cells.index(cell) + 1
    return f"{shown(path)}, cell {cell.get('id', '?')!r} (number {number}),"


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
