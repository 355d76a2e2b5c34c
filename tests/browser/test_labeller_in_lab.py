"""The labeller in JupyterLab: played, marked by keys and by mouse, saved."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from course_utils import audio
from course_utils.streaming import read_ground_truth

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RATE, SECONDS = 16000, 42
CELLS = (
    """\
from course_utils.widgets import labeller

shown = labeller.open("meeting.wav", ("activate", "stop"))
shown""",
    "print(shown.marks)",
    "if shown.marks:\n    shown.marks = [['stop', 1500]]",
    "if shown.marks:\n    shown._sound = {**shown._sound, 'samples': 2 * 16000}",
)
# What the page hands to the sound card: when, from which sample on, and what.
LISTEN = """
window.played = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  const { buffer, playbackRate } = this;
  const steps = buffer.getChannelData(0).map((value) => 32768 * value);
  window.played.push({ when, offset: Math.round(offset * buffer.sampleRate), length: buffer.length,
    rate: buffer.sampleRate, speed: playbackRate.value, total: steps.reduce((a, b) => a + b) });
  start.call(this, when, offset);
};
"""


@pytest.fixture
def shown(page, lab, open_notebook, tmp_path):
    """The page of a notebook that shows the labeller over 42 s of noise with three beeps."""
    samples = np.random.default_rng(1).normal(0, 0.003, SECONDS * RATE)
    turn = np.linspace(0.1, 0.5, RATE // 2) * np.arange(RATE // 2)
    for begin in (3, 7, 21):
        samples[begin * RATE :][: len(turn)] += 0.5 * np.sin(turn) * np.hanning(len(turn))
    audio.save(lab.folder / "meeting.wav", samples, RATE)
    (lab.folder / "meeting_labels.txt").unlink(missing_ok=True)
    page.add_init_script(LISTEN)
    open_notebook(lab.write("labeller.ipynb", *CELLS))
    page.locator(".course-labeller").wait_for(timeout=60_000)
    yield page
    page.screenshot(path=tmp_path / "labeller.png")


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def button(page, name: str):
    return page.locator(".course-labeller").get_by_role("button", name=name, exact=True)


def head(page) -> float:
    """Where the play head is, in seconds."""
    minutes, seconds = page.locator(".time").inner_text().split(" of ")[0].split(":")
    return 60 * int(minutes) + float(seconds)


def table(page) -> list[tuple[str, float]]:
    """Word and milliseconds of every row."""
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tbody tr").all()]
    return [(word, 60_000 * int((t := time.split(":"))[0]) + round(1000 * float(t[1])))
            for time, word, _ in rows]  # fmt: skip


def said(page, sentence: str | re.Pattern) -> None:
    page.locator(".course-labeller [role=status]").filter(has_text=sentence).wait_for()


def run_again(page, number: int) -> str:
    """Run one of the notebook's cells once more; what it prints."""
    cell = page.locator(".jp-CodeCell").nth(number)
    before = cell.locator(".jp-InputPrompt").inner_text()
    cell.locator(".cm-content").click()
    press(page, "Shift+Enter")
    page.wait_for_function(
        """([number, before]) => /\\d/.test(document.querySelectorAll(
            '.jp-CodeCell .jp-InputPrompt')[number].innerText.replace(before, ''))""",
        arg=[number, before],
    )
    output = cell.locator(".jp-OutputArea-output")
    return output.inner_text().strip() if output.count() else ""


def test_a_learner_labels_a_recording(shown, lab):
    page, file = shown, lab.folder / "meeting_labels.txt"
    frame, unsaved = page.locator(".course-labeller"), page.locator(".unsaved")
    frame.focus()
    assert head(page) == 0 and not unsaved.is_visible()

    # Mark by key, and move it by keys; those steps are undone together.
    press(page, *["Shift+ArrowRight"] * 3, "m")
    said(page, "Marked activate at 0:03.000.")
    press(page, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft")
    assert table(page) == [("activate", 3110)] and unsaved.is_visible()
    press(page, "Control+z")
    assert table(page) == [("activate", 3000)]

    # Another word by button, moved by mouse.
    button(page, "stop").click()
    press(page, "PageDown")
    button(page, "mark").click()
    assert table(page)[1] == ("stop", 8000)
    detail, mark = page.locator(".detail"), page.locator(".detail .mark.selected")
    second = detail.bounding_box()["width"] / 10
    box = mark.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + 9)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - second, middle[1], steps=4)
    page.mouse.up()
    (_, moved) = table(page)[1]
    assert moved == pytest.approx(7000, abs=1000 / second)

    # While it plays, with Enter; then removed, brought back, and removed by key.
    press(page, "Home", " ")
    page.wait_for_function("document.querySelector('.time').innerText > '0:01.2'")
    press(page, "Enter", " ")
    assert table(page)[0] == ("stop", pytest.approx(1000 * head(page), abs=400))
    assert 1200 < table(page)[0][1] < 4000
    page.get_by_role("button", name=re.compile("^delete stop at 0:0[1-3]")).click()
    assert len(table(page)) == 2
    press(page, "Control+z")
    assert len(table(page)) == 3
    press(page, "Home", "ArrowDown", "Delete")
    said(page, re.compile("Removed stop at 0:0[1-3]"))

    # Nothing is taken for a shortcut of the notebook: M makes text of a cell, A, B and X cells.
    press(page, "a", "b", "x")
    assert page.locator(".jp-CodeCell").count() == len(CELLS)
    expected = [("activate", 3000), ("stop", moved)]
    assert table(page) == expected
    button(page, "save").click()
    said(page, "Saved 2 marks to meeting_labels.txt.")
    assert read_ground_truth(file) == expected and not unsaved.is_visible()
    assert run_again(page, 1) == str([list(entry) for entry in expected])

    # What is typed elsewhere is none of its business; what Python sets, it shows.
    assert run_again(page, 2) == ""
    page.locator("td", has_text="0:01.500").wait_for()
    assert table(page) == [("stop", 1500)] and unsaved.is_visible()
    frame.focus()
    press(page, "Control+z", "Control+s")
    said(page, "Saved 2 marks")
    assert read_ground_truth(file) == expected


def test_what_is_played_is_the_recording_to_the_sample(shown, lab):
    page = shown
    samples, _ = audio.load(lab.folder / "meeting.wav")
    steps = samples * 32768
    page.locator(".course-labeller").focus()
    press(page, *["Shift+ArrowRight"] * 4, "ArrowRight", " ")
    page.wait_for_function("played.length > 2")
    page.wait_for_function("document.querySelector('.time').innerText > '0:05.2'")
    button(page, "half speed").click()
    page.wait_for_function("played.length > 5")
    press(page, " ")
    played = page.evaluate("played")
    assert played[0]["offset"] == pytest.approx(4.1 * RATE, abs=1)
    for number, piece in enumerate(played[:3]):
        part = steps[number * 5 * RATE :][: 5 * RATE]
        assert piece["rate"] == RATE and piece["length"] == len(part)
        assert piece["total"] == pytest.approx(part.sum(), abs=2)
    slow = next(number for number, piece in enumerate(played) if piece["speed"] == 0.5)
    for run in (played[:slow], played[slow:]):
        assert len({piece["speed"] for piece in run}) == 1
        for one, other in itertools.pairwise(run):
            lasts = (one["length"] - one["offset"]) / RATE / one["speed"]
            assert other["when"] == pytest.approx(one["when"] + lasts, abs=1e-6)
            assert other["offset"] == 0
    # Slower, it goes on from where it was.
    assert played[slow]["offset"] == pytest.approx(0.2 * RATE, abs=0.4 * RATE)

    # From the end it begins anew; the pictures follow the head.
    press(page, "End")
    assert head(page) == SECONDS
    page.get_by_text("0:41", exact=True).wait_for()
    press(page, " ")
    page.wait_for_function("document.querySelector('.time').innerText < '0:05'")
    press(page, " ")


def test_every_mark_is_reached_and_heard_by_keys(shown):
    page = shown
    page.locator(".course-labeller").focus()
    press(page, "PageDown", "m", "PageDown", "PageDown", "PageDown", "2", "m")
    assert table(page) == [("activate", 5000), ("stop", 20000)]
    press(page, "ArrowUp")
    assert head(page) == 5
    press(page, "l")
    page.wait_for_function("document.querySelector('.time').innerText > '0:04.8'")
    button(page, "pause").click()
    assert 4.5 < head(page) < 8
    assert played_from(page) == pytest.approx(4.5, abs=0.01)

    # Tab goes from the frame through the buttons into the table; Enter presses what it reached.
    listen = page.get_by_role("button", name=re.compile("^listen from .* stop at 0:20.000"))
    page.locator(".course-labeller").focus()
    for _ in range(20):
        if listen.evaluate("button => button === document.activeElement"):
            break
        press(page, "Tab")
    press(page, "Tab", "Enter")
    assert table(page) == [("activate", 5000)], "the button after 'listen' deletes"
    press(page, "Enter")  # the focus is on the same button of the row that is left
    assert table(page) == []
    press(page, "Control+z")  # and then on the frame
    assert len(table(page)) == 1


def played_from(page) -> float:
    """Where in its piece the last sound began, in seconds."""
    pieces = page.evaluate("played")
    return pieces[0]["offset"] / RATE


def test_a_mark_that_python_refuses_is_taken_back(shown):
    page, frame = shown, shown.locator(".course-labeller")
    frame.focus()
    press(page, "Shift+ArrowRight", "m")
    assert run_again(page, 3) == ""  # for Python, the recording now ends before the next mark
    frame.focus()
    press(page, "PageDown", "m")
    said(page, "Mark 2 (activate) is at 6000 ms; expected a time within the recording, 0 to 2000")
    assert table(page) == [("activate", 1000)]
    press(page, "Control+z")
    assert table(page) == [], "what was refused is not brought back"


def test_nothing_overflows_a_narrow_window(shown):
    page = shown
    page.locator(".course-labeller").focus()
    press(page, "m", "PageDown", "m")
    page.set_viewport_size({"width": 800, "height": 1100})
    page.wait_for_function("innerWidth === 800")
    area = page.locator(".jp-OutputArea-output").first.bounding_box()
    for part in page.locator(
        ".course-labeller :is(button, .overview, .detail, table, [role=status])"
    ).all():
        box = part.bounding_box()
        assert box["x"] >= area["x"] and box["x"] + box["width"] <= area["x"] + area["width"]
    assert page.locator(".detail").bounding_box()["width"] > 550
    canvas = page.locator(".detail canvas")
    assert canvas.evaluate("canvas => canvas.width === canvas.clientWidth * devicePixelRatio")
