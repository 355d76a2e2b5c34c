"""The explorer of streams without a browser: its numbers, its jumps, what it plays and says."""

import base64
import functools
import html
import math
import re
import threading
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from course_utils import audio
from course_utils.streaming import (
    MATCHINGS,
    PUBLISHED,
    RecognizeCommands,
    Recording,
    Scores,
    Settings,
    streaming_accuracy,
)
from course_utils.widgets import stream
from course_utils.widgets.stream_view import StreamView

LABELS = ("_silence_", "_unknown_", "yes", "no", "<go>")
RATE, HOP_MS, SECONDS = 8000, 30, 60
# What is spoken, and what the recogniser hears: for 600 ms around a time, with a score.
SPOKEN = (("yes", 3000), ("no", 8000), ("<go>", 20000), ("yes", 40000), ("no", 55000))
HEARD = [
    ("yes", 3000, 0.9),  # a hit
    ("yes", 8000, 0.9),  # a wrong word
    ("no", 13000, 0.9),  # a false positive; and "<go>" at 20 s is missed
    ("yes", 40000, 0.6),  # a hit where the threshold is low
    ("no", 55000, 0.9),  # a hit
]
LOW, HIGH = Settings(detection_threshold=0.4), Settings()


def scores(heard=HEARD, seconds: float = SECONDS, hop_ms: float = HOP_MS) -> Scores:
    times = np.arange(0, 1000 * seconds - 1000 + 1e-6, hop_ms)
    values = np.zeros((len(times), len(LABELS)), np.float32)
    for label, time_ms, sure in heard:
        values[np.abs(times - time_ms) <= 300, LABELS.index(label)] = sure
    values[:, 0] = 1 - values.sum(axis=1)
    return Scores(LABELS, times, values)


def recording(spoken=SPOKEN, seconds: float = SECONDS, ends: bool = True) -> Recording:
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.5, 0.5, int(seconds * RATE)).astype(np.float32)
    ends_ms = tuple(time_ms + 600 for _, time_ms in spoken) if ends else ()
    return Recording(samples, RATE, tuple(spoken), ends_ms, ("ann",) * len(spoken))


@pytest.fixture
def shown():
    return stream.show(scores(), recording())


def plain(value: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", value))


def numbers(shown) -> dict[str, float]:
    """What stands in the large line, by name."""
    said = re.sub(" +", " ", plain(shown.numbers.value))
    found = re.search(
        r"([\d.]+) % matched: (\d+) of (\d+) words spoken ([\d.]+) % correct: (\d+); wrong: (\d+)"
        r" \(([\d.]+) %\) ([\d.]+) % false positives: (\d+) \(([\d.]+) an hour\)",
        said,
    )
    names = ("matched%", "matched", "words", "correct%", "correct", "wrong", "wrong%", "false%",
             "false", "hourly")  # fmt: skip
    return dict(zip(names, map(float, found.groups()), strict=True))


def latency(shown) -> float | None:
    found = re.search(r"(-?\d+) ms +median latency", plain(shown.numbers.value))
    return float(found.group(1)) if found else None


def picture(shown) -> np.ndarray:
    source = re.search(r'src="data:image/png;base64,([^"]+)"', shown.picture.value).group(1)
    return np.asarray(Image.open(BytesIO(base64.b64decode(source))))


def alt(shown) -> str:
    return html.unescape(re.search(r'<img alt="([^"]*)"', shown.picture.value).group(1))


def played(shown, folder) -> np.ndarray:
    source = re.search(r"base64,([^\"]+)", shown.player.value).group(1)
    (folder / "played").write_bytes(base64.b64decode(source))
    return audio.load(folder / "played")[0]


@functools.cache
def one_by_one(settings: Settings) -> list[tuple[str, float]]:
    """What the live system tells, row after row."""
    heard = scores()
    live = RecognizeCommands(
        LABELS, settings.average_window_ms, settings.detection_threshold, settings.suppression_ms,
        settings.minimum_count,
    )  # fmt: skip
    told = []
    for row, time_ms in zip(heard.values, heard.times_ms, strict=True):
        result = live.process(row, time_ms)
        if result.is_new and result.label != "_silence_":
            told.append((result.label, time_ms))
    return told


@pytest.fixture(scope="module")
def kept():
    """One that is moved from setting to setting."""
    return stream.show(scores(), recording())


@pytest.mark.parametrize("rule", MATCHINGS)
@pytest.mark.parametrize("tolerance_ms", [50, 750, 2000])
@pytest.mark.parametrize(
    "settings",
    [
        HIGH, LOW, PUBLISHED["cpp"], Settings(100, 0.3, 0, 1), Settings(2000, 0.2, 3000, 30),
        Settings(500, 1, 500, 4),
    ],
)  # fmt: skip
def test_the_numbers_are_those_of_the_live_system(kept, settings, tolerance_ms, rule):
    kept.tolerance.value, kept.rule.value = tolerance_ms, rule
    kept.use(settings)
    expected = streaming_accuracy(
        SPOKEN, one_by_one(settings), tolerance_ms=tolerance_ms, matching=rule
    )
    found = numbers(kept)
    assert found["words"] == expected.ground_truth == 5
    for name, count in (
        ("matched", expected.matched),
        ("correct", expected.correct),
        ("wrong", expected.wrong),
        ("false", expected.false_positives),
    ):
        assert found[name] == count
        assert found[f"{name}%"] == pytest.approx(expected.percent(count), abs=0.05)
    assert found["hourly"] == pytest.approx(60 * expected.false_positives)  # one minute of sound


def test_it_opens_with_numbers_picture_and_player(shown):
    assert numbers(shown) == {
        "words": 5, "matched": 3, "matched%": 60, "correct": 2, "correct%": 40,
        "wrong": 1, "wrong%": 20, "false": 1, "false%": 20, "hourly": 60,
    }  # fmt: skip
    assert 'role="status"' in shown.numbers.value and shown.message.value == ""
    assert picture(shown).shape[1] == 720
    for words in (
        "correct (2), wrong (1), false positive (1), missed (2)",
        "scores of 5 labels from 0.00 to 19.98 s",
        "Spoken: yes at 3.00 s, no at 8.00 s, <go> at 20.00 s.",
        "Told: yes at 3.09 s (correct), yes at 8.10 s (wrong), no at 13.11 s (false positive).",
        "Missed: <go> at 20.00 s.",
    ):
        assert words in alt(shown)
    assert "the stretch from 0 to 20 s" in shown.player.value


def test_the_sliders_begin_where_they_are_told():
    given = Settings(300, 0.45, 250, 7)
    shown = stream.show(scores(), recording(), given, tolerance_ms=400)
    assert shown.settings == given and shown.tolerance.value == 400
    assert stream.show(scores(), recording()).settings == Settings()


def test_settings_beyond_the_sliders_are_kept_as_they_are():
    given = Settings(5000, 0.3, 9000, 40)
    shown = stream.show(scores(), recording(), given, tolerance_ms=4000)
    shown.presets["cpp"].click()
    shown.presets["start"].click()
    assert shown.settings == given and shown.tolerance.value == 4000
    assert stream.show(scores(), recording(), Settings(30, 0.3, 0, 1)).window.value == 30


def test_latency_counts_from_the_end_of_the_word_to_the_end_of_the_window():
    # 17 windows are averaged. A word beats the silence before it with 10 of them at 0.9 each, or 15
    # at 0.6. So the windows at 2.97, 40.14 and 54.99 s tell the words of 3, 40 and 55 s: 370, 540
    # and 390 ms after their ends.
    shown = stream.show(scores(), recording(), LOW)
    assert numbers(shown)["correct"] == 3 and latency(shown) == 390


def test_without_a_hit_or_the_ends_of_words_there_is_no_latency():
    assert latency(stream.show(scores(), recording(), Settings(500, 1, 500, 4))) is None
    assert latency(stream.show(scores(), recording(ends=False))) is None


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("window", 1000), ("threshold", 0.4), ("suppression", 1500), ("count", 7),
        ("tolerance", 100), ("rule", "one_to_one"), ("begin", 5),
    ],
)  # fmt: skip
def test_a_control_changes_the_picture_and_putting_it_back_brings_the_picture_back(control, value):
    # A word that follows at once can be suppressed, and one that is heard twice shows the rule.
    # The count matters where the stream begins, for here every window is full soon after.
    heard = [*HEARD, ("yes", 12385, 0.9), ("yes", 4000, 0.9), ("no", 0, 0.9)]
    start = Settings(200, 0.7, 100, 2)
    shown = stream.show(scores(heard), recording(), start, tolerance_ms=1500)
    before, words = picture(shown), alt(shown)
    turned = getattr(shown, control)
    old, turned.value = turned.value, value
    assert shown.message.value == ""
    assert not np.array_equal(picture(shown), before) and alt(shown) != words
    turned.value = old
    assert np.array_equal(picture(shown), before) and alt(shown) == words


def test_a_picture_does_not_depend_on_those_before_it(shown):
    for settings in (LOW, Settings(100, 0.3, 0, 1), PUBLISHED["cpp"]):
        shown.use(settings)
        shown.begin.value = 17
        shown.next.click()
    shown.begin.value = 33
    shown.use(LOW)
    fresh = stream.show(scores(), recording(), LOW)
    fresh.begin.value = 33
    assert np.array_equal(picture(shown), picture(fresh)) and alt(shown) == alt(fresh)


def test_the_fast_picture_is_that_of_a_full_drawing(shown):
    shown.use(LOW)
    shown.begin.value = 31
    fast, view = picture(shown).astype(int), shown._view
    for artist in view._figure.findobj():
        artist.set_animated(False)
    view._canvas.draw()
    whole = np.asarray(view._canvas.buffer_rgba())[..., :3].astype(int)
    # Lines that lie over one another are drawn in another order.
    assert (np.abs(fast - whole).max(axis=2) > 8).mean() < 1e-4


@pytest.mark.parametrize("begin", [0, 12, 40])
def test_a_grey_band_marks_the_stretch(shown, begin):
    shown.begin.value = begin
    ax = shown._view._above
    row = round(shown._view._figure.bbox.height - ax.transData.transform((0, 2.5))[1])
    grey = np.flatnonzero((picture(shown)[row] == 0xD0).all(axis=1))
    (left, _), (right, _) = ax.transData.transform([(begin, 0), (begin + 20, 0)])
    assert len(grey) == pytest.approx(right - left, abs=3)
    assert (grey[0], grey[-1]) == pytest.approx((left, right), abs=2)


@pytest.mark.parametrize("begin", [0, 7, 40])
@pytest.mark.parametrize("window_ms", [90, 500, 2000])
def test_the_stretch_shows_the_averages_of_the_whole_recording(shown, begin, window_ms):
    shown.window.value = window_ms
    shown.begin.value = begin
    inside = (shown._scores.times_ms >= 1000 * begin) & (
        shown._scores.times_ms < 1000 * (begin + 20)
    )
    expected = shown._scores.averages(shown.settings)[inside].T
    drawn = np.ma.filled(shown._view._image.get_array(), math.nan)
    np.testing.assert_array_equal(drawn, expected)
    left, right, *_ = shown._view._image.get_extent()
    times = shown._scores.times_ms[inside] / 1000
    assert (left, right) == pytest.approx((times[0] - 0.015, times[-1] + 0.015))


def test_presets_set_the_four_sliders_and_draw_once(shown, monkeypatch):
    drawn, draw = [], StreamView.draw
    monkeypatch.setattr(StreamView, "draw", lambda *given: drawn.append(1) or draw(*given))
    shown.window.value, shown.threshold.value = 1000, 0.2
    drawn.clear()
    shown.presets["cpp"].click()
    assert shown.settings == PUBLISHED["cpp"] and len(drawn) == 1
    shown.presets["python"].click()
    assert shown.settings == PUBLISHED["python"] and len(drawn) == 2
    expected = streaming_accuracy(SPOKEN, one_by_one(PUBLISHED["python"]))
    assert numbers(shown)["correct"] == expected.correct


def place(shown) -> str:
    assert 'role="status"' in shown.place.value
    return plain(shown.place.value).strip()


def test_next_and_previous_go_through_all_mistakes(shown):
    assert place(shown) == "4 mistakes in the whole recording."
    seen = []
    for _ in range(4):
        shown.next.click()
        seen.append((place(shown), shown.begin.value))
    assert seen == [
        ("Mistake 1 of 4: wrong, yes was told at 8.10 s, no was spoken at 8.00 s.", 0),
        ("Mistake 2 of 4: false positive, no was told at 13.11 s.", 3),
        ("Mistake 3 of 4: missed, <go> was spoken at 20.00 s.", 10),
        ("Mistake 4 of 4: missed, yes was spoken at 40.00 s.", 30),
    ]
    shown.next.click()
    assert place(shown).startswith("There is no mistake after this. Mistake 4 of 4:")
    assert shown.begin.value == 30
    shown.previous.click()
    assert (place(shown), shown.begin.value) == seen[2]
    for _ in range(3):
        shown.previous.click()
    assert place(shown).startswith("There is no mistake before this. Mistake 1 of 4:")


def test_a_stretch_chosen_by_hand_is_where_next_and_previous_begin(shown):
    shown.next.click()
    shown.begin.value = 18
    assert place(shown) == "4 mistakes in the whole recording."
    shown.next.click()
    assert place(shown).startswith("Mistake 3 of 4")
    shown.begin.value = 18
    shown.previous.click()
    assert place(shown).startswith("Mistake 2 of 4")


def test_the_mistake_is_pointed_at_while_there_is_one(shown):
    without = picture(shown)
    shown.next.click()
    pointed = picture(shown)
    assert shown.begin.value == 0 and not np.array_equal(pointed, without)
    shown.threshold.value = 1.0
    assert place(shown) == "5 mistakes in the whole recording.", "the wrong word is told no more"
    assert shown._view._pointer.get_xdata() == []
    shown.threshold.value = 0.7
    assert np.array_equal(picture(shown), pointed)


def test_two_mistakes_at_one_time_are_two():
    spoken = [("no", 5010), ("yes", 5010), ("<go>", 5010)]
    shown = stream.show(scores([]), recording(spoken))
    for number in (1, 2, 3):
        shown.next.click()
        assert place(shown).startswith(f"Mistake {number} of 3")


def test_a_word_told_twice_says_so():
    shown = stream.show(scores([*HEARD, ("yes", 4500, 0.9)]), recording(), tolerance_ms=1600)
    shown.next.click()
    assert place(shown).endswith("yes was spoken at 3.00 s and already matched.")
    shown.rule.value = "one_to_one"
    shown.begin.value = 1
    shown.next.click()
    assert "false positive, yes was told at 4.59 s." in place(shown)


def test_without_a_mistake_there_is_none_to_go_to():
    shown = stream.show(scores(HEARD[:1]), recording(SPOKEN[:1]))
    assert place(shown) == "0 mistakes in the whole recording."
    shown.next.click()
    assert place(shown).startswith("There is no mistake after this. 0 mistakes")


def test_the_player_plays_the_stretch_and_stays_while_the_settings_change(
    shown, tmp_path, monkeypatch
):
    samples = recording().samples
    for begin in (0, 23, 40):
        shown.begin.value = begin
        expected = samples[begin * RATE : (begin + 20) * RATE]
        assert played(shown, tmp_path) == pytest.approx(expected, abs=1 / 32768)
        assert f"the stretch from {begin} to {begin + 20} s" in shown.player.value
    shown.begin.value = 0
    shown.next.click()
    before, made, play = shown.player.value, [], audio.play
    monkeypatch.setattr(audio, "play", lambda *given: made.append(1) or play(*given))
    shown.threshold.value = 0.2
    shown.presets["cpp"].click()
    assert shown.player.value == before and not made
    for _ in range(2):
        shown.next.click()
    assert shown.begin.value and len(made) == 2


@pytest.mark.parametrize(("seconds", "last"), [(1.5, None), (20, None), (20.4, 1), (41.5, 22)])
def test_a_recording_of_any_length_is_shown_to_its_end(seconds, last, tmp_path):
    truth = [("yes", 300)]
    shown = stream.show(scores([("yes", 300, 0.9)], seconds), recording(truth, seconds))
    assert shown.begin.disabled == (last is None) and shown.begin.max == (last or 1)
    if last:
        shown.begin.value = last
    shown.next.click()
    assert shown.message.value == ""
    begin = last or 0
    expected = recording(truth, seconds).samples[begin * RATE : (begin + 20) * RATE]
    assert played(shown, tmp_path) == pytest.approx(expected, abs=1 / 32768)
    assert f"from {begin} to {min(seconds, begin + 20):g} s" in shown.player.value
    assert f"to {shown._scores.times_ms[-1] / 1000:.2f} s" in alt(shown)


def message(shown) -> str:
    return plain(shown.message.value).strip()


def test_settings_that_cannot_be_used_are_explained_and_the_picture_stays(shown):
    before = (shown.picture.value, shown.numbers.value, shown.player.value)
    shown.count.value = 30
    assert 'role="alert"' in shown.message.value
    assert message(shown).startswith("The scores are 30 ms apart; expected more than 0 and at most")
    assert message(shown).endswith("still those of the last settings that worked.")
    assert before == (shown.picture.value, shown.numbers.value, shown.player.value)
    shown.begin.value = 4
    assert "from 4.02 to 23.97 s" in alt(shown), "another stretch can be looked at all the same"
    assert "the stretch from 4 to 24 s" in shown.player.value and message(shown)
    shown.window.value = 1000
    assert message(shown) == "" and shown.numbers.value != before[1]
    shown.count.value = 4
    shown.window.value = 500
    shown.begin.value = 0
    assert before == (shown.picture.value, shown.numbers.value, shown.player.value)


def test_settings_that_cannot_be_used_at_first_leave_room_for_others():
    shown = stream.show(scores(), recording(), Settings(minimum_count=30))
    assert message(shown).endswith("lower minimum_count.") and shown.picture.value == ""
    assert "<audio" in shown.player.value
    shown.next.click()
    shown.begin.value = 8
    assert shown.picture.value == ""
    shown.presets["python"].click()
    assert message(shown) == "" and "from 8.01 to 27.99 s" in alt(shown)
    shown.presets["start"].click()
    assert message(shown) and shown.picture.value


def test_labels_are_escaped(shown):
    for _ in range(3):
        shown.next.click()
    assert "<go> was spoken" in place(shown)
    everything = shown.picture.value + shown.place.value + shown.numbers.value
    assert "&lt;go&gt;" in everything and "<go>" not in everything


def test_controls_that_move_at_once_take_turns(shown, monkeypatch):
    """JupyterLab answers each control in a thread of its own."""
    inside, most, draw = [], [], StreamView._draw_changing

    def slowly(self) -> None:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.005)
        inside.pop()
        draw(self)

    monkeypatch.setattr(StreamView, "_draw_changing", slowly)

    def turn(control, values) -> None:
        for value in values:
            control.value = value

    moves = [
        (turn, (shown.threshold, np.arange(0.3, 0.6, 0.04))),
        (turn, (shown.begin, range(5, 35, 4))),
        (turn, (shown.count, [5, 30, 6, 30, 8])),
        (lambda: [shown.presets["cpp"].click() for _ in range(3)], ()),
        (lambda: [shown.next.click() for _ in range(3)], ()),
    ]
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    threads = [threading.Thread(target=target, args=given) for target, given in moves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed and max(most) == 1
    last = (shown.picture.value, shown.numbers.value, shown.message.value, shown.player.value)
    shown.redraw()
    assert last == (
        shown.picture.value, shown.numbers.value, shown.message.value, shown.player.value,
    )  # fmt: skip
    assert f"the stretch from {shown.begin.value} to" in shown.player.value


def other(**changed) -> Recording:
    given = recording()
    parts = {name: getattr(given, name) for name in given.__dataclass_fields__}
    return Recording(**{**parts, **changed})


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: (scores(seconds=61), recording()),
         r"reach from 0 to 61 s, and the recording from 0 to 60 s; expected the same"),
        (lambda: (scores().between(0, 40000), recording()),
         r"reach from 0 to 40.99 s, and the recording from 0 to 60 s"),
        (lambda: (scores().between(20000, 60000), recording()),
         r"reach from 20.01 to 59.98 s, and the recording from 0 to 60 s"),
        (lambda: (scores(), other(ground_truth=())), "no ground truth; expected at least one"),
        (lambda: (scores(), other(ground_truth=(("yes", 3000), ("bed", 7000)))),
         r"Word 1 of the ground truth is 'bed', at 7 s; expected one of .* _silence_, _unknown_"),
        (lambda: (scores(), other(ground_truth=(("yes", 60000),))),
         "last word of the ground truth begins at 60 s, and the sound ends at 60 s"),
        (lambda: (scores(), other(ground_truth=("yes",))), "Entry 0 of ground_truth is 'yes'"),
        (lambda: (scores(), other(samples=np.zeros((2, 480000), np.float32))),
         r"The recording has shape \(2, 480000\)"),
        (lambda: (scores(), recording(), HIGH, -1), "tolerance_ms is -1; expected 0 or more"),
        (lambda: (scores(), recording(), HIGH, math.nan), "tolerance_ms is nan; expected"),
        (lambda: (scores(), recording(), HIGH, math.inf), "tolerance_ms is inf; expected"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence) as refused:
        stream.show(*wrong())
    assert "; " in str(refused.value) and str(refused.value).endswith(".")


@pytest.mark.parametrize("seconds", [59.975, 60, 60.03, 60.5])
def test_a_recording_that_does_not_end_with_a_window_is_accepted(seconds):
    assert stream.show(scores(), recording(seconds=seconds)).message.value == ""


def test_a_stream_with_few_windows_is_accepted():
    """A slow machine: three windows a second."""
    shown = stream.show(scores().every(11), recording(), Settings(700, 0.5, 500, 3))
    assert shown.message.value == "" and numbers(shown)["correct"] >= 2
    shown.presets["cpp"].click()
    assert message(shown).startswith("The scores are 330 ms apart")
