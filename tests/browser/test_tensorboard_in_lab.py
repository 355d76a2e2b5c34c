"""TensorBoard inside a notebook in JupyterLab: its frame really shows the curves."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

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


def test_the_frame_shows_the_curves(lab, open_notebook, tmp_path):
    page = open_notebook(lab.write("tensorboard.ipynb", NOTEBOOK))
    board = page.frame_locator("iframe[title^='TensorBoard of']")
    board.get_by_text("a_curve").first.wait_for(timeout=90_000)
    page.screenshot(path=tmp_path / "tensorboard.png")
