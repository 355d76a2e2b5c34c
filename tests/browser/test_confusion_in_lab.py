"""The confusion matrix in JupyterLab, clicked and typed at."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = """\
import numpy as np
from course_utils import plots
from course_utils.metrics import Predictions
from course_utils.widgets import confusion

plots.use_style()
labels = ("_silence_", "_unknown_", *"yes no up down left right on off stop go".split())
rng = np.random.default_rng(3)
truth = np.repeat(np.arange(12), 54)
predicted = np.where(rng.random(648) < 0.12, rng.integers(12, size=648), truth)
predicted[(truth == 2) | (truth == 3)] = truth[(truth == 2) | (truth == 3)]
predicted[162:171] = 11  # nine times "no" is taken for "go", and "yes" is never wrong
sure = rng.uniform(0.5, 1, 648)
scores = np.repeat((1 - sure[:, None]) / 11, 12, axis=1)
scores[np.arange(648), predicted] = sure
speakers = [f"voice{number:02d}" for number in rng.integers(40, size=648)]

def sound(clip):
    t = np.arange(16000) / 16000
    rising = np.sin(2 * np.pi * (300 + 40 * (clip % 54)) * (1 + t) * t)
    noise = np.random.default_rng(clip).normal(0, 0.003, 16000)
    return (0.3 * rising * np.hanning(16000) + noise).astype(np.float32)

confusion.show(Predictions(labels, truth, scores, speakers), sound)"""


@pytest.fixture
def matrix(lab, open_notebook, tmp_path):
    """The page of a notebook that shows the matrix of 648 clips."""
    page = open_notebook(lab.write("confusion.ipynb", NOTEBOOK))
    page.locator(".course-clips img").nth(3).wait_for(timeout=60_000)
    yield page
    page.screenshot(path=tmp_path / "confusion.png")


def cell(page, truth: str, predicted: str):
    """The button of one cell: its name is a number, so its tooltip tells which one it is."""
    return page.locator(f"button[title^='truth {truth}, predicted {predicted}:']")


def opened(page, sentence: str) -> None:
    """Wait until the clips of a cell stand below their heading."""
    page.get_by_role("status").filter(has_text=sentence).wait_for()


def border(found) -> str:
    return found.evaluate("button => getComputedStyle(button).borderTopWidth")


def test_a_learner_clicks_through_the_matrix(matrix):
    page = matrix
    opened(page, "truth no, predicted go: 9 clips")
    images, players = page.locator(".course-clips img"), page.locator(".course-clips audio")
    assert images.count() == players.count() == 4
    assert images.first.evaluate("image => image.complete && image.naturalWidth") > 200
    assert players.first.evaluate(
        """audio => new Promise(done => audio.readyState ? done(audio.duration)
             : audio.addEventListener('loadedmetadata', () => done(audio.duration)))"""
    ) == pytest.approx(1, abs=0.01)
    assert border(cell(page, "no", "go")) == "4px"

    # The rest of its clips, four by four.
    back, more = (page.get_by_role("button", name=name, exact=True) for name in ("back", "more"))
    assert back.is_disabled()
    more.click()
    page.get_by_text("5 to 8 of 9").wait_for()
    more.click()
    page.get_by_text("9 to 9 of 9").wait_for()
    assert images.count() == 1 and more.is_disabled()

    # Another cell by mouse, the next one by keys, and one that is empty.
    cell(page, "yes", "yes").click()
    opened(page, "truth yes, predicted yes: 54 clips")
    page.get_by_text("1 to 4 of 54").wait_for()
    assert border(cell(page, "yes", "yes")) == "4px" and border(cell(page, "no", "go")) == "1px"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    opened(page, "truth yes, predicted no: 0 clips")
    page.get_by_text("This never happened").wait_for()
    assert images.count() == 0
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    opened(page, "truth yes, predicted yes: 54 clips")

    # Shares instead of clips.
    page.get_by_role("button", name="% of row").click()
    cell(page, "no", "go").filter(has_text="17%").wait_for()
    page.get_by_role("button", name="% of column").click()
    cell(page, "yes", "no").filter(has_text="0%").wait_for()


def test_two_clips_fit_beside_the_matrix_and_nothing_overflows_a_narrow_window(matrix):
    page = matrix
    clips = page.locator(".course-clips")

    def sides() -> tuple[float, ...]:
        first, second = (clips.locator("img").nth(number).bounding_box() for number in (0, 1))
        grid = page.locator(".course-matrix").bounding_box()
        return grid["x"] + grid["width"], first["x"], second["x"], first["y"] - second["y"]

    right, first, second, lower = sides()
    assert right <= first < second and lower == 0
    page.set_viewport_size({"width": 800, "height": 1000})
    page.wait_for_function("innerWidth === 800")
    right, first, second, lower = sides()
    assert first < right and first < second and lower == 0, "the clips move below the matrix"
    area = page.locator(".jp-OutputArea-output").last.bounding_box()
    assert second + clips.locator("img").nth(1).bounding_box()["width"] <= (
        area["x"] + area["width"] + 1
    )
