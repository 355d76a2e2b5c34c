"""The explorer of streams in JupyterLab, moved by keys and by mouse."""

from __future__ import annotations

import re

import pytest
from pictures import changed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Two minutes, a word every four seconds. Every fifth word is heard as "go", every seventh not at
# all, the others with scores from 0.5 to 0.97.
NOTEBOOK = """\
import numpy as np
from course_utils import plots
from course_utils.streaming import Recording, Scores
from course_utils.widgets import stream

plots.use_style()
labels = ("_silence_", "_unknown_", *"yes no up down left right on off stop go".split())
spoken = [(labels[1 + n % 10], 4000 * n + 1500) for n in range(29)]
times = np.arange(0, 119_000, 30)
values = np.full((len(times), 12), 0.002)
for n, (label, time_ms) in enumerate(spoken):
    heard = "go" if n % 5 == 4 else label
    if n % 7 != 6:
        values[np.abs(times - time_ms) < 400, labels.index(heard)] = 0.5 + n % 10 * 0.05
values[:, 0] = 1 - values[:, 1:].sum(axis=1)
t = np.arange(120 * 16000) / 16000
sound = (0.3 * np.sin(2 * np.pi * (300 + 5 * t) * t)).astype(np.float32)
ends = tuple(time_ms + 700 for _, time_ms in spoken)
recording = Recording(sound, 16000, tuple(spoken), ends, ("ann",) * 29)
stream.show(Scores(labels, times, values), recording)"""


@pytest.fixture
def explorer(lab, open_notebook, tmp_path):
    """The page of a notebook that shows the explorer over two minutes."""
    page = open_notebook(lab.write("stream.ipynb", NOTEBOOK))
    page.locator(".jp-OutputArea img[alt^='Time line']").wait_for(timeout=60_000)
    yield page
    page.screenshot(path=tmp_path / "stream.png")


def handle(page, label: str):
    """What is dragged, or moved by the arrow keys."""
    return page.locator(".widget-slider", has_text=label).locator(".noUi-handle")


def readouts(page) -> list[str]:
    """What stands beside the four sliders."""
    labels = ("average window (ms)", "threshold", "suppression (ms)", "minimum count")
    sliders = [page.locator(".widget-slider", has_text=label) for label in labels]
    return [slider.locator(".widget-readout").inner_text() for slider in sliders]


def numbers(page) -> list[int]:
    """Words matched, correct and wrong, and false positives."""
    said = page.get_by_role("status").filter(has_text="words spoken").inner_text()
    found = re.search(r"matched: (\d+) of 29.*correct: (\d+); wrong: (\d+).*positives: (\d+)", said,
                      re.DOTALL)  # fmt: skip
    return [int(number) for number in found.groups()]


def test_a_learner_turns_the_settings(explorer):
    page = explorer
    image = page.locator(".jp-OutputArea img")
    assert image.evaluate("image => image.complete && image.naturalWidth") == 720
    source = image.get_attribute("src")
    assert readouts(page) == ["500", "0.70", "500", "4"]
    matched, correct, wrong, false = numbers(page)
    assert 0 < correct < matched < 29 and wrong and false == 0

    # Keys: the threshold goes down step by step, and more words are told.
    for _ in range(15):
        handle(page, "threshold").press("ArrowLeft")
    source = changed(page, source)
    assert readouts(page)[1] == "0.55"
    lower = numbers(page)
    assert lower[0] > matched and lower[1] > correct
    assert f"correct ({lower[1]}), wrong ({lower[2]})" in image.get_attribute("alt")

    # The mouse: drag the average window to the right, until the words drown in silence.
    box = handle(page, "average window (ms)").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 90, middle[1], steps=4)
    page.mouse.up()
    source = changed(page, source)
    assert int(readouts(page)[0]) > 1500 and numbers(page)[0] == 0

    # Presets by mouse and by keys, and back again.
    page.get_by_role("button", name="C++ tool").click()
    source = changed(page, source)
    assert readouts(page) == ["500", "0.70", "1500", "3"]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.widget-readout')].some(e => e.innerText === '4')"
    )
    assert readouts(page) == ["500", "0.70", "500", "4"]
    handle(page, "threshold").press("ArrowRight")
    source = changed(page, source)
    page.get_by_role("button", name="start again").click()
    source = changed(page, source)
    assert numbers(page) == [matched, correct, wrong, false]

    # Settings that cannot be used, and the way back.
    alert = page.get_by_role("alert")
    for presses, count in ((16, 20), (4, 24)):
        for _ in range(presses):
            handle(page, "minimum count").press("ArrowRight")
        alert.filter(has_text=f"{count} scores that a decision needs").wait_for()
        kept, source = source, image.get_attribute("src")
    assert source == kept, "the picture stays"
    assert alert.inner_text().startswith("The scores are 30 ms apart")
    page.get_by_role("button", name="Python tool").click()
    alert.wait_for(state="detached")
    assert numbers(page) == [matched, correct, wrong, false]


def test_a_learner_goes_from_mistake_to_mistake(explorer):
    page = explorer
    image, player = (page.locator(f".jp-OutputArea {tag}") for tag in ("img", "audio"))
    source = image.get_attribute("src")
    assert player.get_attribute("aria-label").startswith("sound: the stretch from 0 to 20 s")
    page.get_by_role("button", name="next mistake").click()
    place = page.get_by_role("status").filter(has_text="Mistake 1 of")
    place.wait_for()
    source = changed(page, source)
    for number in range(2, 9):
        page.keyboard.press("Enter")  # the button keeps the focus
        page.get_by_role("status").filter(has_text=f"Mistake {number} of").wait_for()
    source = changed(page, source)
    at = re.search(r"at ([\d.]+) s", page.get_by_role("status").last.inner_text()).group(1)
    begin = int(page.locator(".widget-slider", has_text="from (s)").inner_text().split()[-1])
    assert begin > 0 and begin <= float(at) <= begin + 20
    assert f"at {at} s" in image.get_attribute("alt")
    page.locator(f".jp-OutputArea audio[aria-label*='from {begin} to {begin + 20} s']").wait_for()
    seconds = player.evaluate(
        """audio => new Promise(done => audio.readyState ? done(audio.duration)
             : audio.addEventListener('loadedmetadata', () => done(audio.duration)))"""
    )
    assert seconds == pytest.approx(20, abs=0.01)
    page.get_by_role("button", name="previous mistake").press("Enter")
    page.get_by_role("status").filter(has_text="Mistake 7 of").wait_for()

    # The stretch by keys, and the other rule.
    page.get_by_role("button", name="next mistake").press("Enter")
    page.get_by_role("status").filter(has_text="Mistake 8 of").wait_for()
    handle(page, "from (s)").press("ArrowRight")
    page.locator(f".jp-OutputArea audio[aria-label*='from {begin + 1} to']").wait_for()
    page.get_by_role("status").filter(has_text="mistakes in the whole recording").wait_for()
    source = image.get_attribute("src")
    handle(page, "tolerance (ms)").press("Home")
    source = changed(page, source)
    assert numbers(page)[3] > 0, "with no tolerance everything is a false positive"
    page.get_by_role("button", name="one to one").click()
    page.wait_for_function(
        "() => document.querySelector('.mod-active')?.innerText.includes('one to one')"
    )


def test_nothing_overflows_a_narrow_window(explorer):
    page = explorer
    page.set_viewport_size({"width": 800, "height": 1100})
    page.wait_for_function("innerWidth === 800")
    area = page.locator(".jp-OutputArea-output").last.bounding_box()
    right = area["x"] + area["width"] + 1
    for part in page.locator(
        ".jp-OutputArea-output :is(.widget-slider, button, img, audio, [role=status])"
    ).all():
        box = part.bounding_box()
        assert box["x"] >= area["x"] - 1 and box["x"] + box["width"] <= right
    assert page.locator(".jp-OutputArea img").bounding_box()["width"] > 550
    for label in page.locator(".jp-OutputArea-output .widget-label").all():
        assert label.evaluate("label => label.scrollWidth <= label.clientWidth"), "a label is cut"
