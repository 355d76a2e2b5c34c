"""Listener and recorder without a browser: what comes in, what goes out, what is left behind."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile

from course_utils import audio, live
from course_utils.widgets import browser, microphone
from course_utils.widgets.hearing import _peaks

RATE, CHUNK, STEP = 16000, 1600, 320
WORDS = (1.2, 2.9, 4.6)
TOLD = (1.36, 3.06, 4.76)  # the detector needs 0.16 s of a word


class Energy:
    """Gives a probability every 20 ms: whether the last 160 ms were loud. Says what it heard."""

    sample_rate = RATE

    def __init__(self) -> None:
        self.pause, self.fail_at, self.delay = None, None, 0
        self.heard: list[np.ndarray] = []

    def stream(self) -> EnergyStream:
        return EnergyStream(self)


class EnergyStream:
    sample_rate = RATE

    def __init__(self, owner: Energy) -> None:
        self.owner, self.rest, self.steps, self.loud = owner, np.zeros(0, np.float32), 0, 0
        self.scores = [0.05] * owner.delay

    def push(self, samples):
        if self.owner.pause:
            assert self.owner.pause.wait(20)
        self.owner.heard.append(samples)
        if self.owner.fail_at is not None and self.steps * STEP / RATE >= self.owner.fail_at:
            raise RuntimeError("broken")
        samples = np.concatenate([self.rest, samples])
        whole = len(samples) // STEP
        self.rest = samples[whole * STEP :]
        power = (samples[: whole * STEP].reshape(whole, STEP) ** 2).mean(axis=1)
        times_s = (self.steps + 1 + np.arange(whole)) * STEP / RATE
        self.steps += whole
        for each in power:
            self.loud = self.loud + 1 if each > 1e-3 else 0
            self.scores.append(0.9 if self.loud >= 8 else 0.05)
        scores, self.scores = self.scores[:whole], self.scores[whole:]
        return times_s, np.array(scores)


def planted(seconds: float = 6.0, rate: int = RATE, words: tuple[float, ...] = WORDS) -> np.ndarray:
    """Noise with a tone of 0.3 s at each time."""
    t = np.arange(round(seconds * rate)) / rate
    sound = np.random.default_rng(1).normal(0, 0.002, len(t))
    for begin in words:
        sound += 0.4 * np.sin(2 * np.pi * 700 * t) * ((t >= begin) & (t < begin + 0.3))
    return sound.clip(-1, 1).astype(np.float32)


def steps(samples: np.ndarray) -> np.ndarray:
    """As the browser sends them."""
    return np.rint(samples * 32768).clip(-32768, 32767).astype("<i2")


class Told(list):
    """The messages for the browser."""

    def of(self, kind: str) -> list[dict]:
        return [content for content, _ in list(self) if content["type"] == kind]

    def wait(self, kind: str, good=lambda message: True) -> dict:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            if found := [message for message in self.of(kind) if good(message)]:
                return found[-1]
            time.sleep(0.005)
        raise AssertionError(f"no such {kind} among {self}")


@pytest.fixture
def told(monkeypatch):
    messages = Told()

    def send(self, content: dict, buffers=None) -> None:
        json.dumps(content, allow_nan=False)  # as Jupyter writes it
        messages.append((content, buffers))

    monkeypatch.setattr(browser.MicrophoneWidget, "send", send)
    return messages


@pytest.fixture
def energy():
    return Energy()


@pytest.fixture
def listener(energy, told):
    made = microphone.Listener(energy)
    yield made
    made.close()


def say(widget, type_: str, *buffers: bytes, **content: object) -> None:
    """A message from the browser."""
    widget._handle_custom_msg({"type": type_, **content}, [memoryview(each) for each in buffers])


def stream(listener, samples: np.ndarray, key: str = "a", rate: int = RATE, skip=()) -> None:
    chunk = rate // 10
    say(listener, "start", key=key, rate=rate)
    for number in range(len(samples) // chunk):
        if number not in skip:
            piece = steps(samples[number * chunk : (number + 1) * chunk])
            say(listener, "chunk", piece.tobytes(), key=key, number=number)
            while listener.running and listener.loop.counts.waiting:  # no microphone is faster
                time.sleep(0.001)


def heard(listener, seconds: float) -> None:
    """Wait until so much has been heard."""
    ends = time.monotonic() + 20
    while listener.loop.time_s < seconds - 1e-6:
        assert time.monotonic() < ends, f"only {listener.loop.time_s} s were heard"
        time.sleep(0.005)


@pytest.mark.parametrize("rate", [RATE, 48000])
def test_words_from_the_browser_are_told(listener, told, rate):
    stream(listener, planted(rate=rate), rate=rate)
    heard(listener, 6)
    listener.stop()
    found = [each for status in told.of("status") for each in status["detections"]]
    assert [each["time_s"] for each in found] == pytest.approx(TOLD, abs=0.05)
    assert all(each["told"] and each["told_s"] - each["time_s"] < 1.5 for each in found)
    assert [each.time_s for each in listener.detections] == [each["time_s"] for each in found]
    counts = listener.loop.counts
    assert counts.received == counts.heard + counts.dropped == 60 and counts.dropped == 0
    assert listener.lost == 0 and not listener.running and listener.loop.sample_rate == rate


def test_the_detector_hears_what_the_microphone_heard(listener, told, energy):
    stream(listener, planted())
    heard(listener, 6)
    assert np.concatenate(energy.heard) == pytest.approx(planted(), abs=1 / 65535)


def test_reports_say_what_the_browser_shows(listener, told):
    stream(listener, planted())
    heard(listener, 6)
    listener.stop()
    last = told.of("status")[-1]
    assert -65 < last["floor_db"] < -45
    assert (last["received"], last["heard"], last["dropped"], last["lost"]) == (60, 60, 0, 0)
    points = np.array([point for status in told.of("status") for point in status["points"]])
    assert np.all(np.diff(points[:, 0]) > 0) and len(points) > 250
    loud = points[points[:, 1] > 0.5, 0]
    assert loud.min() == pytest.approx(TOLD[0], abs=0.05)


def test_lost_chunks_are_silence_and_time_goes_on(listener, told):
    stream(listener, planted(), skip=range(20, 40))  # with the second word in them
    heard(listener, 6)
    listener.stop()
    assert told.of("status")[-1]["lost"] == listener.lost == 20
    assert [each.time_s for each in listener.detections] == pytest.approx(TOLD[::2], abs=0.05)
    counts = listener.loop.counts
    assert counts.received == 60 and listener.loop.time_s == pytest.approx(6)


def test_a_chunk_that_comes_twice_or_too_late_is_left_out(listener, told):
    stream(listener, planted(1.0), skip=[4])
    for number in (4, 9):
        say(listener, "chunk", bytes(2 * CHUNK), key="a", number=number)
    heard(listener, 1)
    assert listener.loop.counts.received_s == 1.0 and listener.lost == 1


def test_chunks_of_another_start_are_left_out(listener, told):
    stream(listener, planted(1.0))
    say(listener, "chunk", bytes(2 * CHUNK), key="older", number=10)
    say(listener, "stop", key="older")
    assert listener.loop.counts.received == 10 and listener.running


def test_a_new_start_begins_anew_and_stops_the_other_view(listener, told):
    stream(listener, planted())
    first = listener.loop
    stream(listener, planted(1.0), key="b")
    heard(listener, 1)
    assert listener.loop is not first and listener.detections == []
    assert [message["but"] for message in told.of("stop")] == ["a", "b"]


def test_a_message_never_waits_for_the_detector(listener, told, energy):
    energy.pause = threading.Event()
    say(listener, "start", key="a", rate=RATE)
    began = time.monotonic()
    for number in range(100):
        say(listener, "chunk", bytes(2 * CHUNK), key="a", number=number)
    assert time.monotonic() - began < 2
    energy.pause.set()
    heard(listener, 10)
    listener.stop()
    counts = listener.loop.counts
    assert counts.received == counts.heard + counts.dropped == 100
    assert counts.dropped >= 60, "at most two seconds wait"
    assert told.of("status")[-1]["dropped"] == counts.dropped


def test_reports_come_about_ten_times_a_second(listener, told):
    say(listener, "start", key="a", rate=RATE)
    began, number = time.monotonic(), 0
    while time.monotonic() < began + 1:
        say(listener, "chunk", bytes(160), key="a", number=number)
        number += 1
        time.sleep(0.005)
    assert number > 25 and 3 <= len(told.of("status")) <= 12


def test_stopping_in_the_kernel_stops_the_browser(listener, told):
    stream(listener, planted(1.0))
    listener.stop()
    assert not listener.running
    assert "but" not in told.of("stop")[-1]
    before = listener.loop.counts
    listener.stop()
    assert listener.loop.counts == before


def test_stopping_in_the_browser_stops_the_kernel(listener, told):
    stream(listener, planted(1.0))
    say(listener, "stop", key="a")
    assert not listener.running


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_detector_that_fails_says_so(listener, told, energy):
    energy.fail_at = 0.5
    stream(listener, planted(1.0))
    text = told.wait("problem")["text"]
    assert "failed at 0." in text and "RuntimeError (broken); listening has ended; mend" in text
    assert not listener.running
    energy.fail_at = None
    stream(listener, planted(), key="b")
    heard(listener, 6)
    assert len(listener.detections) == 3


def test_a_start_that_cannot_be_is_a_sentence(listener, told):
    say(listener, "start", key="a", rate=3)
    assert "rate of 3 Hz" in told.of("problem")[-1]["text"]
    assert not listener.running and listener.loop is None and listener.detections == []


def test_messages_of_no_known_type_are_left_alone(listener, told):
    for content in ({}, {"type": "dance"}, {"type": None}):
        listener._handle_custom_msg(content, [])
    assert not told


def test_the_browser_is_greeted_with_the_chime(listener, told):
    say(listener, "hello")
    ((content, buffers),) = told
    assert content["type"] == "here"
    sound = np.frombuffer(buffers[0], "<i2") / 32768
    assert sound == pytest.approx(live.chime(listener.settings["chime_rate"]), abs=1e-3)


def sound_file(samples: np.ndarray, rate: int = RATE, form: str = "WAV") -> bytes:
    memory = io.BytesIO()
    soundfile.write(memory, samples, rate, format=form)
    return memory.getvalue()


def upload(widget, content: bytes, name: str = "talk.wav", parts: int = 1, **more: object) -> None:
    size = -(-len(content) // parts)
    for part in range(parts):
        piece = content[part * size : (part + 1) * size]
        say(widget, "upload", piece, id="u", parts=parts, name=name, **more)


@pytest.mark.parametrize(
    ("form", "rate", "parts"),
    [("WAV", RATE, 7), ("FLAC", 44100, 1), ("OGG", 48000, 2), ("MP3", 44100, 1)],
)
def test_a_file_is_heard_as_if_live(listener, told, form, rate, parts):
    upload(listener, sound_file(planted(rate=rate), rate, form), parts=parts)
    assert told.wait("finished")["text"] == "talk.wav: 6.0 s, 3 detections."
    assert told.of("file")[0]["seconds"] == pytest.approx(7, abs=0.1)
    found = [each for status in told.of("status") for each in status["detections"]]
    assert [each["time_s"] for each in found] == pytest.approx(TOLD, abs=0.08)
    assert listener.loop.counts.dropped == 0 and {m["key"] for m in told.of("status")} == {"u"}


def test_a_word_at_the_end_of_a_file_is_told(listener, told, energy):
    energy.delay = 20  # steps, which are 0.4 s
    upload(listener, sound_file(planted(2.0, words=(1.8,))))
    assert told.wait("finished")["text"] == "talk.wav: 2.0 s, 1 detection."


def test_a_long_file_is_told_in_few_points(listener, told):
    upload(listener, sound_file(planted(120.0)))
    told.wait("finished")
    points = sum(len(status["points"]) for status in told.of("status"))
    assert 900 < points < 2500


def test_a_file_that_is_no_sound_is_a_sentence(listener, told):
    upload(listener, b"x" * 100, name="notes.txt")
    assert told.of("problem")[-1]["text"].startswith("notes.txt ")


def test_hearing_a_file_can_be_stopped(listener, told, energy):
    energy.pause = threading.Event()
    upload(listener, sound_file(planted()))
    threading.Timer(0.2, energy.pause.set).start()
    listener.stop()
    assert listener.loop.time_s < 1 and not told.of("finished")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"detector": [1]}, r"The detector is a list; expected .* sample_rate and stream\(\)"),
        ({"threshold": 2}, "threshold is 2; expected a probability"),
        ({"refractory_s": -1}, "refractory_s is -1"),
        ({"margin_db": -3}, "margin_db is -3"),
        ({"chunk_ms": 0}, "chunk_ms is 0"),
    ],
)
def test_a_listener_that_cannot_be_is_refused(energy, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        microphone.Listener(**{"detector": energy, **given})


def test_the_highest_of_every_step_is_shown():
    times_s = np.array([0.01, 0.012, 0.03, 0.05, 0.058])
    scores = np.array([0.1, 0.8, np.nan, 0.3, 0.2])
    assert _peaks(times_s, scores, 0.02) == [[0.01, 0.8], [0.03, 0.0], [0.05, 0.3]]
    assert _peaks(np.zeros(0), np.zeros(0), 0.02) == []


@pytest.fixture
def recorder(told, tmp_path):
    return microphone.Recorder(tmp_path / "raw_data", sample_rate=RATE)


def record(recorder, samples: np.ndarray, rate: int = RATE, kind="activates", parts=1) -> None:
    content = steps(samples).tobytes()
    size = -(-len(content) // parts)
    for part in range(parts):
        piece = content[part * size : (part + 1) * size]
        say(recorder, "clip", piece, id="c", parts=parts, rate=rate, kind=kind)


def test_a_clip_is_saved_as_it_was_recorded(recorder, told):
    record(recorder, planted(2.0), parts=3)
    record(recorder, planted(1.0), kind="backgrounds")
    path = recorder.recordings.folder / "activates" / "1.wav"
    samples, rate = audio.load(path)
    assert rate == RATE and np.array_equal(steps(samples), steps(planted(2.0)))
    first, second = told.of("saved")
    assert first["text"].startswith("activates/1.wav: 2.00 s, peak −7.") and not first["warning"]
    assert second["counts"].endswith("raw_data: activates: 1, negatives: 0, backgrounds: 1")


def test_a_rate_that_the_browser_did_not_grant_is_resampled(recorder, told):
    record(recorder, planted(1.0, 48000), rate=48000)
    samples, rate = audio.load(recorder.recordings.folder / "activates" / "1.wav")
    assert (len(samples), rate) == (RATE, RATE)


def test_files_are_added_and_the_last_clip_is_deleted(recorder, told):
    upload(recorder, sound_file(planted(3.0, 44100), 44100, "FLAC"), kind="negatives", parts=2)
    assert told.of("saved")[-1]["text"].startswith("negatives/1.wav: 3.00 s")
    say(recorder, "undo")
    assert told.of("deleted")[-1]["text"] == "negatives/1.wav was deleted."
    assert told.of("deleted")[-1]["counts"].endswith("negatives: 0, backgrounds: 0")
    say(recorder, "undo")
    assert told.of("problem")[-1]["text"].startswith("There is no clip left")


def test_sentences_reach_the_browser(recorder, told):
    record(recorder, planted(0.05))
    assert "lasts 0.050 s" in told.of("problem")[-1]["text"]
    upload(recorder, b"no sound", name="notes.wav", kind="activates")
    assert told.of("problem")[-1]["text"].startswith("notes.wav ")
    record(recorder, 3 * planted(2.0))
    assert told.of("saved")[-1]["warning"].startswith("activates/1.wav: ")
    assert "full scale" in told.of("saved")[-1]["warning"]


def test_a_recorder_that_cannot_be_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no kind 'word' of clip"):
        microphone.Recorder(tmp_path, "word")
    with pytest.raises(ValueError, match="The recorder has a rate of 12 Hz"):
        microphone.Recorder(tmp_path, sample_rate=12)


def test_a_stored_notebook_holds_a_sentence_and_no_path(energy, tmp_path):
    for made in (microphone.Listener(energy), microphone.Recorder(tmp_path)):
        shown, _ = made._repr_mimebundle_()
        assert "run this cell in Jupyter" in shown["text/plain"] and "…" not in shown["text/plain"]
        state = json.dumps(made.get_state())
        assert str(tmp_path) not in state and "course_utils" not in state.replace(
            made._anywidget_id, ""
        )
        made.close()


@pytest.fixture
def colab(monkeypatch):
    """What Colab's kernels have; `answer` is what its page says."""
    asked = SimpleNamespace(answer="", calls=[])

    def eval_js(code: str) -> str:
        asked.calls.append(code)
        return asked.answer

    output = ModuleType("google.colab.output")
    output.eval_js = eval_js
    output.enable_custom_widget_manager = lambda: asked.calls.append("manager")
    package = ModuleType("google.colab")
    package.output = output
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    return asked


@pytest.mark.parametrize("answer", ["", "NotAllowedError"])
def test_colab_is_asked_before_the_widget_is_there(colab, energy, tmp_path, answer):
    colab.answer = answer
    for make in (lambda: microphone.Listener(energy), lambda: microphone.Recorder(tmp_path)):
        colab.calls.clear()
        assert make().settings["refused"] == answer
        assert colab.calls[0] == "manager"
        assert "navigator.mediaDevices.getUserMedia({audio: true})" in colab.calls[1]
        assert "track.stop()" in colab.calls[1]


def test_nobody_is_asked_outside_colab(energy):
    assert microphone.Listener(energy).settings["refused"] == ""


def test_no_framework_is_loaded():
    code = (
        "import sys; import course_utils.widgets.microphone;"
        "print(*{'torch', 'tensorflow', 'sounddevice'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == []
