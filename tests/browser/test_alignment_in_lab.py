"""An aligned utterance in JupyterLab: clicked, typed at, and read without a kernel."""

from __future__ import annotations

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils import audio

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RATE, STEP_S, MARGIN_S = 16000, 0.02, 0.03
# Step by step what is written: three words, each while its tone sounds, the second one in doubt.
PATH = list("_" * 110)
for at, letter in zip((10, 18, 26, 33, 42, 50, 58, 66, 75, 83, 91), "low mid top", strict=True):
    PATH[at] = letter
SPANS_S = {"low": (0.2, 0.54), "mid": (0.84, 1.18), "top": (1.5, 1.84)}
NOTEBOOK = f"""\
import numpy as np
from course_utils import audio
from course_utils.decoding.alignment import align, words
from course_utils.features.text import LETTERS
from course_utils.widgets.alignment import Alignment

path = "{"".join(PATH)}"
probabilities = np.full((len(path), 29), 0.02 / 28)
for step, letter in enumerate(path):
    written = LETTERS.blank if letter == "_" else LETTERS.symbols.index(letter)
    sure = 0.3 if letter in "mid" else 0.98
    probabilities[step] = (1 - sure) / 28
    probabilities[step, written] = sure
characters = align(np.log(probabilities), "low mid top", LETTERS)
samples, rate = audio.load("tones.wav")
Alignment(samples, rate, words(characters), seconds_per_step={STEP_S}, characters=characters)"""
# What the page hands to the sound card, in samples, and how loud that part of the sound is.
LISTEN = """
window.played = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, offset, duration) {
  const { buffer } = this;
  const [first, count] = [offset, duration].map(time => Math.round(time * buffer.sampleRate));
  const part = buffer.getChannelData(0).slice(first, first + count);
  const steps = part.reduce((sum, value) => sum + Math.abs(32768 * value), 0);
  window.played.push({ first, count, rate: buffer.sampleRate, length: buffer.length, steps });
  start.call(this, when, offset, duration);
};
"""


@pytest.fixture
def tones(lab) -> np.ndarray:
    """2.2 s of faint noise with a tone of its own for each word, in the notebook's folder."""
    samples = np.random.default_rng(1).normal(0, 0.003, int(2.2 * RATE)).astype(np.float32)
    for (begin, end), hertz in zip(SPANS_S.values(), (300, 900, 2700), strict=True):
        part = slice(int((begin - 0.05) * RATE), int((end + 0.05) * RATE))
        t = np.arange(part.stop - part.start)
        samples[part] += 0.4 * np.sin(2 * np.pi * hertz * t / RATE) * np.hanning(len(t))
    audio.save(lab.folder / "tones.wav", samples, RATE)
    return audio.load(lab.folder / "tones.wav")[0]


@pytest.fixture
def shown(page, lab, tones, open_notebook, tmp_path):
    """The page of a notebook that shows three aligned words."""
    page.add_init_script(LISTEN)
    open_notebook(lab.write("alignment.ipynb", NOTEBOOK))
    page.locator(".course-alignment img").wait_for(timeout=60_000)
    yield page
    page.screenshot(path=tmp_path / "alignment.png")


def button(page, name: str):
    return page.locator(".course-alignment button", has_text=name)


def click_at(page, seconds: float) -> None:
    """Click on the picture where this time is."""
    box = page.locator(".course-alignment .axes").bounding_box()
    page.mouse.click(box["x"] + box["width"] * seconds / 2.2, box["y"] + box["height"] / 2)


def heard(page, number: int) -> dict:
    """What was played as the so-manyth, counted from one; none may follow it."""
    page.wait_for_function("number => played.length >= number", arg=number)
    played = page.evaluate("played")
    assert len(played) == number
    return played[-1]


def is_part(played: dict, tones: np.ndarray, begin: float, end: float) -> None:
    """Whether what was played are the samples from begin to end."""
    first, stop = (round(time * RATE) for time in (begin, end))
    assert (played["rate"], played["length"]) == (RATE, len(tones))
    assert (played["first"], played["count"]) == (first, stop - first)
    assert played["steps"] == pytest.approx(
        float(np.abs(32768.0 * tones[first:stop]).sum()), rel=1e-4
    )


def is_word(page, number: int, tones: np.ndarray, word: str) -> None:
    """Whether a word is what was played, framed in the picture and pressed, and nothing else."""
    begin, end = SPANS_S[word][0] - MARGIN_S, SPANS_S[word][1] + MARGIN_S
    is_part(heard(page, number), tones, begin, end)
    pressed = page.locator(".course-alignment [aria-pressed=true]")
    assert pressed.count() == 1 and pressed.inner_text().startswith(word)
    assert page.get_by_role("status").filter(has_text=f"{word}, ").count() == 1
    axes = page.locator(".course-alignment .axes").bounding_box()
    framed = page.locator(".course-alignment .chosen").bounding_box()
    assert (framed["x"] - axes["x"]) / axes["width"] == pytest.approx(begin / 2.2, abs=0.004)
    assert framed["width"] / axes["width"] == pytest.approx((end - begin) / 2.2, abs=0.004)


def test_a_click_plays_the_word_and_nothing_but_the_word(shown, tones):
    page = shown
    assert not page.locator(".chosen").is_visible() and page.evaluate("played") == []
    click_at(page, 0.3)
    is_word(page, 1, tones, "low")
    click_at(page, 1.9)  # beside a word is at the nearest
    is_word(page, 2, tones, "top")
    button(page, "mid").click()
    is_word(page, 3, tones, "mid")
    box = page.locator(".axes").bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 5)
    near = page.locator(".near").bounding_box()
    assert near["x"] == pytest.approx(box["x"] + box["width"] * 0.17 / 2.2, abs=2)


def test_all_is_played_and_stopped(shown, tones):
    page = shown
    whole = button(page, "play all")
    whole.click()
    is_part(heard(page, 1), tones, 0, 2.2)
    assert not page.locator(".chosen").is_visible()
    assert page.locator(".head").evaluate("head => getComputedStyle(head).visibility") == "visible"
    button(page, "stop").click()
    whole.wait_for()
    assert page.locator(".head").evaluate("head => getComputedStyle(head).visibility") == "hidden"
    whole.click()
    is_part(heard(page, 2), tones, 0, 2.2)
    whole.wait_for()  # it says so again when the sound has ended
    whole.click()
    is_part(heard(page, 3), tones, 0, 2.2)


def test_every_word_is_heard_by_keys(shown, tones):
    page = shown
    page.locator(".course-alignment .all").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    is_word(page, 1, tones, "low")
    page.keyboard.press("ArrowRight")
    is_word(page, 2, tones, "mid")
    page.keyboard.press("ArrowRight")
    is_word(page, 3, tones, "top")
    page.keyboard.press("ArrowRight")  # there is none after the last
    page.keyboard.press("Space")
    is_word(page, 4, tones, "top")
    click_at(page, 1.0)
    is_word(page, 5, tones, "mid")
    page.keyboard.press("ArrowLeft")  # from where was clicked
    is_word(page, 6, tones, "low")
    for key in ("Escape", "a", "b", "x", "m"):  # the notebook's own make, cut and change cells
        page.keyboard.press(key)
    assert page.locator(".head").evaluate("head => getComputedStyle(head).visibility") == "hidden"
    assert page.locator(".jp-CodeCell").count() == 1 and len(page.evaluate("played")) == 6


def test_of_clicks_at_once_the_last_one_counts(shown, tones):
    """The sound is decoded after the first click, and the others do not wait for it."""
    shown.evaluate("document.querySelectorAll('.words button').forEach(each => each.click())")
    is_word(shown, 1, tones, "top")
    shown.wait_for_timeout(300)
    is_word(shown, 1, tones, "top")


def test_a_browser_that_plays_nothing_is_told_about(shown):
    shown.evaluate("Object.defineProperty(AudioContext.prototype, 'currentTime', {get: () => 0})")
    button(shown, "low").click()
    shown.get_by_role("status").filter(has_text="The browser plays no sound: connect").wait_for()


def test_doubt_is_seen_without_colours(shown):
    page = shown
    mid, low = button(page, "mid"), button(page, "low")
    assert mid.inner_text() == "mid? 30 %" and low.inner_text() == "low 98 %"
    styles = [each.evaluate("made => getComputedStyle(made).borderStyle") for each in (mid, low)]
    assert styles == ["dashed", "solid"]


def test_a_stored_notebook_shows_the_figure_and_once_trusted_plays_without_a_kernel(
    shown, lab, tones
):
    page, name = shown, lab.write("stored.ipynb", NOTEBOOK)
    notebook = nbformat.read(lab.folder / name, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(lab.folder)}}).execute()
    nbformat.write(notebook, lab.folder / name)
    page.goto(f"{lab.url}/doc/tree/{name}", timeout=90_000)
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    picture = page.locator(".jp-OutputArea img")
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 600
    assert not page.locator(".course-alignment").count()
    page.keyboard.press("Control+Shift+C")
    page.keyboard.type("Trust Notebook")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Trust").click()
    page.locator(".course-alignment img").wait_for(timeout=60_000)
    for session in lab.ask("sessions"):
        lab.ask(f"sessions/{session['id']}", method="DELETE")
    click_at(page, 1.0)
    is_word(page, 1, tones, "mid")


def test_nothing_overflows_a_narrow_window(shown):
    page = shown
    page.set_viewport_size({"width": 640, "height": 1000})
    page.wait_for_function("innerWidth === 640")
    area = page.locator(".jp-OutputArea-output").bounding_box()
    for part in page.locator(".course-alignment :is(button, img, .axes, p)").all():
        box = part.bounding_box()
        assert box["x"] >= area["x"] and box["x"] + box["width"] <= area["x"] + area["width"] + 1
