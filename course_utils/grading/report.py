"""Reports: JSON, CSV for a gradebook, JUnit XML, and a page for each submission.

Submissions come from anybody: what they are called and what they print is text here, never markup,
formula or script.
"""

import copy
import csv
import html
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat

from course_utils import files
from course_utils.grading.checks import scores
from course_utils.grading.judging.results import Result

_SHOWN = ("text/plain", "text/html", "image/png", "image/jpeg")
_TAGS = frozenset({
    "a", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "s", "span", "strong", "sub",
    "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
})  # fmt: skip
_ATTRIBUTES = {"*": ["class", "id"], "a": ["href", "title"], "td": ["colspan"], "th": ["colspan"]}
_PROTOCOLS = ("http", "https", "mailto")
_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
_NOT_XML = re.compile(r"\x1b\[[0-9;]*m|[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(folder: Path, results: list[Result]) -> None:
    """Write ``grades.json``, ``grades.csv`` and ``junit.xml``, each whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        Where; it exists.
    results : list of Result
        In the order in which they are to stand.
    """
    grades = {"submissions": {result.name: result.record() for result in results}}
    _save(folder / "grades.json", json.dumps(grades, indent=1) + "\n")
    with (
        files.whole(folder / "grades.csv") as path,
        path.open("w", newline="", encoding="utf-8") as out,
    ):
        csv.writer(out).writerows(table(results))
    with files.whole(folder / "junit.xml") as path:
        ElementTree.ElementTree(junit(results)).write(path, encoding="utf-8", xml_declaration=True)


def table(results: list[Result]) -> list[list[object]]:
    """A row for each submission, a column for each task, with a heading."""
    names = list(dict.fromkeys(task for result in results for task in result.tasks))
    heading = ["submission", "exercise", "status", "score", "of", *names, "notes"]
    rows = [
        [
            _no_formula(result.name),
            result.exercise,
            result.status,
            f"{result.score:g}",
            f"{result.of:g}",
            *(f"{result.tasks[name].points:g}" if name in result.tasks else "" for name in names),
            _no_formula(" ".join(result.notes)),
        ]
        for result in results
    ]
    return [heading, *rows]


def junit(results: list[Result]) -> ElementTree.Element:
    """A test suite for each submission, a test case for each task."""
    root = ElementTree.Element("testsuites", name="grades")
    for result in results:
        wrong = sum(task.points < task.of for task in result.tasks.values())
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_plain(result.name),
            tests=str(max(len(result.tasks), 1)),
            failures=str(wrong),
            errors=str(int(result.status != "graded")),
            time=f"{result.seconds:.1f}",
        )
        if not result.tasks:
            case = ElementTree.SubElement(suite, "testcase", name="submission")
            error = ElementTree.SubElement(case, "error", message=result.status)
            error.text = _plain("\n".join(result.notes))
        for name, task in result.tasks.items():
            case = ElementTree.SubElement(suite, "testcase", name=name, classname=result.exercise)
            if task.points < task.of:
                message = f"{task.points:g} of {task.of:g} points"
                failure = ElementTree.SubElement(case, "failure", message=message)
                failure.text = _plain("\n".join(task.hints()))
    return root


def lines(result: Result) -> list[str]:
    """A result as the terminal shows it."""
    if result.status != "graded":
        return [_plain(f"{result.name}: {result.status}. {' '.join(result.notes)}")]
    found = [f"{result.name}: {result.score:g} of {result.of:g} points ({result.exercise})"]
    for name, task in result.tasks.items():
        found.append(f"  {task.points:g}/{task.of:g}  {name}")
        found += [f"        {hint}" for hint in task.hints()]
    return [_plain(line) for line in found + [f"  note: {note}" for note in result.notes]]


def page(folder: Path, result: Result, notebook: nbformat.NotebookNode | None) -> None:
    """Write ``<name>.html``: the points, then the notebook as it ran, with the feedback in it.

    Parameters
    ----------
    folder : pathlib.Path
        Where; it exists.
    result : Result
        Of this submission.
    notebook : nbformat.NotebookNode or None
        As it ran, with the source's check cells; None if it did not run.
    """
    # Loaded here, because it takes longer than a check in a notebook.
    import bleach
    from nbconvert import HTMLExporter

    shown = nbformat.v4.new_notebook() if notebook is None else copy.deepcopy(notebook)
    for cell in shown.cells:
        if cell.cell_type == "code":
            _show_cell(cell, result)
    shown.cells.insert(0, nbformat.v4.new_markdown_cell(_summary(result)))
    exporter = HTMLExporter(template_name="lab", sanitize_html=True)
    # nbconvert's own list of harmless tags has no headings, paragraphs and details.
    exporter.register_filter(
        "clean_html",
        lambda text: bleach.clean(text, tags=_TAGS, attributes=_ATTRIBUTES, protocols=_PROTOCOLS),
    )
    body, _ = exporter.from_notebook_node(shown, {"metadata": {"name": html.escape(result.name)}})
    _save(folder / f"{result.name}.html", body)


def _show_cell(cell: nbformat.NotebookNode, result: Result) -> None:
    """Keep what a reader may see of a cell, and put the feedback below a check."""
    graded = cell.metadata.get("nbgrader", {})
    if graded.get("grade"):
        task = result.tasks.get(graded["grade_id"].removesuffix("_check"))
        cell.source = _HIDDEN.sub("# further checks, not shown", cell.source)
        told = _feedback(task) if task else "not graded"
        cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": told})]
        return
    for output in cell.outputs:
        if "data" in output:
            output["data"] = {key: output["data"][key] for key in _SHOWN if key in output["data"]}
    cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def _feedback(task: object) -> str:
    evidence = {"points": task.points, "of": task.of, "checks": list(task.checks)}
    if task.reason:
        evidence["checks"].insert(0, {"says": "points", "correct": False, "hint": task.reason})
    return scores.as_html(evidence)


def _summary(result: Result) -> str:
    """The top of the page, as Markdown that holds only what was escaped."""
    rows = [
        f"<tr><td>{html.escape(name)}</td><td>{task.points:g} of {task.of:g}</td>"
        f"<td>{'<br>'.join(html.escape(hint) for hint in task.hints())}</td></tr>"
        for name, task in result.tasks.items()
    ]
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in result.notes)
    return (
        f"<h1>{html.escape(result.name)}: {result.score:g} of {result.of:g} points</h1>"
        f"<p>{html.escape(result.exercise or 'unknown exercise')}, {result.status}</p>"
        f"<table><tr><th>task</th><th>points</th><th>feedback</th></tr>{''.join(rows)}</table>"
        f"<ul>{notes}</ul>"
    )


def _no_formula(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _plain(text: str) -> str:
    """Text without commands for a terminal, and without characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def _save(path: Path, text: str) -> None:
    with files.whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
