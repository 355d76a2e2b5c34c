"""The spectrogram explorer in JupyterLab, moved by hand."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import soundfile
from pictures import changed

from course_utils import audio

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RATE = 16000
NOTEBOOK = """\
from pathlib import Path

from course_utils.widgets.explorer import Explorer

Explorer({path.stem: path for path in sorted(Path("clips").glob("*.wav"))})"""


def rising(low: float, high: float) -> np.ndarray:
    t = np.arange(RATE) / RATE
    sound = np.sin(2 * np.pi * (low * t + (high - low) / 2 * t**2)) * np.hanning(RATE)
    return (0.5 * sound).astype(np.float32)


def wav_bytes(samples: np.ndarray, rate: int) -> bytes:
    memory = io.BytesIO()
    soundfile.write(memory, samples, rate, format="WAV")
    return memory.getvalue()


@pytest.fixture
def explorer(lab, open_notebook, tmp_path):
    """The page of a notebook that shows the explorer over two clips."""
    clips = lab.folder / "clips"
    clips.mkdir(exist_ok=True)
    audio.save(clips / "low.wav", rising(200, 2000), RATE)
    audio.save(clips / "wide.wav", rising(500, 7000), RATE)
    page = open_notebook(lab.write("explorer.ipynb", NOTEBOOK))
    page.locator(".jp-OutputArea img[alt^='spectrogram']").wait_for(timeout=60_000)
    yield page
    page.screenshot(path=tmp_path / "explorer.png")


def open_file(page, name: str, content: bytes) -> None:
    """What a learner does with the button and the system's own window."""
    with page.expect_file_chooser() as choice:
        page.get_by_role("button", name="open a file").click()
    choice.value.set_files({"name": name, "mimeType": "audio/wav", "buffer": content})


def test_a_learner_moves_the_explorer(explorer, tmp_path):
    page = explorer
    image = page.locator(".jp-OutputArea img")
    assert image.evaluate("image => image.complete && image.naturalWidth") > 500
    assert "window 25 ms" in image.get_attribute("alt")
    source = image.get_attribute("src")

    # Keys: one step of the first slider.
    slider = page.locator(".widget-slider", has_text="window (ms)")
    slider.locator(".noUi-handle").press("ArrowRight")
    source = changed(page, source)
    assert "window 26 ms" in image.get_attribute("alt")

    # The mouse: drag the same handle to the right, beyond where it was.
    box = slider.locator(".noUi-handle").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1], steps=4)
    page.mouse.up()
    source = changed(page, source)
    page.wait_for_function(
        r"+document.querySelector('.jp-OutputArea img').alt.match(/window (\d+)/)[1] > 40"
    )

    # Another kind, another clip.
    page.get_by_role("button", name="mel", exact=True).click()
    page.locator(".jp-OutputArea img[alt^='mel of 1.00 s']").wait_for()
    page.get_by_role("button", name="MFCC", exact=True).click()
    page.locator(".jp-OutputArea img[alt^='MFCC of 1.00 s']").wait_for()
    source, player = changed(page, source), page.locator(".jp-OutputArea audio")
    assert player.get_attribute("aria-label").startswith("sound: low, 1.00 s")
    page.locator(".widget-dropdown select").select_option("wide")
    source = changed(page, source)
    page.locator(".jp-OutputArea audio[aria-label^='sound: wide, 1.00 s']").wait_for()
    seconds = player.evaluate(
        """audio => new Promise(done => audio.readyState ? done(audio.duration)
             : audio.addEventListener('loadedmetadata', () => done(audio.duration)))"""
    )
    assert seconds == pytest.approx(1, abs=0.01)

    # A file of one's own, and one that is none.
    rise = rising(100, 3000)
    open_file(page, "mine.wav", wav_bytes(rise[: RATE // 2], 8000))
    page.locator(".jp-OutputArea audio[aria-label*='mine.wav, 1.00 s at 8000 Hz']").wait_for()
    assert page.locator(".widget-dropdown select").input_value() == "mine.wav"
    source = changed(page, source)
    open_file(page, "no.wav", b"no sound here")
    alert = page.get_by_role("alert").filter(has_text="no.wav")
    alert.wait_for()
    assert re.fullmatch(r"no\.wav is not audio .*", alert.inner_text())
    assert image.get_attribute("src") == source
    open_file(page, "mine.wav", wav_bytes(rise[: RATE // 4], 8000))
    page.locator(".jp-OutputArea audio[aria-label*='mine.wav, 0.50 s at 8000 Hz']").wait_for()
    page.locator(".jp-OutputArea img[alt^='MFCC of 0.50 s']").wait_for()
    alert.wait_for(state="detached")  # the page hears of it after the picture
    page.screenshot(path=tmp_path / "moved.png")


def test_nothing_overflows_a_narrow_window(explorer):
    page = explorer
    page.set_viewport_size({"width": 800, "height": 900})
    image = page.locator(".jp-OutputArea img")
    page.wait_for_function("innerWidth === 800")
    box, area = image.bounding_box(), page.locator(".jp-OutputArea-output").last.bounding_box()
    assert box["width"] <= area["width"] + 1 and box["width"] > 300
