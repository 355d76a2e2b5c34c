"""Reports hold what was found, and what a submission calls itself or prints stays text."""

import csv
import json
from xml.etree import ElementTree

import nbformat
import pytest

from course_utils.grading import report
from course_utils.grading.judging.results import Result, TaskResult

WRONG = {"says": "one second", "correct": False, "hint": "One too few: <b>count</b> again."}
RIGHT = {"says": "a short sound", "correct": True, "hint": ""}


def results() -> list[Result]:
    good = Result("ada", exercise="01_x", seconds=2.04, key="k")
    good.tasks = {"count": TaskResult(2.0, 2.0, [RIGHT]), "split": TaskResult(1.0, 1.0, [RIGHT])}
    half = Result("=1+1", exercise="01_x", notes=["A note."], key="k")
    half.tasks = {
        "count": TaskResult(0.0, 2.0, [WRONG, RIGHT, WRONG]),
        "split": TaskResult(0.0, 1.0, reason="Ran for \x1b[31mtoo\x1b[0m long\x00."),
    }
    refused = Result("broken", status="refused", notes=["broken.ipynb is no JSON; save it again."])
    return [good, half, refused]


def test_json_csv_and_junit(tmp_path):
    report.write(tmp_path, results())
    grades = json.loads((tmp_path / "grades.json").read_text())["submissions"]
    assert list(grades) == ["ada", "=1+1", "broken"]
    assert grades["ada"]["score"] == 3 and grades["ada"]["points"] == {"count": 2, "split": 1}
    assert grades["=1+1"]["hints"]["count"] == [f"one second: {WRONG['hint']}"]
    assert grades["broken"] | {"seconds": 0} == grades["broken"] | {
        "status": "refused",
        "score": 0,
        "points": {},
        "seconds": 0,
    }

    rows = list(csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8")))
    assert [row["submission"] for row in rows] == ["ada", "'=1+1", "broken"]
    assert [row["count"] for row in rows] == ["2", "0", ""]
    assert rows[2]["notes"].startswith("broken.ipynb is no JSON")

    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [suite.get("failures") for suite in suites] == ["0", "2", "0"]
    assert [suite.get("errors") for suite in suites] == ["0", "0", "1"]
    assert suites[1][1].find("failure").text == "Ran for too long."


def test_a_result_is_read_back_as_it_was():
    for result in results():
        back = Result.from_record(result.name, json.loads(json.dumps(result.record())))
        assert back.record() == result.record()


def test_the_terminal_says_points_hints_and_notes():
    _, half, refused = results()
    assert report.lines(half) == [
        "=1+1: 0 of 3 points (01_x)",
        "  0/2  count",
        "        one second: One too few: <b>count</b> again.",
        "  0/1  split",
        "        Ran for too long.",
        "  note: A note.",
    ]
    assert report.lines(refused) == ["broken: refused. broken.ipynb is no JSON; save it again."]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    about = {"grade": True, "grade_id": "count_check"}
    hostile = "<script>evil()</script><img src=x onerror=evil()>"
    check = nbformat.v4.new_code_cell(
        "visible()\n### BEGIN HIDDEN TESTS\nsecret()\n### END HIDDEN TESTS\ntask.score()",
        metadata={"nbgrader": about},
        outputs=[nbformat.v4.new_output("display_data", {"text/html": hostile})],
    )
    printed = nbformat.v4.new_code_cell(
        f"print('{hostile}')",
        outputs=[
            nbformat.v4.new_output("display_data", {"text/html": hostile + "<b>kept</b>"}),
            nbformat.v4.new_output("display_data", {"application/javascript": "evil()"}),
            nbformat.v4.new_output("stream", text=hostile),
        ],
    )
    folder = tmp_path_factory.mktemp("page")
    result = results()[1]
    result.name = "grace"
    text = nbformat.v4.new_markdown_cell(
        "## Task\n\nWhy.\n\n<details><summary>A hint</summary>\n\nLook.\n\n</details>\n\n"
        f"{hostile}\n\n[here](javascript:evil())"
    )
    report.page(folder, result, nbformat.v4.new_notebook(cells=[text, printed, check]))
    return (folder / "grace.html").read_text(encoding="utf-8")


def test_the_page_shows_points_feedback_and_outputs(page):
    assert "grace: 0 of 3 points" in page
    assert "One too few: &lt;b&gt;count&lt;/b&gt; again." in page
    assert "kept" in page and "visible" in page
    assert "secret" not in page and "further checks" in page
    # The text cells look as in a notebook.
    assert "<summary>A hint</summary>" in page and "&lt;p&gt;" not in page


def test_nothing_of_a_submission_runs_in_the_page(page):
    import html.parser

    class Tags(html.parser.HTMLParser):
        found: tuple = ()

        def handle_starttag(self, tag, attrs):
            self.found += ((tag, dict(attrs)),)

    parser = Tags()
    parser.feed(page)
    assert not [attrs for _, attrs in parser.found if any(name.startswith("on") for name in attrs)]
    assert "<script>evil()" not in page
    assert not [attrs for _, attrs in parser.found if "evil" in str(attrs.get("href"))]
    pictures = [attrs for tag, attrs in parser.found if tag in ("img", "iframe", "object")]
    assert not [attrs for attrs in pictures if not attrs["src"].startswith("data:")]


def test_a_page_without_a_run(tmp_path):
    report.page(tmp_path, results()[2], None)
    assert "save it again" in (tmp_path / "broken.html").read_text(encoding="utf-8")
