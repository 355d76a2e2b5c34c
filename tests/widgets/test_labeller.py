"""The labeller without a browser: marks, what a browser may send, pieces, files."""

import json
import re
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from course_utils import audio, plots
from course_utils.streaming import read_ground_truth
from course_utils.widgets import labeller, labeller_view
from course_utils.widgets.labeller import Labeller
from course_utils.widgets.labeller_view import Pieces, overview

RATE = 8000
WORDS = ("activate", "stop")


def noise(seconds: float = 12, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * rate)).astype(np.float32)


def sent(shown: Labeller) -> list[tuple[dict, list]]:
    """What goes to the browser from now on, message by message."""
    messages = []
    shown.send = lambda content, buffers=None: messages.append((content, buffers))
    return messages


def from_browser(shown: Labeller, *, marks=None, ask=None) -> None:
    """What a message from the browser does, JSON and all."""
    if ask is not None:
        shown._handle_msg(as_message({"method": "custom", "content": ask}))
    else:
        shown._handle_msg(as_message({"method": "update", "state": {"marks": marks}}))


def as_message(data: dict) -> dict:
    return {"content": {"data": json.loads(json.dumps(data))}, "buffers": []}


@pytest.fixture
def path(tmp_path) -> Path:
    """A recording of twelve seconds, no words beside it."""
    audio.save(tmp_path / "long talk.wav", noise(), RATE)
    return tmp_path / "long talk.wav"


@pytest.fixture
def words(path) -> Path:
    """The file of words that belongs to it."""
    file = path.with_name("long talk_labels.txt")
    file.write_text("stop, 2500\nactivate, 1000\n")
    return file


# Marks.


def test_a_recording_without_marks(path):
    shown = labeller.open(path)
    assert shown.marks == [] and shown.words == ["activate"] and not shown.unsaved
    assert repr(shown) == "labeller: 12.00 s at 8000 Hz, 0 marks"


def test_marks_that_are_beside_the_recording_are_opened(path, words):
    shown = labeller.open(path, WORDS)
    assert shown.marks == [["activate", 1000], ["stop", 2500]] and not shown.unsaved
    assert repr(shown) == "labeller: 12.00 s at 8000 Hz, 2 marks (activate 1, stop 1)"
    shown.marks = [*shown.marks, ("stop", 5000.5)]
    assert repr(shown).endswith("3 marks (activate 1, stop 2), not saved")


def test_words_of_the_file_are_added(path, words):
    assert labeller.open(path, ["up"]).words == ["up", "activate", "stop"]


def test_marks_are_plain_numbers_in_order_of_time():
    given = (("stop", np.float32(2.5)), ["activate", np.int64(1)], ("stop", 7.0))
    marks = Labeller(noise(), RATE, WORDS, marks=iter(given)).marks
    assert marks == [["activate", 1], ["stop", 2.5], ["stop", 7]]
    assert [type(time) for _, time in marks] == [int, float, int]


def test_python_and_browser_see_the_same_marks():
    shown = Labeller(noise(), RATE, WORDS)
    from_browser(shown, marks=[["stop", 300], ["activate", 120]])
    assert shown.marks == [["activate", 120], ["stop", 300]]
    seen = []
    shown.observe(lambda change: seen.append(change["new"]), "marks")
    from_browser(shown, marks=[["stop", 300]])
    shown.marks = []
    assert seen == [[["stop", 300]], []]


UNFIT = [
    (["stop", 12000.1], r"Mark 2 \(stop\) is at 12000.1 ms; expected .*, 0 to 12000 ms; see"),
    (["stop", -1], r"Mark 2 \(stop\) is at -1 ms; expected a time within"),
    (["stop", float("nan")], r"Mark 2 \(stop\) is at nan ms; expected a time within"),
    (["stop", float("inf")], r"Mark 2 \(stop\) is at inf ms; expected a time within"),
    (["stop", 10**400], r"Mark 2 \(stop\) is at 10+ ms; expected a time within"),
    (["up", 5], r"The word of mark 2 is 'up'; expected one of activate, stop; make"),
    ([["stop"], 5], r"The word of mark 2 is \['stop'\]; expected one of activate, stop"),
    (["stop", None], r"Mark 2 is \['stop', None\]; expected a word and a time in mill"),
    (["stop", "5"], r"Mark 2 is \['stop', '5'\]; expected a word and a time in mill"),
    (["stop", True], r"Mark 2 is \['stop', True\]; expected a word and a time in mill"),
    (["stop"], r"Mark 2 is \['stop'\]; expected a word and a time in milliseconds, such as"),
    ("st", r"Mark 2 is 'st'; expected a word and a time in milliseconds"),
    (None, r"Mark 2 is None; expected a word and a time in milliseconds"),
]


@pytest.mark.parametrize(("mark", "sentence"), UNFIT, ids=range(len(UNFIT)))
def test_unfit_marks_are_refused_and_the_list_stays(mark, sentence):
    good = [["stop", 300], ["activate", 7]]
    shown = Labeller(noise(), RATE, WORDS, marks=good)
    before = shown.marks
    with pytest.raises(ValueError, match=f"^{sentence}"):
        shown.marks = [good[0], mark]
    assert shown.marks == before and shown.status == ""
    resent = []
    shown.send_state = lambda key=None: resent.append(key)
    from_browser(shown, marks=[good[0], mark])
    assert shown.marks == before and re.match(sentence, shown.status)
    assert resent == ["status", "marks"], "the browser goes back to what is true"
    with pytest.raises(ValueError, match=f"^{sentence}"):
        Labeller(noise(), RATE, WORDS, marks=[good[0], mark])


@pytest.mark.parametrize("marks", [None, 5])
def test_marks_that_are_no_list(marks):
    shown = Labeller(noise(), RATE, WORDS, marks=[("stop", 0), ("stop", 12000)])
    from_browser(shown, marks=marks)
    assert shown.status.startswith(f"The marks are {marks}; expected a word and a time")
    assert len(shown.marks) == 2


def test_a_browser_changes_nothing_but_marks():
    shown = Labeller(noise(), RATE, WORDS)
    before = shown.get_state()
    state = {"words": ["up"], "_saved": [["up", 1]], "status": "no", "_sound": {}, "_esm": ""}
    shown._handle_msg(as_message({"method": "update", "state": state}))
    assert shown.get_state() == before


def test_the_same_sentence_is_said_again():
    shown, said = Labeller(noise(), RATE, WORDS), []
    shown.observe(lambda change: said.append(change["new"]), "status")
    for _ in range(2):
        from_browser(shown, marks=[["up", 1]])
    assert len(said) == 3 and said[0] == said[2] and said[1] == ""


# What it is made of.


def test_what_a_mark_means_is_only_said():
    begins, ends = (
        Labeller(noise(), RATE, WORDS, moment=moment) for moment in ("beginning", "end")
    )
    assert "the beginning of its word" in begins._sound["note"]
    assert "the end of its word" in ends._sound["note"]
    with pytest.raises(ValueError, match=r"^The moment is 'middle'; expected 'beginning' or 'end'"):
        Labeller(noise(), RATE, WORDS, moment="middle")


@pytest.mark.parametrize("words", ["activate", (), [5], [None]])
def test_words_that_are_no_list_of_words(words, path):
    for attempt in (lambda: Labeller(noise(), RATE, words), lambda: labeller.open(path, words)):
        with pytest.raises(ValueError, match=r"^The words are .*; expected a list of at least one"):
            attempt()


@pytest.mark.parametrize("word", ["a,b", "a\nb", " a", "", "a\r", "\ufeffa"])
def test_words_that_no_file_can_hold(word):
    sentence = f"^The file of words cannot hold the label {re.escape(repr(word))}; expected some"
    with pytest.raises(ValueError, match=sentence):
        Labeller(noise(), RATE, ["stop", word])


def test_recordings_that_cannot_be_played():
    short = np.zeros(1000, np.float32)
    for rate in (7999, 96001):
        with pytest.raises(ValueError, match=f"has a rate of {rate} Hz; expected 8000 to 96000"):
            Labeller(short, rate, WORDS)
    for rate in (8000, 96000):
        assert Labeller(short, rate, WORDS).seconds == 1000 / rate
    with pytest.raises(audio.AudioError, match=r"^The recording has a peak of 2; expected"):
        Labeller(short + 2, RATE, WORDS)


def test_the_longest_recording():
    longest = np.zeros(labeller.LONGEST_S * 8000, np.float32)
    assert Labeller(longest, 8000, WORDS).seconds == 7200
    with pytest.raises(ValueError, match=r"lasts 7200\.0 s; expected at most 7200 s \(2 hours\)"):
        Labeller(np.zeros(len(longest) + 1, np.float32), 8000, WORDS)


def test_what_a_stored_notebook_keeps_is_small():
    """Neither sound nor pictures, and no path: they go to the browser when it asks."""
    shown = Labeller(noise(600), RATE, WORDS, path="somewhere/x.wav")
    state = shown.get_state()
    own = {name: value for name, value in state.items() if name not in ("_esm", "_css")}
    assert len(state["_overview"]) == 2000 and len(repr({**own, "_overview": b""})) < 1500
    assert "somewhere" not in repr(state) and own["_sound"]["file"] == "x_labels.txt"
    bundle, _ = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown)
    assert set(bundle) == {"text/plain", "application/vnd.jupyter.widget-view+json"}


# Files.


def test_marks_are_saved_in_the_format_of_the_streaming_lesson(path):
    shown = labeller.open(path, WORDS)
    shown.marks = [("stop", 2500.5), ("activate", 1000)]
    assert shown.unsaved
    file = shown.save()
    assert file == path.with_name("long talk_labels.txt") and not shown.unsaved
    assert file.read_text() == "activate, 1000\nstop, 2500.5\n"
    assert shown.status == "Saved 2 marks to long talk_labels.txt."
    assert labeller.open(path, WORDS).marks == shown.marks
    shown.marks = shown.marks[:1]
    shown.save()
    assert shown.status == "Saved 1 mark to long talk_labels.txt."
    assert read_ground_truth(file) == [("activate", 1000)]
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, file.name]


@settings(deadline=None, max_examples=30)  # files take as long as the disk takes
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.floats(0, 12000)), max_size=9))
def test_marks_come_back_as_they_were(tmp_path_factory, marks):
    sound = tmp_path_factory.mktemp("marks") / "x.wav"
    shown = Labeller(noise(), RATE, WORDS, path=sound, marks=marks)
    assert [list(entry) for entry in read_ground_truth(shown.save())] == shown.marks


def test_the_browser_saves_what_it_shows(path):
    """Its last change may come after the word to save."""
    shown = labeller.open(path, WORDS)
    from_browser(shown, ask={"save": [["stop", 9], ["activate", 4]]})
    assert shown.status == "Saved 2 marks to long talk_labels.txt." and shown.marks == []
    from_browser(shown, marks=[["activate", 4], ["stop", 9]])
    assert not shown.unsaved
    from_browser(shown, ask={"save": [["up", 9]]})
    assert shown.status.startswith("The word of mark 1 is 'up'")
    assert read_ground_truth(path.with_name("long talk_labels.txt")) == [
        ("activate", 4), ("stop", 9),
    ]  # fmt: skip


def test_words_that_somebody_else_wrote_are_not_lost(path, words):
    unread = Labeller(noise(), RATE, WORDS, path=path, marks=[("stop", 7)])
    assert unread.unsaved
    opened = labeller.open(path, WORDS)
    words.write_text("stop, 1\n")
    for shown, ask in ((unread, {"save": [["stop", 7]]}), (opened, {"save": []})):
        sentence = "long talk_labels.txt holds 1 mark that this labeller has neither read nor saved"
        with pytest.raises(ValueError, match=f"^{sentence}; expected its own; "):
            shown.save()
        from_browser(shown, ask=ask)
        assert shown.status.startswith(sentence)
        assert words.read_text() == "stop, 1\n" and shown.unsaved == (shown is unread)
    assert unread.save(overwrite=True) == words and words.read_text() == "stop, 7\n"
    words.unlink()
    opened.save()
    assert words.read_text() == "activate, 1000\nstop, 2500\n"


def test_what_cannot_be_saved(path, words, monkeypatch):
    nowhere = Labeller(noise(), RATE, WORDS, marks=[("stop", 7)])
    with pytest.raises(ValueError, match=r"^This labeller has no file to save to; expected the pa"):
        nowhere.save()
    shown = labeller.open(path, WORDS)
    shown.marks.append(("stop", -7))  # nobody could check that
    with pytest.raises(ValueError, match=r"^Mark 3 \(stop\) is at -7 ms"):
        shown.save()
    shown = labeller.open(path, WORDS)
    shown.marks = []

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    before = words.read_bytes()
    with pytest.raises(audio.AudioError, match=r"long talk_labels\.txt cannot be written \(No sp"):
        shown.save()
    from_browser(shown, ask={"save": []})
    assert "cannot be written (No space left on device); expected a folder" in shown.status
    assert words.read_bytes() == before and shown.unsaved
    assert len(list(path.parent.iterdir())) == 2


def test_files_that_cannot_be_opened(path, words):
    words.write_text("stop; 5\n")
    with pytest.raises(
        ValueError, match=r"^Line 1 of .* is 'stop; 5'; expected a label and a time"
    ):
        labeller.open(path)
    words.write_text("stop, 12001\n")
    with pytest.raises(ValueError, match=r"^Mark 1 \(stop\) is at 12001.0 ms; expected"):
        labeller.open(path)
    with pytest.raises(audio.AudioError, match=r"none\.wav does not exist"):
        labeller.open(path.with_name("none.wav"))


def test_a_file_stays_where_it_was_when_the_folder_changes(path, tmp_path, monkeypatch):
    monkeypatch.chdir(path.parent)
    shown = labeller.open(path.name, WORDS)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert shown.save() == path.with_name("long talk_labels.txt")


def test_many_threads_save_one_after_another(path):
    shown = labeller.open(path, WORDS)
    threads = [
        threading.Thread(target=from_browser, args=(shown,), kwargs={"ask": {"save": marks}})
        for marks in ([["stop", number]] for number in range(20))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read_ground_truth(path.with_name("long talk_labels.txt"))
    assert [list(entry) for entry in found] == shown._saved and len(found) == 1


# Pieces of the recording.


def test_the_browser_gets_the_recording_in_pieces():
    samples = noise()
    shown = Labeller(samples, RATE, WORDS)
    messages = sent(shown)
    for number in range(3):
        from_browser(shown, ask={"piece": number})
    steps = np.concatenate([np.frombuffer(sound, "<i2") for _, (sound, _) in messages])
    np.testing.assert_array_equal(steps, np.rint(samples.astype(float) * 32768))
    assert [content for content, _ in messages] == [{"piece": number} for number in range(3)]
    sizes = [Image.open(BytesIO(picture)).size for _, (_, picture) in messages]
    assert sizes == [(500, 96), (500, 96), (200, 96)]
    assert [len(sound) for _, (sound, _) in messages] == [80000, 80000, 32000]


@pytest.mark.parametrize(
    "ask", [{"piece": 3}, {"piece": -1}, {"piece": 1.0}, {"piece": True}, {"piece": None}, {}, 5,
            ["piece"], None],
)  # fmt: skip
def test_what_the_browser_must_not_ask_for(ask):
    shown = Labeller(noise(), RATE, WORDS)
    messages = sent(shown)
    shown._handle_custom_msg(ask, [])
    sentence = f"The browser asked for {ask!r}; expected marks to save, or a piece from 0 to 2; run"
    assert shown.status.startswith(sentence) and not messages


def test_samples_of_full_scale_do_not_wrap():
    samples = np.array([1, -1, 0.5, 0.6 / 32768], np.float32)
    sound = np.frombuffer(Pieces(samples, RATE, 5, 0).sound(0), "<i2")
    np.testing.assert_array_equal(sound, [32767, -32768, 16384, 1])


def pixels(png: bytes) -> np.ndarray:
    """Red, green, blue, opacity of a picture, shape (rows, columns, 4)."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGBA")).astype(int)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100])
def test_a_sound_is_drawn_when_it_is_heard(rate):
    """Also where a column of 10 ms is no whole number of samples, and far from the beginning."""
    for time in (0.2, 4.98, 5.02, 7.5, 9.995):
        samples = np.zeros(round(10.01 * rate), np.float32)
        samples[round(time * rate)] = 0.9
        _, loudest = overview(samples, 1000)
        pieces = Pieces(samples, rate, 5, loudest)
        number = int(time // 5)
        drawn = pixels(pieces.picture(number))
        bright = drawn[:64, :, :3].sum(axis=(0, 2))
        column = int((time - 5 * number) * 100 + 1e-6)
        assert abs(int(bright.argmax()) - column) <= 1
        wave = drawn[64:, :, 3] > 0
        inked = np.flatnonzero(wave.sum(axis=0) > 2)
        assert inked.tolist() in ([column], [column - 1], [column + 1])
        assert wave[0, inked[0]] and not wave[-1].any()  # the pulse points upwards


def test_low_sounds_are_below_high_ones_and_the_background_is_clear():
    t = np.arange(5 * 16000) / 16000
    rows = []
    for hertz in (200, 1000, 6000):
        samples = (0.5 * np.sin(2 * np.pi * hertz * t) * (t > 2)).astype(np.float32)
        drawn = pixels(Pieces(samples, 16000, 5, 0).picture(0))
        assert (drawn[:64, :, 3] == 255).all() and (drawn[64:79, :199, 3] == 0).all()
        rows.append(int(drawn[:64, 300, :3].sum(axis=1).argmax()))
    assert rows[0] > 55 > rows[1] > 25 > rows[2]


def test_pictures_of_one_recording_are_equally_bright():
    """A piece is as dark as it is soft, beside the loudest one; soft words are still drawn."""
    loud = noise(5)
    samples = np.concatenate([0.01 * loud, loud]).astype(np.float32)
    _, loudest = overview(samples, 1000)
    assert loudest // RATE >= 5
    pieces = Pieces(samples, RATE, 5, loudest)
    soft, bright = (pixels(pieces.picture(number)) for number in (0, 1))
    assert soft[:64, :, :3].mean() < bright[:64, :, :3].mean() / 2
    heights = [(drawn[64:, :, 3] > 0).sum(axis=0).mean() for drawn in (soft, bright)]
    assert heights[1] > 29 and heights[0] == pytest.approx(3, abs=1), "a tenth, not a hundredth"


@pytest.mark.parametrize("samples", [np.zeros(7), np.full(7, 1e-9), np.zeros(RATE * 5 + 1)])
def test_silence_and_the_shortest_sounds_are_drawn(samples):
    outline, loudest = overview(samples.astype(np.float32), 1000)
    assert 7 <= len(outline) <= 1000 and not outline.any()
    pieces = Pieces(samples.astype(np.float32), RATE, 5, loudest)
    for number in range(len(pieces)):
        drawn = pixels(pieces.picture(number))
        assert (drawn[64:, :, 3] > 0).sum(axis=0).max() <= 2
    assert drawn.shape == (96, 1, 4)


def test_the_outline_is_that_of_the_recording():
    samples = np.zeros(10_000, np.float32)
    samples[2500:2600], samples[7777] = -0.8, 0.2
    outline, loudest = overview(samples, 1000)
    assert outline.shape == (1000, 2) and outline.dtype == np.int8 and loudest == 2500
    assert (outline[250:260, 0] == -127).all() and outline[777].tolist() == [0, 64]  # the root of ¼
    assert np.count_nonzero(outline) == 21  # that is, the ten both low and high


def test_the_palette_is_the_course_s():
    palette = labeller_view._palette()
    assert len(palette) == 3 * 256 and palette[-3:] == [252, 253, 191]  # the end of magma
    assert plots.COLOUR_MAP == "magma"
