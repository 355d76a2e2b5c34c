"""The craft rules of the lessons that a program can check, over every notebook as it is stored.

A rule is a function that lists what is wrong. The second half of this file holds each rule to
finding what it is there for, in a small lesson that is broken in one place at a time.
"""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import validator

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
LESSONS = {path.stem: path for path in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))}
CODE_LINES, TEXT_WORDS, MEGABYTES = 15, 120, 1.6
LAST_CELLS = 8
"""Among how many cells at the end the recap and what follows it stand."""
MAY_BE_DEFINED_TWICE: set[str] = set()
PATH_OF_A_MACHINE = re.compile(
    r"(?<![\w.:/…~])/(?:home|root|work|Users|tmp|var|private|content|mnt|opt)/\w|\b[A-Z]:\\+Users\\"
)

Notebook = nbformat.NotebookNode
Rule = Callable[[str, Notebook], Iterator[str]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


def code_cells(notebook: Notebook) -> list[Notebook]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(notebook: Notebook) -> Iterator[tuple[Notebook, Notebook]]:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            yield cell, output


def tags(cell: Notebook) -> list[str]:
    return cell.metadata.get("tags", [])


def python(cell: Notebook) -> ast.Module:
    """The cell's syntax tree; magics become calls, as they do in a kernel."""
    return ast.parse(TransformerManager().transform_cell(cell.source))


@rule
def the_format_is_current(name: str, notebook: Notebook) -> Iterator[str]:
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        yield f"format {notebook.nbformat}.{notebook.nbformat_minor}, expected 4.5"
    for error in validator.iter_validate(notebook):
        yield str(error).splitlines()[0]
    ids = [cell.get("id") for cell in notebook.cells]
    yield from (f"id {each!r} twice" for each in sorted(set(ids), key=str) if ids.count(each) > 1)


@rule
def ids_can_be_read(name: str, notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        drawn = re.fullmatch(r"[0-9a-f-]{8,}", cell.id) and re.search(r"\d", cell.id)
        if drawn or not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", cell.id):
            yield f"id {cell.id!r}, expected words such as 'mel-figure'"


@rule
def cells_are_short(name: str, notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = [line.strip() for line in cell.source.splitlines()]
            count = sum(1 for line in lines if line and not line.startswith("#"))
            if count > CODE_LINES:
                yield f"{cell.id}: {count} lines of code, expected at most {CODE_LINES}"
        if cell.cell_type == "markdown":
            left_out = r"```.*?```|\$\$.*?\$\$|<[^>]+>|\|.*\|"
            count = len(re.sub(left_out, " ", cell.source, flags=re.DOTALL).split())
            if count > TEXT_WORDS:
                yield f"{cell.id}: {count} words, expected at most {TEXT_WORDS}"


def numbered(text: str) -> int:
    """How many items its numbered list has."""
    return len(re.findall(r"^\s*\d+\. ", text, flags=re.MULTILINE))


@rule
def it_opens_as_lessons_do(name: str, notebook: Notebook) -> Iterator[str]:
    title, objectives = (cell.source for cell in notebook.cells[:2])
    if not re.match(rf"# {name[:2]} · \S.*\n\n\S", title):
        yield f"begins {title[:40]!r}, expected '# {name[:2]} · Title' and a paragraph"
    if not re.search("you will be able to", objectives, re.IGNORECASE):
        yield "no 'You will be able to' in the second cell"
    if numbered(objectives) not in (3, 4):
        yield f"{numbered(objectives)} numbered objectives, expected three or four"
    # Lesson 00 does the same at every scale.
    scales = () if name[:2] == "00" else ("mini", "laptop", "full")
    for word in ("minute", *scales, "builds on"):
        if not re.search(rf"\b{word}", objectives, re.IGNORECASE):
            yield f"the second cell does not say {word!r}"


@rule
def its_sections_are_counted(name: str, notebook: Notebook) -> Iterator[str]:
    """`## 3 · Title (8 min)`, from 1 on; what closes a lesson has no number."""
    headings = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if re.match(r"## \d", line)
    ]
    for number, heading in enumerate(headings, start=1):
        if not re.fullmatch(rf"## {number} · \S.*\(\d+ min\b.*\)", heading):
            yield f"{heading!r}, expected '## {number} · Title (minutes min)'"


@rule
def it_is_set_up_once_and_first(name: str, notebook: Notebook) -> Iterator[str]:
    first, *others = code_cells(notebook)
    if first.id != "set-up" or f'lesson.begin("{name}"' not in first.source:
        yield f"the first code cell is {first.id!r}, expected 'set-up', which begins {name!r}"
    yield from (f"{cell.id}: sets up again" for cell in others if "lesson.begin(" in cell.source)


@rule
def it_closes_as_lessons_do(name: str, notebook: Notebook) -> Iterator[str]:
    texts = [cell.source if cell.cell_type == "markdown" else "" for cell in notebook.cells]
    at = []
    for part in ("recap", "pitfalls", "further reading"):
        heading = re.compile(rf"^(#+ |\*\*){part}", re.IGNORECASE | re.MULTILINE)
        places = [
            (number, found.start())
            for number, text in enumerate(texts)
            if number >= len(texts) - LAST_CELLS and (found := heading.search(text))
        ]
        if not places:
            yield f"no heading {part!r} among the last {LAST_CELLS} cells"
        at += places[:1]
    if at != sorted(at):
        yield "recap, pitfalls and further reading stand in another order"
    if at:
        promised, kept = numbered(texts[1]), numbered(texts[at[0][0]])
        if promised != kept:
            yield f"{promised} objectives, but {kept} points in the recap"


@rule
def it_was_run_once_from_top_to_bottom(name: str, notebook: Notebook) -> Iterator[str]:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts {counts}, expected 1 to {len(counts)}: make notebooks"
    for cell, output in outputs(notebook):
        count = output.get("execution_count", cell.execution_count)
        if count != cell.execution_count:
            yield f"{cell.id}: an output of run {count} in a cell of run {cell.execution_count}"


@rule
def nothing_went_wrong(name: str, notebook: Notebook) -> Iterator[str]:
    for cell, output in outputs(notebook):
        if output.output_type == "stream" and output.name == "stderr":
            yield f"{cell.id}: stderr {output.text.strip()[:60]!r}"
        if output.output_type == "error" and "raises-exception" not in tags(cell):
            yield f"{cell.id}: {output.ename}"


def readable(output: Notebook) -> Iterator[str]:
    """What a reader sees of an output as text."""
    yield output.get("text", "")
    yield "\n".join(output.get("traceback", []))
    for kind, data in output.get("data", {}).items():
        if kind.startswith("text/") or kind.endswith(("json", "svg+xml")):
            text = data if isinstance(data, str) else json.dumps(data)
            yield re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", text)


@rule
def no_path_of_a_machine_is_shown(name: str, notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        texts = [cell.source]
        for output in cell.get("outputs", []):
            texts += readable(output)
        for text in texts:
            if found := PATH_OF_A_MACHINE.search(text):
                yield f"{cell.id}: {text[found.start() : found.start() + 40]!r}"


@rule
def every_picture_has_its_words(name: str, notebook: Notebook) -> Iterator[str]:
    for cell, output in outputs(notebook):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                alt = output.metadata.get(kind, {}).get("alt", "")
                if len(alt.split()) < 4:
                    yield f"{cell.id}: a picture with the alt text {alt!r}; use plots.show"
        html = "".join(output.get("data", {}).get("text/html", ""))
        for image in re.findall(r"<img\b[^>]*>", html):
            if not re.search(r'\balt="[^"]{10,}"', image):
                yield f"{cell.id}: an <img> without alt text"
        for player in re.findall(r"<audio\b[^>]*>", html):
            if "aria-label=" not in player:
                yield f"{cell.id}: a player without a name; use audio.play"


@rule
def it_is_small(name: str, notebook: Notebook) -> Iterator[str]:
    size = len(json.dumps(notebook, indent=1, ensure_ascii=False).encode()) / 1e6
    if size >= MEGABYTES:
        yield f"{size:.2f} MB, expected less than {MEGABYTES}"


@rule
def some_outputs_are_compared(name: str, notebook: Notebook) -> Iterator[str]:
    compared = [cell for cell in code_cells(notebook) if "nbval-check-output" in tags(cell)]
    if not compared and name[:2] != "00":
        yield "no cell has the tag nbval-check-output"
    for cell in compared:
        if not cell.outputs:
            yield f"{cell.id}: has the tag nbval-check-output and no output to compare"


# Rules about all lessons together.


def set_up_cells_that_differ(lessons: dict[str, Notebook]) -> dict[str, str]:
    """Each lesson's set-up cell without its name, unless all are the same."""
    sources = {
        name: code_cells(notebook)[0].source.replace(f'"{name}"', "LESSON")
        for name, notebook in lessons.items()
    }
    return sources if len(set(sources.values())) > 1 else {}


def defined_twice(lessons: dict[str, Notebook]) -> dict[str, list[str]]:
    """Functions and classes that several lessons define, with the lessons' names."""
    where = defaultdict(list)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for name, notebook in lessons.items():
        trees = [python(cell) for cell in code_cells(notebook)]
        for found in {node.name for tree in trees for node in tree.body if isinstance(node, kinds)}:
            where[found].append(name)
    return {
        found: names
        for found, names in sorted(where.items())
        if len(names) > 1 and found not in MAY_BE_DEFINED_TWICE
    }


# What a lesson takes from the package has to be there.


def unknown_names(notebook: Notebook) -> list[str]:
    """Imports, attributes and arguments of `course_utils` that a lesson uses and nobody defines."""
    problems, known = [], {}
    trees = [(cell, python(cell)) for cell in code_cells(notebook)]
    for cell, tree in trees:
        for node in ast.walk(tree):
            for bound, target in imported(node):
                try:
                    found = looked_up(target)
                    known[bound] = looked_up(bound) if bound == "course_utils" else found
                except (ImportError, AttributeError):
                    problems.append(f"{cell.id}: there is no {target}")
    assigned = {
        node.id
        for _, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    known = {name: value for name, value in known.items() if name not in assigned}
    for cell, tree in trees:
        for node in ast.walk(tree):
            try:
                if isinstance(node, ast.Attribute):
                    value_of(node, known)
                elif isinstance(node, ast.Call):
                    check_arguments(node, value_of(node.func, known))
            except (AttributeError, TypeError) as error:
                problems.append(f"{cell.id}, {ast.unparse(node)[:60]}: {error}")
    return sorted(set(problems))


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that an import statement binds, with what they stand for inside `course_utils`."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "course_utils":
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == "course_utils":
                yield alias.asname or "course_utils", alias.name


def looked_up(target: str) -> object:
    """The module or member with a dotted name."""
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError as error:
        if error.name != target:
            raise
    module, _, member = target.rpartition(".")
    return getattr(importlib.import_module(module), member)


def value_of(node: ast.AST, known: dict[str, object]) -> object:
    """What a dotted expression stands for, or None where only a run could tell."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    owner = value_of(node.value, known)
    ours = getattr(owner, "__name__" if isinstance(owner, ModuleType) else "__module__", "") or ""
    if not ours.startswith("course_utils") or not isinstance(owner, ModuleType | type):
        return None
    return getattr(owner, node.attr)


def check_arguments(call: ast.Call, function: object) -> None:
    """Raise TypeError for arguments that a function of ours would not take."""
    if not callable(function) or isinstance(function, ModuleType):
        return
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return
    names = [keyword.arg for keyword in call.keywords]
    bind = inspect.signature(function).bind
    if None in names:  # **options: what is in them only a run could tell
        bind = inspect.signature(function).bind_partial
    bind(*call.args, **{name: None for name in names if name})


# The lessons as they are stored.


def read(path: Path) -> Notebook:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


@pytest.fixture(scope="module")
def lessons() -> dict[str, Notebook]:
    return {name: read(path) for name, path in LESSONS.items()}


@pytest.mark.parametrize("check", RULES, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_keeps_the_rule(lessons, name, check):
    problems = list(check(name, lessons[name]))
    assert not problems, "\n".join(problems)


def test_one_set_up_cell_serves_all_lessons(lessons):
    assert not set_up_cells_that_differ(lessons)


def test_no_function_is_written_in_two_lessons(lessons):
    assert not defined_twice(lessons)


def test_what_the_lessons_take_from_the_package_is_there():
    # In a process of its own, because a lesson may load a whole deep-learning framework; one for
    # all, because that takes longer than everything else here.
    command = [sys.executable, __file__, *map(str, LESSONS.values())]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout or answer.stderr


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_listed_kept_and_tried_on_real_recordings(lessons, name):
    source = "\n".join(cell.source for cell in lessons[name].cells)
    assert f"](notebooks/{name}.ipynb)" in (FOLDER.parent / "README.md").read_text("utf-8")
    if name[:2] != "00":  # which measures nothing
        assert "this.save_results(" in source
        assert re.search(r"^## Try it", source, re.MULTILINE)
        real = Path(__file__).with_name("test_real_recordings.py").read_text("utf-8")
        assert f'"{name}"' in real


# The rules themselves.


def text(name: str, source: str) -> Notebook:
    return nbformat.v4.new_markdown_cell(source, id=name)


def code(name: str, source: str, *found: Notebook, checked: bool = False) -> Notebook:
    metadata = {"tags": ["nbval-check-output"]} if checked else {}
    return nbformat.v4.new_code_cell(source, id=name, metadata=metadata, outputs=list(found))


def printed(what: str, stream: str = "stdout") -> Notebook:
    return nbformat.v4.new_output("stream", name=stream, text=what)


def figure(alt: str) -> Notebook:
    return nbformat.v4.new_output(
        "display_data", {"image/png": "iVBORw0KGgo="}, metadata={"image/png": {"alt": alt}}
    )


@pytest.fixture
def small() -> Notebook:
    """A lesson that keeps every rule."""
    cells = [
        text("title", "# 42 · Echoes\n\nWhy a room answers."),
        text(
            "objectives",
            "**You will be able to**\n\n1. hear;\n2. see;\n3. tell.\n\nTen minutes at mini, laptop "
            "and full scale.\n**Builds on** lesson 01.",
        ),
        code("set-up", 'from course_utils import lesson\n\nthis = lesson.begin("42_echoes")'),
        code("delay", "def delay(samples):\n    return samples\n\n\nprint(3)", printed("3\n")),
        text("wave-why", "## 1 · A wave (3 min)\n\nIt comes back."),
        code("wave", "plots.show(figure)", figure("A wave, loudest at 0.3 s.")),
        code("sum", "1 + 1", printed("2\n"), checked=True),
        text("later-why", "## 2 · Later (2 min)"),
        text("recap", "## Recap\n\n1. heard;\n2. saw;\n3. told."),
        text("pitfalls", "**Pitfalls:** echoes of echoes."),
        text("further-reading", "**Further reading**\n\n- Sabine, 1900."),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.nbformat_minor = 5
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
    return notebook


def broken_rules(notebook: Notebook) -> set[str]:
    return {check.__name__ for check in RULES if list(check("42_echoes", notebook))}


def test_a_good_lesson_passes(small):
    assert broken_rules(small) == set()


def cell(notebook: Notebook, name: str) -> Notebook:
    return next(each for each in notebook.cells if each.id == name)


def add(name: str, *found: Notebook) -> Callable[[Notebook], object]:
    return lambda notebook: cell(notebook, name).outputs.extend(found)


def put(name: str, **changes: object) -> Callable[[Notebook], object]:
    return lambda notebook: cell(notebook, name).update(changes)


def replace(name: str, old: str, new: str) -> Callable[[Notebook], object]:
    def change(notebook: Notebook) -> None:
        assert old in cell(notebook, name).source
        cell(notebook, name).source = cell(notebook, name).source.replace(old, new)

    return change


def swap(first: int, second: int) -> Callable[[Notebook], object]:
    def change(notebook: Notebook) -> None:
        cells = notebook.cells
        cells[first], cells[second] = cells[second], cells[first]

    return change


HTML = nbformat.v4.new_output("display_data", {"text/html": '<img src="data:image/png;base64,A">'})
PLAYER = nbformat.v4.new_output("display_data", {"text/html": "<audio controls></audio>"})
TRACE = nbformat.v4.new_output(
    "error", ename="ValueError", evalue="no", traceback=['File "/home/me/x.py", line 1']
)
ERROR = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])


@pytest.mark.parametrize(
    ("change", "found_by"),
    [
        (lambda notebook: notebook.update(nbformat_minor=4), "the_format_is_current"),
        (put("wave", id="delay"), "the_format_is_current"),
        (put("wave", id="3f2a9c1d"), "ids_can_be_read"),
        (put("wave", id="5f0c7a52-9d4e-4a53-8f9e-0c6f1f4dbb6e"), "ids_can_be_read"),
        (put("wave", id="Cell_17"), "ids_can_be_read"),
        (put("wave", source="x = 1\n" * 16), "cells_are_short"),
        (put("pitfalls", source="**Pitfalls** " + "word " * 120), "cells_are_short"),
        (replace("title", "42", "41"), "it_opens_as_lessons_do"),
        (replace("title", "\n\nWhy a room answers.", ""), "it_opens_as_lessons_do"),
        (replace("objectives", "You will be able to", "Aims"), "it_opens_as_lessons_do"),
        (replace("objectives", "Ten minutes", "A while"), "it_opens_as_lessons_do"),
        (replace("objectives", "Builds on", "After"), "it_opens_as_lessons_do"),
        (replace("objectives", " and full", ""), "it_opens_as_lessons_do"),
        (replace("wave-why", "## 1 · A wave (3 min)", "It waves."), "its_sections_are_counted"),
        (replace("later-why", " (2 min)", ""), "its_sections_are_counted"),
        (replace("set-up", "42_echoes", "41_waves"), "it_is_set_up_once_and_first"),
        (replace("sum", "1 + 1", 'lesson.begin("42_echoes")'), "it_is_set_up_once_and_first"),
        (replace("recap", "\n3. told.", ""), "it_closes_as_lessons_do"),
        (replace("further-reading", "Further reading", "Books"), "it_closes_as_lessons_do"),
        (swap(-1, -2), "it_closes_as_lessons_do"),
        (put("wave", execution_count=None), "it_was_run_once_from_top_to_bottom"),
        (put("wave", execution_count=7), "it_was_run_once_from_top_to_bottom"),
        (swap(3, 5), "it_was_run_once_from_top_to_bottom"),
        (add("wave", printed("warning", "stderr")), "nothing_went_wrong"),
        (add("wave", ERROR), "nothing_went_wrong"),
        (add("wave", printed("saved to /home/me/runs/x")), "no_path_of_a_machine_is_shown"),
        (add("wave", printed(r"saved to C:\Users\me")), "no_path_of_a_machine_is_shown"),
        (replace("sum", "1 + 1", 'open("/tmp/sound.wav")'), "no_path_of_a_machine_is_shown"),
        (add("wave", figure("")), "every_picture_has_its_words"),
        (add("wave", figure("figure")), "every_picture_has_its_words"),
        (add("wave", HTML), "every_picture_has_its_words"),
        (add("wave", PLAYER), "every_picture_has_its_words"),
        (add("wave", printed("x" * 1_600_000)), "it_is_small"),
        (put("sum", metadata={}), "some_outputs_are_compared"),
        (put("sum", outputs=[]), "some_outputs_are_compared"),
    ],
)
def test_a_broken_rule_is_found_and_no_other_complains(small, change, found_by):
    small = copy.deepcopy(small)
    change(small)
    assert broken_rules(small) == {found_by}


def test_an_expected_error_is_no_fault_but_its_paths_are(small):
    cell(small, "wave").metadata["tags"] = ["raises-exception"]
    add("wave", ERROR)(small)
    assert broken_rules(small) == set()
    add("wave", TRACE)(small)
    assert broken_rules(small) == {"no_path_of_a_machine_is_shown"}


@pytest.mark.parametrize(
    "said", ["runs/x", "…/work/x", "~/work/x", "$COURSE_DATA_ROOT/home/x", "https://x.org/home/me"]
)
def test_a_path_that_is_the_same_everywhere_is_no_fault(small, said):
    add("wave", printed(said))(small)
    assert broken_rules(small) == set()


def test_lesson_00_need_not_compare(small):
    put("sum", metadata={})(small)
    assert not list(some_outputs_are_compared("00_start", small))


def test_set_up_cells_may_differ_in_the_name_alone(small):
    other = copy.deepcopy(small)
    replace("set-up", "42_echoes", "43_rooms")(other)
    both = {"42_echoes": small, "43_rooms": other}
    assert not set_up_cells_that_differ(both)
    replace("set-up", "this =", "lesson =")(other)
    assert set(set_up_cells_that_differ(both)) == {"42_echoes", "43_rooms"}


def test_a_function_in_two_lessons_is_found(small):
    other = copy.deepcopy(small)
    assert defined_twice({"42_echoes": small, "43_rooms": other}) == {
        "delay": ["42_echoes", "43_rooms"]
    }
    replace("delay", "def delay", "def wait")(other)
    assert not defined_twice({"42_echoes": small, "43_rooms": other})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from course_utils import echoes", "there is no course_utils.echoes"),
        ("from course_utils.features import echo", "there is no course_utils.features.echo"),
        ("import course_utils.echoes as e", "there is no course_utils.echoes"),
        ("from course_utils import features\nfeatures.echo(1)", "no attribute 'echo'"),
        ("from course_utils import features as f\nprint(f.echo)", "no attribute 'echo'"),
        ("from course_utils import audio\naudio.load('x', rate=8)", "argument 'rate'"),
        ("from course_utils import audio\naudio.load()", "missing a required argument"),
        ("import course_utils.audio\ncourse_utils.audio.echo", "no attribute 'echo'"),
    ],
)
def test_a_name_that_the_package_lacks_is_found(small, source, said):
    small.cells.append(code("more", source))
    (problem,) = {each.rpartition(": ")[2]: each for each in unknown_names(small)}.values()
    assert said in problem and problem.startswith("more")


def test_names_that_are_there_pass(small):
    source = """\
%matplotlib inline
!echo hello
from course_utils import audio, features
from course_utils.datasets import speech_commands
speech_commands.partition("a.wav", 10)
samples, rate = audio.load("x.wav", 16000, resample=False)
features.mfcc(samples, rate, n_mels=20, **this.options).mean()
audio.AudioError("x").args
audio = 3
audio.real"""
    small.cells.append(code("more", source))
    assert unknown_names(small) == []


if __name__ == "__main__":
    found = [
        f"{Path(path).stem}: {name}"
        for path in sys.argv[1:]
        for name in unknown_names(read(Path(path)))
    ]
    print("\n".join(found))
    sys.exit(bool(found))
