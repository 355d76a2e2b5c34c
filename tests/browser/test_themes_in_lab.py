"""Lessons and widgets in JupyterLab's light and dark theme, in a window 1280 pixels wide."""

from __future__ import annotations

import shutil

import pytest
from test_confusion_in_lab import NOTEBOOK as CONFUSION
from test_stream_in_lab import NOTEBOOK as STREAM
from themes import faults, faults_of_both, switch

from course_utils import places

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LESSONS = sorted((places.project_root() / "notebooks").glob("*.ipynb"))
WIDGETS = (
    """\
from pathlib import Path

import numpy as np
from course_utils import audio
from course_utils.decoding.alignment import Span
from course_utils.widgets import labeller, microphone
from course_utils.widgets.alignment import Alignment
from course_utils.widgets.curves import LiveCurves
from course_utils.widgets.explorer import Explorer

t = np.arange(3 * 16000) / 16000
rising = (0.3 * np.sin(2 * np.pi * (300 + 200 * t) * t)).astype(np.float32)
audio.save("rising.wav", rising, 16000)

class Silent:
    sample_rate = 16000
    def stream(self):
        return self
    def push(self, samples):
        return np.zeros(0), np.zeros(0)""",
    'Explorer({"rising": Path("rising.wav")})',
    CONFUSION,
    STREAM,
    """\
words = [Span("low", 10, 30, 0.98), Span("mid", 50, 70, 0.3), Span("top", 90, 110, 0.9)]
Alignment(rising, 16000, words, seconds_per_step=0.02)""",
    """\
shown = labeller.open("rising.wav", ("activate", "stop"))
shown.marks = [["activate", 700], ["stop", 720], ["stop", 2000]]
shown""",
    "microphone.Listener(Silent())",
    'microphone.Recorder("raw_themes")',
    """\
curves = LiveCurves({"loss": ["loss"]})
curves.update({"step": 1, "loss": 2.0})""",
)

# JupyterLab puts one before each widget; in a grid it takes the place of a cell.
SIGNS = """[...document.querySelectorAll(".widget-container .jupyter-widgets-disconnected")].filter(
  (each) => getComputedStyle(each, "::before").display !== "none").length"""


@pytest.fixture(scope="module")
def stored(lab):
    """The lessons as they are stored, trusted as `make lab` trusts them; their names."""
    for path in LESSONS:
        shutil.copy(path, lab.folder)
        lab.ask(f"contents/{path.name}/trust", method="POST")
    return [path.name for path in LESSONS]


@pytest.fixture
def kernel(lab):
    """The id of a kernel for all stored lessons: where there is none, stored widgets fail."""
    started = lab.ask("kernels", method="POST")["id"]
    yield started
    lab.ask(f"kernels/{started}", method="DELETE")


def show(page, name: str, kernel: str) -> None:
    """Open a stored notebook with a kernel that runs nothing, and wait until all of it is there."""
    page.evaluate(
        """async ([path, id]) => {
             const opened = await jupyterapp.commands.execute(
               "docmanager:open", { path, kernelPreference: { id } });
             await opened.context.ready;
             await opened.revealed;
           }""",
        [name, kernel],
    )
    page.wait_for_function(
        """() => {
             const images = [...document.querySelectorAll(".jp-OutputArea-output img")];
             return images.length && images.every((image) => image.complete);
           }"""
    )


def test_stored_lessons(page, lab, stored, kernel, tmp_path):
    page.goto(lab.address("lab"), timeout=90_000)
    page.wait_for_function("window.jupyterapp")
    page.evaluate("jupyterapp.restored")
    found = []
    for name in stored:
        show(page, name, kernel)
        found += [f"{name} {each}" for each in faults_of_both(page)]
        if signs := page.evaluate(SIGNS):
            found.append(f"{name}: {signs} signs of a missing kernel inside widgets")
        page.screenshot(path=tmp_path / f"{name}.png")
        page.evaluate("jupyterapp.shell.currentWidget.dispose()")  # asks not whether to save
    assert not found, "\n".join(found)


def letters(canvas) -> int:
    """How bright what a listener or a recorder writes beside its picture is, from 0 to 255."""
    return canvas.evaluate(
        """canvas => {
             const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, 200);
             let brightest = 0;
             for (let i = 0; i < data.length; i += 4) {
               const [red, green, blue, opacity] = data.slice(i, i + 4);
               if (opacity > 200 && red === green && green === blue) {
                 brightest = Math.max(brightest, red);
               }
             }
             return brightest;
           }"""
    )


def test_widgets(page, lab, open_notebook, tmp_path):
    open_notebook(lab.write("widgets.ipynb", *WIDGETS))
    # With a word and a mark that are chosen, and with what a page without a microphone is told.
    page.locator(".course-alignment button", has_text="mid").click()
    page.locator(".course-labeller tbody tr").first.click()
    page.get_by_role("button", name="start listening").click()
    page.get_by_role("alert").filter(has_text="or open a sound file instead.").wait_for()
    canvases = page.locator(".course-mic canvas").all()
    assert len(canvases) == 2
    found = []
    for theme, written in (("Light", range(100)), ("Dark", range(181, 256))):
        switch(page, theme)
        found += [f"{theme} {each}" for each in faults(page)]
        page.wait_for_timeout(300)  # a listener draws again with the next picture of the page
        found += [f"{theme} letters in {each}" for each in canvases if letters(each) not in written]
        page.screenshot(path=tmp_path / f"{theme}.png")
    assert not found, "\n".join(found)
