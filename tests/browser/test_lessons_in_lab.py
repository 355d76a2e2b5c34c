"""Lessons as a learner works with them in JupyterLab: run from top to bottom, and spoken to."""

from __future__ import annotations

import shutil

import listening
import numpy as np
import pytest
import torch
from listening import button, detections, upload
from pictures import changed

from course_utils import audio, places
from course_utils.datasets import speech_commands, trigger_word
from course_utils.models import trigger_word as models
from course_utils.training import trigger_word as feeding

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LESSON = "01_spectrograms_and_mfccs.ipynb"
RATE, LOOP_S, WORD = 16000, 6.0, "happy"
# When the word begins, by which speaker, and what else is said: none of it was heard in training.
SPOKEN = ((0.9, WORD, "65c0cdcd"), (2.4, WORD, "24f63eff"), (3.7, "dog", "20425bb0"),
          (4.9, WORD, "8e729878"))  # fmt: skip
TOLD_WITHIN_S = 0.2  # after the end of a word; lesson 05 measures 0.09
CHIMES_WITHIN_S = 1.0  # after that, through page and kernel
NOTEBOOK = """\
from course_utils.models import trigger_word
from course_utils.widgets import microphone

detector = trigger_word.load("detector")
microphone.Listener(detector, detector.threshold, detector.refractory_s)"""


def test_a_learner_runs_lesson_01(page, lab, open_notebook, tmp_path):
    shutil.copy(places.project_root() / "notebooks" / LESSON, lab.folder)
    open_notebook(LESSON, cells_s=480)
    assert page.locator(".jp-OutputArea-output[data-mime-type*=error]").count() == 0
    cell = page.locator(".jp-CodeCell", has_text="explorer.show(words)")
    picture = ".jp-OutputArea img[alt^='spectrogram of']"
    image = cell.locator(picture)
    image.wait_for(timeout=60_000)
    image.scroll_into_view_if_needed()
    assert "window 25 ms" in image.get_attribute("alt")
    source = image.get_attribute("src")
    handle = cell.locator(".widget-slider", has_text="window (ms)").locator(".noUi-handle")
    for _ in range(5):
        handle.press("ArrowRight")
    changed(page, source, picture)
    assert "window 30 ms" in image.get_attribute("alt")
    page.screenshot(path=tmp_path / "lesson.png")


@pytest.fixture(scope="module")
def sounds():
    """Of lesson 05, in its two parts of speakers."""
    words = speech_commands.open("speech_commands_mini")
    return {
        part: trigger_word.from_speech_commands(words, WORD, part, sample_rate=RATE)
        for part in ("training", "testing")
    }


@pytest.fixture(scope="module")
def detector(sounds, lab):
    """A detector as in lesson 05, trained for a tenth as long: enough for words in quiet noise."""
    mix = trigger_word.Mix(seconds=5, triggers=(0, 2), negatives=(0, 3), gap_ms=200)
    scenes = trigger_word.Scenes(sounds["training"], mix, seed=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    front_end = models.FrontEnd()
    network = models.TriggerNet(models.SMALL, *feeding.statistics(front_end, scenes, 50))
    made = models.Detector(front_end, network, word=WORD)
    batches = feeding.Batches(scenes, made, 16, stored=500)
    optimizer = torch.optim.AdamW(network.parameters(), 0.008)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.008, total_steps=100, pct_start=0.2)
    for step in range(100):
        frames, labels = batches(step)
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(network(frames)[0], labels).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    torch.set_num_threads(threads)
    made.save(lab.folder / "detector")


@pytest.fixture(scope="module")
def said(sounds, tmp_path_factory):
    """A recording of what is spoken in quiet noise, and when the trigger words in it end."""
    sound = np.random.default_rng(0).normal(0, 0.002, round(LOOP_S * RATE)).astype(np.float32)
    clips = [*sounds["testing"].triggers, *sounds["testing"].negatives]
    ends = []
    for begin_s, text, speaker in SPOKEN:
        clip = next(each for each in clips if (each.text, each.speaker) == (text, speaker)).samples
        first = round(begin_s * RATE)
        sound[first : first + len(clip)] += 0.1 * clip / np.std(clip)
        if text == WORD:
            ends.append(begin_s + len(clip) / RATE)
    path = tmp_path_factory.mktemp("spoken") / "spoken.wav"
    audio.save(path, sound, RATE)
    return path, ends


@pytest.fixture(scope="module")
def browser(launch, said):
    """Chromium whose microphone hears what is said, again and again."""
    running = launch(*listening.options(said[0]))
    yield running
    running.close()


def test_the_detector_of_lesson_05_chimes(page, lab, detector, said, open_notebook, tmp_path):
    path, ends = said
    listening.allow(page)
    open_notebook(lab.write("chimes.ipynb", NOTEBOOK))
    page.get_by_text("Ready.", exact=True).wait_for(timeout=60_000)

    # From a file, whose beginning is known: each word once, when it ends, and no other word.
    upload(page, "open a sound file", (path.name, path.read_bytes()))
    page.get_by_text(f"spoken.wav: {LOOP_S:.1f} s, 3 detections.").wait_for()
    for told, end in zip(detections(page, 3), ends, strict=True):
        assert -0.1 < told - end < TOLD_WITHIN_S

    # From the microphone, which hears the file again and again.
    button(page, "start listening").click()
    page.get_by_text("Listening at 16000 Hz.").wait_for()
    times = detections(page, 5)
    distances = (*np.diff(ends), LOOP_S + ends[0] - ends[-1])
    assert listening.in_step(times, distances, 0.15), times
    played = page.evaluate("played")
    button(page, "stop").click()
    late = np.array(played[:5]) - times[:5]
    assert len(played) == len(times) and late.min() > 0 and late.max() < CHIMES_WITHIN_S, late
    page.screenshot(path=tmp_path / "chimes.png")
