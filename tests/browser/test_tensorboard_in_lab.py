"""TensorBoard inside a notebook in JupyterLab: curves while it runs, a sentence afterwards."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME = "tensorboard.ipynb"
NOTEBOOK = """\
from pathlib import Path
from tempfile import mkdtemp
from course_utils import lesson
from course_utils.widgets import tensorboard

with lesson.quietly():
    import tensorflow as tf
folder = Path(mkdtemp())
with tf.summary.create_file_writer(str(folder)).as_default():
    for step in range(5):
        tf.summary.scalar("a_curve", 1 / (1 + step), step)
tensorboard.show(folder)"""


def frame_in(page):
    """The document in TensorBoard's frame, once it is there; Playwright looks into iframes only."""
    address = page.locator("object[title^='TensorBoard of']").get_attribute("data")
    for _ in range(300):
        if frame := page.frame(url=lambda url: url.startswith(address)):
            return frame
        page.wait_for_timeout(200)
    pytest.fail(f"nothing was loaded from {address}")


def test_the_frame_shows_the_curves_and_without_a_kernel_a_sentence(lab, open_notebook, tmp_path):
    page = open_notebook(lab.write(NAME, NOTEBOOK))
    frame_in(page).get_by_text("a_curve").first.wait_for(timeout=90_000)
    page.screenshot(path=tmp_path / "tensorboard.png")

    # Saved, and opened again on another day.
    page.locator(".jp-InputPrompt").first.click()
    page.keyboard.press("Control+s")
    page.locator(".jp-mod-dirty").wait_for(state="detached")
    for session in lab.ask("sessions"):
        lab.ask(f"sessions/{session['id']}", method="DELETE")
    page.reload()
    stored = page.locator("object", has_text="TensorBoard is shown here once this cell is run")
    stored.wait_for(timeout=60_000)
    page.screenshot(path=tmp_path / "stored.png")
    assert stored.bounding_box()["height"] < 100, "the sentence takes the place of the frame"
