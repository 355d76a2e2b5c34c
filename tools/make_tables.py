"""Write the generated parts of README.md and INSTRUCTORS.md, and the pictures of the front page.

    python tools/make_tables.py            (make tables; make notebooks does it, too)
    python tools/make_tables.py --check    say what is out of step, write nothing

They come from the stored notebooks, from what their last clean run measured
(`data/results/lessons.json`) and from the listed mistakes of the exercises.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lesson_results
import nbformat

from course_utils import files

ROOT = Path(__file__).resolve().parent.parent
# For each lesson: the cell whose picture stands for it, and what a learner builds there.
SHOWN = {
    "00": ("speech", "a first look and listen; what your machine can run"),
    "01": ("mel-spectrogram", "the front end, step by step, in NumPy"),
    "02": ("table-figure", "input pipeline, networks, training that can be stopped, export"),
    "03": ("our-matrix", "reading a recogniser's mistakes, and the loop that mends them"),
    "04": (
        "decided-figure",
        "a listener that tells every word once; hits against false alarms per hour",
    ),
    "05": ("look", "a detector that listens to your microphone for one word, in PyTorch"),
    "06": (
        "alignment",
        "a recogniser that writes down sentences, trained with CTC, with beam search and a "
        "language model, in PyTorch",
    ),
    "07": (
        "results-figure",
        "four ways to tell genres apart, from features to transfer learning, compared fairly, in "
        "scikit-learn and Keras",
    ),
}
_TOGETHER = "&nbsp;"  # a number and its unit stay in one line
TIME = re.compile(r"\*\*Time\*\* (?:about )?(.*?);")
OBJECTIVE = re.compile(r"^\d\. (.*?)[;.]$", re.MULTILINE)
EXERCISE_MINUTES = re.compile(r"about (\d+) minutes")


class NotMade(Exception):
    """Why nothing was written, in one sentence."""


@dataclass
class Lesson:
    """A stored notebook, and what its last clean run measured."""

    path: Path
    measured: dict

    def __post_init__(self) -> None:
        self.number = self.path.stem[:2]
        self.cells = nbformat.read(self.path, as_version=4).cells
        self.title = self.cells[0].source.splitlines()[0].removeprefix("# ")
        self.aims = self.cells[1].source
        self.minutes = TIME.search(self.aims)[1]
        self.before = re.findall(r"\b0\d\b", self.aims.partition("**Builds on**")[2])
        self.shown, self.builds = SHOWN[self.number]

    def picture(self) -> tuple[bytes, str]:
        """The lesson's picture as PNG, and its description."""
        for cell in self.cells:
            for output in cell.get("outputs", []) if cell.id == self.shown else []:
                if "image/png" in output.get("data", {}):
                    described = output.metadata["image/png"]["alt"]
                    return base64.b64decode(output.data["image/png"]), described
        raise NotMade(
            f"{self.path.name} has no stored picture in cell {self.shown!r}; expected the one that "
            "the front page shows; run make notebooks, or name another cell in make_tables.py."
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(arguments)
    try:
        wanted = dict(made(options.root))
    except NotMade as reason:
        print(reason, file=sys.stderr)
        return 1
    changed = [path for path, content in wanted.items() if content != _content(path)]
    for path in changed:
        shown = path.relative_to(options.root)
        if options.check:
            print(f"{shown} is out of step with the notebooks and results; run make tables.")
            continue
        path.parent.mkdir(exist_ok=True)
        with files.whole(path) as unfinished:
            unfinished.write_bytes(wanted[path])
        print(f"written  {shown}")
    return 1 if options.check and changed else 0


def made(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Every generated file: where it belongs, and what it holds."""
    results = lesson_results.read(root / "data" / "results" / "lessons.json")
    paths = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    missing = [path.stem for path in paths if path.stem not in results]
    if missing:
        raise NotMade(
            f"data/results/lessons.json does not know {', '.join(missing)}; expected what each "
            "lesson measured; run make notebooks."
        )
    lessons = [Lesson(path, results[path.stem]) for path in paths]
    for lesson in lessons:
        yield root / "front_page" / f"{lesson.number}.png", lesson.picture()[0]
    blocks = {
        "README.md": {"lessons": front(lessons), "results": measured(lessons)},
        "INSTRUCTORS.md": {"lessons": timings(root, lessons), "mistakes": mistakes(root)},
    }
    for name, tables in blocks.items():
        text = (root / name).read_text(encoding="utf-8")
        for block, lines in tables.items():
            text = with_block(text, name, block, lines)
        yield root / name, text.encode()


def with_block(text: str, name: str, block: str, lines: list[str]) -> str:
    """The text with these lines between the block's two marks."""
    begin, end = f"<!-- {block}: made by make tables -->", f"<!-- {block}: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise NotMade(
            f"{name} lacks the marks {begin} and {end}; put them where the table belongs."
        )
    return "\n".join([before + begin, *lines, end + after])


def front(lessons: list[Lesson]) -> list[str]:
    """One row a lesson: its picture, what is built there, and what came out."""
    lines = ["| | lesson | measured |", "|---|---|---|"]
    for each in lessons:
        first = each.picture()[1].split(". ")[0].rstrip(".")  # the whole is in the notebook
        described = html.escape(first, quote=True).replace("|", "&#124;")
        picture = f'<img src="front_page/{each.number}.png" width="260" alt="{described}">'
        link = f"**[{each.title}](notebooks/{each.path.name})**"
        figure = f"**{percent(each.measured['value'])}** {metric(each.measured)}"
        lines.append(
            f"| {picture} | {link}<br>{each.builds}<br>{each.minutes} "
            f"| {figure} (N = {each.measured['n']:,}) |"
        )
    return lines


def measured(lessons: list[Lesson]) -> list[str]:
    """One row a lesson: its figure with interval, baseline, scale and machine."""
    lines = [
        "| | measured | value | 95 % interval | baseline | N | scale, data | computed on |",
        "|---|---|--:|--:|--:|--:|---|---|",
    ]
    for each in lessons:
        found = each.measured
        low, high = (f"{100 * edge:.1f}" for edge in found["interval_95"])
        baseline = percent(found["baseline"]) if "baseline" in found else "–"
        interval = _TOGETHER.join((low, "to", high, "%"))
        lines.append(
            f"| {each.number} | {metric(found)} | {percent(found['value'])} | {interval} "
            f"| {baseline} | {found['n']:,} | {found['scale']}, {found['data']} "
            f"| {machine(found['hardware'])}, {found['seconds']:.0f} s |"
        )
    return lines


def timings(root: Path, lessons: list[Lesson]) -> list[str]:
    """One row a lesson: what learners need, and what they can do afterwards."""
    lines = [
        "| lesson | builds on | takes | exercises | learners can then |",
        "|---|---|---|---|---|",
    ]
    for each in lessons:
        before = ", ".join(each.before) or "–"
        source = root / "notebooks" / "solutions" / each.path.name
        task = "–"
        if source.is_file():
            opening = nbformat.read(source, as_version=4).cells[0].source
            task = f"{EXERCISE_MINUTES.search(opening)[1]} minutes"
        aims = "<br>".join(
            f"{number}. {aim}" for number, aim in enumerate(OBJECTIVE.findall(each.aims), start=1)
        )
        lines.append(
            f"| [{each.title}](notebooks/{each.path.name}) | {before} | {each.minutes} | {task} "
            f"| {aims} |"
        )
    return lines


def mistakes(root: Path) -> list[str]:
    """One row a task: the mistakes that its check knows."""
    lines = ["| lesson | task | mistakes that get a hint of their own |", "|---|---|---|"]
    for path in sorted((root / "notebooks" / "solutions").glob("*.mistakes.json")):
        number = path.name[:2]
        for task, listed in json.loads(path.read_text(encoding="utf-8")).items():
            names = " · ".join(each["name"].replace("|", "&#124;") for each in listed)
            lines.append(f"| {number} | `{task}` | {names} |")
            number = ""
    return lines


def metric(found: dict) -> str:
    """What a figure is; that of a detector means little without its false alarms."""
    if "false_alarms" not in found:
        return found["metric"]
    alarms = f"{found['false_alarms']} false alarms in {60 * found['hours']:.0f} minutes"
    return f"{found['metric']}, with {alarms}"


def percent(share: float) -> str:
    return f"{100 * share:.1f}{_TOGETHER}%"


def machine(hardware: dict) -> str:
    gpu = "no GPU" if hardware["gpu"] == "none" else hardware["gpu"]
    return f"{hardware['cores']} cores, {hardware['memory_gib']:.0f} GiB, {gpu}"


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


if __name__ == "__main__":
    sys.exit(main())
