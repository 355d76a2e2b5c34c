"""Curves that grow: what they draw, what they say, and the one picture that stays."""

import base64
import io

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from course_utils.widgets.curves import LiveCurves

PANELS = {
    "loss": ["loss", "validation_loss"],
    "misses (%)": ["miss_rate"],
    "false alarms per hour": ["false_alarms_per_hour"],
}


def entry(step: int, **more: float) -> dict:
    return {
        "step": step, "loss": 10 / step, "validation_loss": 1 + abs(step - 20) / 100,
        "miss_rate": 0.5, "false_alarms_per_hour": 3.0, "seconds": 1.0, **more,
    }  # fmt: skip


HISTORY = [entry(10), entry(20), entry(40)]


@pytest.fixture
def axes():
    def drawn(panels, *history) -> list:
        curves = LiveCurves(panels)
        for each in history:
            curves.update(each)
        found.append(curves.draw())
        return found[-1].axes

    found = []
    yield drawn
    for fig in found:
        plt.close(fig)


def test_each_panel_has_its_curves_over_the_steps(axes):
    loss, misses, alarms = axes(PANELS, *HISTORY)
    first, second = loss.lines
    assert first.get_xdata().tolist() == second.get_xdata().tolist() == [10, 20, 40]
    assert first.get_ydata().tolist() == [1, 0.5, 0.25]
    np.testing.assert_allclose(second.get_ydata(), [1.1, 1, 1.2])
    assert misses.lines[0].get_ydata().tolist() == [50] * 3  # per cent
    assert alarms.lines[0].get_ydata().tolist() == [3] * 3
    assert [ax.get_ylabel() for ax in (loss, misses, alarms)] == list(PANELS)
    assert {ax.get_xlabel() for ax in (loss, misses, alarms)} == {"step"}
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        "loss", "validation loss"
    ]  # fmt: skip
    assert misses.get_legend() is None
    assert loss.get_ylim()[0] == 0


def test_five_curves_are_told_apart_without_colour(axes):
    names = list("abcde")
    (ax,) = axes({"all": names}, *({"step": s, **dict.fromkeys(names, s)} for s in (1, 2)))
    assert len({(line.get_marker(), str(line.get_linestyle())) for line in ax.lines}) == 5
    assert len({line.get_marker() for line in ax.lines}) == 5
    assert len({line.get_color() for line in ax.lines}) == 5


def test_what_it_says(axes):
    loss, misses, _ = (getattr(ax, "course description", "") for ax in axes(PANELS, *HISTORY))
    assert loss == (
        "loss over the steps of training: loss goes from 1 at step 10 to 0.25 at step 40, with its"
        " minimum 0.25 at step 40; validation loss goes from 1.1 at step 10 to 1.2 at step 40, with"
        " its minimum 1 at step 20."
    )
    assert misses.startswith("misses (%) over the steps of training: miss rate goes from 50 at")


def test_one_entry(axes):
    ax = axes({"loss": ["loss"]}, entry(10))[0]
    assert "training: loss is 1 at step 10." in getattr(ax, "course description")
    assert ax.get_xlim() == (0, pytest.approx(10.3))


def test_numbers_that_are_not_there_yet(axes):
    history = entry(10, late=np.nan, gap=1), entry(20, late=None), entry(40, gap=-2)
    late, gap = axes({"one": ["late"], "two": ["gap"]}, *history)
    assert [text.get_text() for text in late.get_legend().get_texts()] == ["no late yet"]
    assert getattr(late, "course description").endswith("training: no late yet.")
    assert gap.lines[0].get_xdata().tolist() == [10, 40]
    assert gap.get_ylim()[0] < -2


@pytest.mark.parametrize("count, rows", [(1, 1), (2, 1), (4, 2), (6, 2)])
def test_three_panels_in_a_row(axes, count, rows):
    found = axes({f"panel {number}": ["loss"] for number in range(count)}, *HISTORY)
    assert len(found) == count
    assert len({round(ax.get_subplotspec().rowspan.start) for ax in found}) == rows


@pytest.mark.parametrize("panels", [{}, {"loss": []}, {"loss": list("abcdef")}])
def test_too_few_or_too_many(panels):
    most = max(map(len, panels.values()), default=0)
    with pytest.raises(ValueError, match=f"Found {len(panels)} panels with at most {most} curves"):
        LiveCurves(panels)


def test_outside_a_notebook_nothing_is_shown(capfd):
    curves = LiveCurves(PANELS, HISTORY)
    curves.update(entry(50))
    assert capfd.readouterr() == ("", "")
    assert not plt.get_fignums()


CODE = """
from course_utils import plots, progress
from course_utils.widgets.curves import LiveCurves

plots.use_style()
curves = LiveCurves({panels}, {history}[:{first}])
with progress.bar(3, "training", " steps") as shown:
    for entry in {history}[{first}:]:
        with shown.external_write_mode():
            curves.update(entry)
        shown.update()
"""
SAME = """
fig = curves.draw()
plots.show(fig)
"""


@pytest.mark.parametrize("first", [0, 2])
def test_a_stored_notebook_keeps_the_last_picture_as_plots_show_does(first):
    code = CODE.format(panels=PANELS, history=HISTORY, first=first)
    cells = [nbformat.v4.new_code_cell(source) for source in (code, SAME)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    # An emptied bar is {}.
    kept, shown = ([o for o in cell.outputs if o.get("data") != {}] for cell in notebook.cells)
    assert kept == shown and len(kept) == 1
    (picture,) = kept
    assert picture.output_type == "display_data"
    assert set(picture.data) == {"image/png", "text/plain"}
    assert picture.metadata["image/png"]["alt"].startswith("loss over the steps of training: loss")
    pixels = Image.open(io.BytesIO(base64.b64decode(picture.data["image/png"]))).size
    assert pixels == (720, 192)
