"""The progress bar: seen while something runs, gone afterwards."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils import progress

CODE = """
import time
from course_utils import progress
try:
    with progress.bar(4, "downloading x", "B") as bar:
        for _ in range(4):
            time.sleep(0.2)
            bar.update(1)
            {then}
except ZeroDivisionError:
    pass
"""


@pytest.mark.parametrize("then", ["pass", "1 / 0"])
def test_a_terminal_sees_it_and_gets_its_line_back(then):
    pty = pytest.importorskip("pty")
    import fcntl
    import struct
    import termios

    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    subprocess.run([sys.executable, "-c", CODE.format(then=then)], stderr=inner, check=True)
    os.close(inner)
    seen = os.read(outer, 100_000).decode()
    os.close(outer)
    assert "downloading x" in seen and "\n" not in seen
    # The last thing written wipes the line and goes back to its beginning.
    assert seen.endswith("\r") and seen.rsplit("\r", 2)[1].strip() == ""


@pytest.mark.parametrize("then", ["pass", "1 / 0"])
def test_a_stored_notebook_keeps_nothing_that_can_be_seen(then):
    cell = nbformat.v4.new_code_cell(CODE.format(then=then))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [output for output in notebook.cells[0].outputs if output.get("data") != {}]
    assert shown == []


def test_a_log_sees_nothing(capfd):
    for wanted in (True, False):
        with progress.bar(None, "downloading x", "B", wanted) as bar:
            bar.update(1)
    assert capfd.readouterr() == ("", "")
