"""The microphone widgets in JupyterLab, with a file for a microphone."""

from __future__ import annotations

import io
import json
import os
import signal
import time

import listening
import numpy as np
import pytest
import soundfile
from listening import button, detections, upload

from course_utils import audio

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RATE = 48000  # of the microphone; Chromium begins the file again at its end
WORDS, LOOP_S = (1.0, 2.5, 5.0), 6.0
DISTANCES = (1.5, 2.5, 2.0)

# The detector tells a word once 160 ms were loud. The thread says what the kernel knows, and obeys.
LISTENER = """\
import json, os, signal, threading, time
from pathlib import Path
import numpy as np
from course_utils.widgets import microphone

class Loud:
    sample_rate = 16000
    def __init__(self):
        self.rest, self.steps, self.loud = np.zeros(0, np.float32), 0, 0
    def stream(self):
        return Loud()
    def push(self, samples):
        samples = np.concatenate([self.rest, samples])
        pieces, self.rest = np.split(samples, [len(samples) // 320 * 320])
        scores = []
        for power in (pieces.reshape(-1, 320) ** 2).mean(axis=1):
            self.loud = self.loud + 1 if power > 1e-3 else 0
            scores.append(min(0.1 + 0.1 * self.loud, 0.97))
        self.steps += len(scores)
        return (self.steps - len(scores) + 1 + np.arange(len(scores))) * 0.02, np.array(scores)

def answer():
    while True:
        time.sleep(0.1)
        for order in Path(".").glob("*.order"):
            order.unlink()
            if order.stem == "stop":
                listener.stop()
            else:
                os.kill(os.getpid(), signal.SIGSTOP)
        if listener.loop:
            state = vars(listener.loop.counts) | {
                "running": listener.running, "kernel": os.getpid(),
                "times_s": [each.time_s for each in listener.detections]}
            Path("unfinished").write_text(json.dumps(state))
            Path("unfinished").replace("state.json")

listener = microphone.Listener(Loud(), threshold=0.85)
threading.Thread(target=answer, daemon=True).start()
listener"""
RECORDER = """\
from course_utils.widgets import microphone
microphone.Recorder("raw_data")"""

OPEN = "() => streams.flatMap(s => s.getTracks()).filter(t => t.readyState === 'live').length"


def planted(seconds: float = LOOP_S, rate: int = RATE) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    sound = np.random.default_rng(0).normal(0, 0.003, len(t))
    for begin in WORDS:
        on = (t >= begin) & (t < begin + 0.4)
        sound[on] += 0.4 * np.sin(2 * np.pi * (500 + 900 * (t[on] - begin)) * (t[on] - begin))
    return sound.clip(-1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def browser(launch, tmp_path_factory):
    """Chromium whose microphone is a file; who may use it is said page by page."""
    path = tmp_path_factory.mktemp("microphone") / "planted.wav"
    audio.save(path, planted(), RATE)
    running = launch(*listening.options(path))
    yield running
    running.close()


@pytest.fixture
def allowed(page):
    listening.allow(page)


@pytest.fixture
def opened(lab, open_notebook, page, tmp_path):
    """A function that opens a notebook of one cell."""

    def opener(name: str, cell: str):
        open_notebook(lab.write(f"{name}.ipynb", cell))
        page.get_by_text("Ready.", exact=True).wait_for(timeout=60_000)
        return page

    yield opener
    for shown in page.locator(".course-mic").all():
        shown.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "microphone.png")


def state(lab, good=lambda found: True) -> dict:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        path = lab.folder / "state.json"
        if path.exists() and good(found := json.loads(path.read_text())):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def in_step(times_s: list[float]) -> bool:
    return listening.in_step(times_s, DISTANCES, 0.3)


def colours(page) -> int:
    """How many colours the picture has."""
    return page.locator(".course-mic canvas").evaluate(
        """canvas => new Set(new Uint32Array(canvas.getContext('2d')
             .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    )


def test_a_learner_listens(lab, allowed, opened):
    (lab.folder / "state.json").unlink(missing_ok=True)
    page = opened("listener", LISTENER)
    before = colours(page)
    button(page, "start listening").click()
    page.get_by_text("Listening at 16000 Hz.").wait_for()
    assert page.evaluate("asked")[0]["audio"] == {
        "channelCount": 1, "echoCancellation": False, "noiseSuppression": False,
        "autoGainControl": False,
    }  # fmt: skip
    meter, levels = page.locator(".course-mic meter"), []
    for _ in range(30):
        levels.append(meter.evaluate("meter => meter.value"))
        page.wait_for_timeout(100)
    assert min(levels) < -40 and max(levels) > -20
    times = detections(page, 4)
    assert in_step(times), times
    assert colours(page) > before + 100
    page.get_by_text("noise floor −5").wait_for()
    played = page.evaluate("played.length")
    assert played >= len(times)
    page.get_by_label("chime at a detection").uncheck()
    more = detections(page, len(times) + 2)
    assert page.evaluate("played.length") - played <= len(more) - len(times) - 2 + 1

    counters = page.locator(".course-mic .course-number").last.inner_text()
    assert "0 dropped" in counters and "lost" not in counters
    assert float(counters.split("latency ")[1].split(" ms")[0]) < 1000
    button(page, "stop").click()
    page.get_by_text("Stopped.", exact=True).wait_for()
    assert page.evaluate(OPEN) == 0
    found = state(lab, lambda found: not found["running"])
    assert found["received"] == found["heard"] + found["dropped"] and found["dropped"] == 0
    assert found["received_s"] > 8 and in_step(found["times_s"])


def test_the_threshold_is_written_with_three_digits(lab, opened):
    page = opened("threshold", LISTENER.replace("0.85", "0.995473176240921"))
    page.evaluate(
        """() => {
             window.written = new Set();
             const write = CanvasRenderingContext2D.prototype.fillText;
             CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
               written.add(text);
               return write.call(this, text, ...place);
             };
           }"""
    )
    page.wait_for_function("[...written].some((text) => text.includes('threshold'))")
    said = page.evaluate("[...written].find((text) => text.includes('threshold'))")
    assert said == "probability of the word (dashed: threshold 0.995; triangles: detections)"


def test_the_microphone_is_given_back(lab, allowed, opened):
    """Whoever ends it: the kernel, the cell that is run again, the kernel that is restarted."""
    (lab.folder / "state.json").unlink(missing_ok=True)
    page = opened("given_back", LISTENER)

    def start() -> None:
        button(page, "start listening").click()
        page.get_by_text("Listening at").wait_for()
        assert page.evaluate(OPEN) == 1

    def given_back() -> None:
        page.wait_for_function(OPEN.replace("() => ", "() => 0 === "), timeout=30_000)

    start()
    state(lab, lambda found: found["running"])
    (lab.folder / "stop.order").touch()
    page.get_by_text("Stopped by the kernel.").wait_for()
    given_back()

    start()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Enter")
    page.locator(".jp-InputPrompt", has_text="[2]:").wait_for()
    given_back()
    page.get_by_text("Ready.", exact=True).wait_for()

    start()
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Restart Kernel…", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_text("Run this cell to use the microphone").wait_for()
    given_back()
    assert button(page, "start listening").is_disabled()
    page.get_by_text("| Idle").wait_for()


def test_of_two_views_the_one_that_was_started_last_listens(lab, allowed, open_notebook, page):
    open_notebook(lab.write("two.ipynb", LISTENER + "\ndisplay(listener)\nlistener"))
    page.get_by_text("Ready.", exact=True).nth(1).wait_for(timeout=60_000)
    button(page, "start listening").first.click()
    page.get_by_text("Listening at").wait_for()
    button(page, "start listening").click()
    page.get_by_text("Stopped: it is heard elsewhere.").wait_for()
    assert page.evaluate(OPEN) == 1 and button(page, "stop").count() == 1
    first, second = page.locator(".course-mic").all()
    before = first.locator("li").count()  # a word may have come before the second was started
    second.locator("li").first.wait_for()
    assert first.locator("li").count() == before


def test_a_kernel_that_does_not_answer_does_not_keep_the_microphone_open(lab, allowed, opened):
    (lab.folder / "state.json").unlink(missing_ok=True)
    page = opened("frozen", LISTENER)
    button(page, "start listening").click()
    detections(page, 1)
    kernel = state(lab)["kernel"]
    (lab.folder / "freeze.order").touch()
    try:
        page.get_by_role("alert").filter(has_text="kernel has not answered for").wait_for()
        assert page.evaluate(OPEN) == 0
    finally:
        os.kill(kernel, signal.SIGCONT)
    button(page, "start listening").click()
    page.get_by_text("Listening at").wait_for()
    detections(page, 1)


def test_a_browser_with_a_rate_of_its_own(lab, allowed, opened):
    """As Firefox: it connects a microphone only to a context of the microphone's rate."""
    page = opened("own_rate", LISTENER)
    page.evaluate(
        """() => {
             const make = AudioContext.prototype.createMediaStreamSource;
             AudioContext.prototype.createMediaStreamSource = function (stream) {
               if (this.sampleRate === 16000) throw new DOMException('', 'NotSupportedError');
               return make.call(this, stream);
             };
           }"""
    )
    button(page, "start listening").click()
    page.get_by_text("Listening at 4").wait_for()
    assert in_step(detections(page, 3))


def sound_file(samples: np.ndarray, rate: int, form: str) -> bytes:
    memory = io.BytesIO()
    soundfile.write(memory, samples, rate, format=form)
    return memory.getvalue()


def length(page) -> float:
    """Of the sound in the player."""
    return page.locator(".course-mic audio").evaluate(
        """audio => new Promise(done => audio.readyState ? done(audio.duration)
             : audio.addEventListener('loadedmetadata', () => done(audio.duration)))"""
    )


def test_without_a_microphone_there_is_a_sentence_and_a_file(lab, opened, page):
    page = opened("denied", LISTENER)
    alert = page.get_by_role("alert").filter(has_text="or open a sound file instead.")
    for change, sentence in (
        ("", "does not let this page use the microphone"),
        ("navigator.mediaDevices.getUserMedia = async () => {"
         " throw new DOMException('', 'NotFoundError'); }", "finds no microphone"),
        ("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })",
         "came over plain http"),
    ):  # fmt: skip
        page.evaluate(f"() => {{ {change} }}")
        button(page, "start listening").click()
        alert.filter(has_text=sentence).wait_for()
        assert button(page, "start listening").is_enabled()

    # More than one part: 60 s of a file, on which the words are ten times.
    sound = np.tile(planted(rate=16000), 10)
    upload(page, "open a sound file", ("talk.wav", sound_file(sound, 16000, "WAV")))
    page.get_by_text("talk.wav: 60.0 s, 30 detections.").wait_for()
    assert alert.count() == 0
    times = detections(page, 30)
    assert times[0] == pytest.approx(WORDS[0] + 0.16, abs=0.1) and in_step(times)
    assert length(page) == pytest.approx(60, abs=0.1)
    page.get_by_text("0 dropped").wait_for()
    upload(page, "open a sound file", ("notes.wav", b"no sound"))
    page.get_by_role("alert").filter(has_text="notes.wav ").wait_for()
    assert page.locator(".course-mic li").count() == 0


def test_a_learner_records_clips(lab, allowed, opened):
    folder = lab.folder / "raw_data"
    page = opened("recorder", RECORDER)
    assert button(page, "record").is_disabled()
    button(page, "microphone on").click()

    def recorded(path: str) -> tuple[np.ndarray, int]:
        page.get_by_role("status").filter(has_text=path).wait_for()
        return audio.load(folder / path)

    # Press, and press again; long enough for a word wherever the file is.
    button(page, "record").click()
    page.get_by_text("Recording for activates.").wait_for()
    page.locator(".course-clock").filter(has_text="3.").wait_for()
    button(page, "stop").click()
    samples, rate = recorded("activates/1.wav")
    assert rate == 44100 and 3.0 < len(samples) / rate < 4.5
    assert np.abs(samples).max() > 0.3 and np.std(samples[: rate // 50]) > 1e-4
    assert length(page) == pytest.approx(len(samples) / rate, abs=0.01)

    # Hold, by mouse.
    button(page, "record").hover()
    page.mouse.down()
    page.wait_for_timeout(800)
    page.mouse.up()
    samples, rate = recorded("activates/2.wav")
    assert 0.6 < len(samples) / rate < 1.6

    # By keys, another kind.
    page.get_by_label("kind of clip").select_option("backgrounds")
    button(page, "record").press("Enter")
    page.get_by_text("Recording for backgrounds.").wait_for()
    page.wait_for_timeout(500)
    page.keyboard.press("Space")
    recorded("backgrounds/1.wav")
    page.get_by_text("activates: 2, negatives: 0, backgrounds: 1").wait_for()

    button(page, "delete last").click()
    page.get_by_text("backgrounds/1.wav was deleted.").wait_for()
    assert not (folder / "backgrounds" / "1.wav").exists()
    button(page, "microphone off").click()
    assert page.evaluate(OPEN) == 0 and button(page, "record").is_disabled()

    # Files of one's own; what is wrong with one does not hide the others.
    page.get_by_label("kind of clip").select_option("negatives")
    long = np.tile(planted(rate=16000), 8)
    upload(
        page, "add sound files",
        ("bad.wav", b"no sound"), ("long.flac", sound_file(long, 16000, "FLAC")),
        ("short.wav", sound_file(long[:800], 16000, "WAV")),
    )  # fmt: skip
    alert = page.get_by_role("alert").filter(has_text="short.wav lasts 0.050 s")
    alert.filter(has_text="bad.wav ").wait_for()
    samples, rate = recorded("negatives/1.wav")
    assert len(samples) / rate == length(page) == pytest.approx(48)


def test_a_clip_is_not_lost_where_nobody_switches_off(lab, allowed, opened):
    page = opened("off", RECORDER.replace("raw_data", "raw_off"))
    button(page, "microphone on").click()
    button(page, "record").click()
    page.locator(".course-clock").filter(has_text="1.").wait_for()
    button(page, "microphone off").click()
    page.get_by_role("status").filter(has_text="activates/1.wav").wait_for()
    samples, rate = audio.load(lab.folder / "raw_off" / "activates" / "1.wav")
    assert len(samples) / rate > 0.9


def test_nothing_overflows_a_narrow_window(lab, allowed, opened):
    page = opened("narrow", RECORDER + "\n" + LISTENER)
    button(page, "start listening").click()
    detections(page, 1)
    page.set_viewport_size({"width": 800, "height": 1100})
    page.wait_for_function("innerWidth === 800")
    area = page.locator(".jp-OutputArea-output").last.bounding_box()
    right = area["x"] + area["width"] + 1
    for part in page.locator(".course-mic :is(button, canvas, meter, p, li)").all():
        box = part.bounding_box()
        assert box is None or (box["x"] >= area["x"] - 1 and box["x"] + box["width"] <= right)
