"""A notebook that trains in PyTorch: its curves, the stop button, and the same cell again."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

FIRST = """
import signal
import sys
from pathlib import Path

sys.path.insert(0, {tests!r})
import small_torch
from course_utils.widgets.curves import LiveCurves

PANELS = {{"loss": ["loss", "validation_loss"], "right (%)": ["accuracy"]}}

def train(report):
    loop = small_torch.looped(Path({folder!r}), tensorboard=True)
    curves = LiveCurves(PANELS, loop.history)
    loop.run(small_torch.batch_of, small_torch.plan(12), lambda: {{"validation_loss": 1.0}},
             lambda entry: (curves.update(entry), report(entry)))
    return loop
"""
STOPPED = """
train(lambda entry: entry["step"] == 8 and signal.raise_signal(signal.SIGINT));
"""
AGAIN = """
loop = train(lambda entry: None)
assert [entry["step"] for entry in loop.history] == [4, 8, 12]
assert "tensorflow" not in sys.modules
"""


def test_the_stop_button_and_the_same_cell_again(tmp_path):
    named = {"tests": str(Path(__file__).parent), "folder": str(tmp_path)}
    cells = [nbformat.v4.new_code_cell(code.format(**named)) for code in (FIRST, STOPPED, AGAIN)]
    cells[1].metadata.tags = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    # An emptied bar is {}.
    first, stopped, again = ([o for o in c.outputs if o.get("data") != {}] for c in notebook.cells)
    assert first == []
    assert [output.output_type for output in stopped] == ["display_data", "error"]
    assert stopped[1].evalue == (
        "stopped after step 8 of 12, which is saved; run the same again to go on"
    )
    assert [output.output_type for output in again] == ["display_data"]
    for (output, *_), last in ((stopped, 8), (again, 12)):
        alt = output.metadata["image/png"]["alt"]
        assert " at step 4 to " in alt and f"at step {last}, with its minimum" in alt
