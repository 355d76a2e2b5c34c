"""The confusion matrix without a browser: what a click shows, in which order, and what it says."""

import base64
import html
import re
import threading
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from course_utils import audio, plots
from course_utils.metrics import Predictions
from course_utils.widgets import confusion

LABELS = ("yes", "no", "<go>")
# Truth, prediction, score and speaker of each clip: "yes" is taken for "no" six times.
CLIPS = [
    ("yes", "yes", 0.9, "ann"),
    *[("yes", "no", score, "bob") for score in (0.5, 0.75, 0.625, 0.875, 0.5625, 0.6875)],
    ("no", "no", 0.8, "cat"),
    ("no", "<go>", 0.7, "<dan>"),
    ("no", "no", 0.6, "ann"),
]


def predictions(clips=CLIPS, groups: bool = True) -> Predictions:
    truth, predicted, sure, speakers = zip(*clips, strict=True)
    scores = np.repeat((1 - np.array(sure)[:, None]) / 2, 3, axis=1)
    scores[np.arange(len(clips)), [LABELS.index(label) for label in predicted]] = sure
    truth = [LABELS.index(label) for label in truth]
    return Predictions(LABELS, truth, scores, speakers if groups else ())


def sound(clip: int) -> np.ndarray:
    """A tone of its own for each clip."""
    t = np.arange(8000) / 16000
    return (0.5 * np.sin(2 * np.pi * (500 + 100 * clip) * t)).astype(np.float32)


@pytest.fixture
def shown():
    return confusion.show(predictions(), sound)


def cell(shown, truth: str, predicted: str):
    return shown.cells[LABELS.index(truth)][LABELS.index(predicted)]


def marked(shown) -> list[tuple[str, str]]:
    """The cells with a thick border."""
    return [
        (truth, predicted)
        for truth in LABELS
        for predicted in LABELS
        if cell(shown, truth, predicted).layout.border_top.startswith("4px")
    ]


def plain(value: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br>", " ", value)))


def titles(shown) -> list[str]:
    found = re.findall(r"<figcaption>(.*?)</figcaption>", shown.clips.value)
    return [html.unescape(title) for title in found]


def numbers(shown) -> list[int]:
    """Which clips are shown."""
    return [int(re.match(r"clip (\d+):", title).group(1)) for title in titles(shown)]


def test_it_opens_with_the_biggest_confusion(shown):
    assert plain(shown.heading.value) == "truth yes, predicted no: 6 clips"
    assert marked(shown) == [("yes", "no")]
    assert numbers(shown) == [4, 2, 6, 3], "the most confident mistake first"
    assert titles(shown)[0] == "clip 4: truth yes, predicted no, score 0.88, speaker bob"


def test_a_cell_of_ones_choice_opens_first():
    shown = confusion.show(predictions(), sound, first=("no", "<go>"))
    assert marked(shown) == [("no", "<go>")] and numbers(shown) == [8]


def test_without_a_mistake_the_largest_cell_is_open():
    shown = confusion.show(predictions([clip for clip in CLIPS if clip[0] == clip[1]]), sound)
    assert plain(shown.heading.value) == "truth no, predicted no: 2 clips"


def test_without_speakers_none_is_named():
    shown = confusion.show(predictions(groups=False), sound)
    assert titles(shown)[0].endswith("score 0.88")


def test_music_is_counted_in_tracks_of_artists():
    shown = confusion.show(predictions(), sound, named=("track", "artist"))
    assert plain(shown.heading.value) == "truth yes, predicted no: 6 tracks"
    assert titles(shown)[0].startswith("track 4: ") and titles(shown)[0].endswith("artist bob")
    assert shown.by.options[0] == ("tracks", "counts")
    assert 'alt="Spectrogram of track 4' in shown.clips.value


def test_every_cell_has_its_count_its_words_and_its_shade(shown):
    assert cell(shown, "yes", "no").tooltip == "truth yes, predicted no: 6 clips"
    assert cell(shown, "no", "<go>").tooltip == "truth no, predicted <go>: 1 clip"
    assert [[each.description for each in row] for row in shown.cells] == [
        ["1", "6", "0"], ["0", "2", "1"], ["0", "0", "0"],
    ]  # fmt: skip
    for truth, predicted, share in (("yes", "no", 6 / 7), ("no", "<go>", 1 / 3)):
        style = cell(shown, truth, predicted).style
        step = np.ceil(share * confusion._SHADES) / confusion._SHADES
        assert (style.button_color, style.text_color) == plots.shade(step)
    assert cell(shown, "<go>", "yes").style.button_color == plots.shade(0)[0]


def test_shares_of_rows_and_of_columns(shown):
    shown.by.value = "truth"
    assert cell(shown, "yes", "no").description == "86%"
    assert cell(shown, "<go>", "<go>").description == "0%", "a row without clips"
    shown.by.value = "predicted"
    assert cell(shown, "yes", "no").description == "75%"
    assert cell(shown, "no", "<go>").description == "100%"
    assert cell(shown, "no", "<go>").style.button_color == plots.shade(1)[0]
    assert cell(shown, "no", "<go>").tooltip == "truth no, predicted <go>: 1 clip"
    shown.by.value = "counts"
    assert cell(shown, "yes", "no").description == "6"


def test_a_share_that_rounds_to_nothing_is_not_written_as_nothing():
    many = [("yes", "yes", 0.9, "ann")] * 400 + [("yes", "no", 0.9, "ann")]
    shown = confusion.show(predictions(many), sound)
    shown.by.value = "truth"
    assert [each.description for each in shown.cells[0]] == ["100%", "<1%", "0%"]


def test_a_click_brings_the_clips_of_its_cell(shown):
    cell(shown, "no", "no").click()
    assert plain(shown.heading.value) == "truth no, predicted no: 2 clips"
    assert marked(shown) == [("no", "no")] and numbers(shown) == [7, 9]
    assert (shown.back.disabled, shown.more.disabled) == (True, True)
    assert shown.place.value == "1 to 2 of 2"


def test_more_and_back_turn_pages(shown):
    assert (shown.back.disabled, shown.more.disabled) == (True, False)
    shown.more.click()
    assert numbers(shown) == [5, 1] and shown.place.value == "5 to 6 of 6"
    assert (shown.back.disabled, shown.more.disabled) == (False, True)
    shown.more.click()
    assert numbers(shown) == [5, 1], "a click that came too late"
    shown.back.click()
    shown.back.click()
    assert numbers(shown) == [4, 2, 6, 3] and shown.place.value == "1 to 4 of 6"


def test_another_cell_begins_on_its_first_page(shown):
    shown.more.click()
    cell(shown, "no", "<go>").click()
    assert numbers(shown) == [8]
    cell(shown, "yes", "no").click()
    assert numbers(shown) == [4, 2, 6, 3]


def test_an_empty_cell_says_so(shown):
    cell(shown, "<go>", "yes").click()
    said = plain(shown.heading.value)
    assert said.startswith("truth <go>, predicted yes: 0 clips This never happened")
    assert titles(shown) == [] and shown.place.value == "" and marked(shown) == [("<go>", "yes")]
    shown.more.click()
    assert (shown.back.disabled, shown.more.disabled) == (True, True)


def test_each_clip_has_its_own_sound_and_picture(shown, tmp_path):
    players = re.findall(r'src="data:audio/flac;base64,([^"]+)"', shown.clips.value)
    pictures = re.findall(
        r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', shown.clips.value
    )
    assert len(players) == len(pictures) == 4
    for clip, player, (alt, picture) in zip(numbers(shown), players, pictures, strict=True):
        (tmp_path / "played").write_bytes(base64.b64decode(player))
        played, rate = audio.load(tmp_path / "played")
        assert rate == 16000 and played == pytest.approx(sound(clip), abs=1 / 32768)
        Image.open(BytesIO(base64.b64decode(picture))).verify()
        assert f"Spectrogram of clip {clip}: 48 frames by 257 columns, power (dB)" in alt
        hertz = int(re.search(r"near (\d+) Hz", alt).group(1))
        assert hertz == pytest.approx(500 + 100 * clip, abs=17)


def test_names_are_escaped(shown):
    cell(shown, "no", "<go>").click()
    assert titles(shown) == ["clip 8: truth no, predicted <go>, score 0.70, speaker <dan>"]
    everything = shown.heading.value + shown.clips.value
    everything += "".join(
        getattr(part, "value", "") for part in shown.children[0].children[1].children
    )
    assert "&lt;go&gt;" in everything
    assert "<go>" not in everything and "<dan>" not in everything


def test_an_unknown_first_label_is_refused():
    sentence = "the label 'maybe' in first; expected one of yes, no, <go>; give"
    with pytest.raises(ValueError, match=sentence):
        confusion.show(predictions(), sound, first=("yes", "maybe"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda clip: sound(clip)[None], r"Clip 0 has shape \(1, 8000\)"),
        (lambda clip: None, "Clip 0 has shape"),
        (lambda clip: (sound(clip), 16000), "Clip 0 is no array"),
        (lambda clip: 2 * sound(clip) * 2, "Clip 0 has a peak of 2"),
    ],
)
def test_what_is_no_sound_is_refused(wrong, sentence):
    with pytest.raises(audio.AudioError, match=sentence):
        confusion.show(predictions(), wrong)


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (np.zeros((2, 100), np.float32), "Clip 2 has shape (2, 100)"),
        (np.zeros(400, np.float32), "Clip 2 lasts 25 ms; expected at least the 30 ms"),
    ],
)
def test_one_clip_that_cannot_be_shown_is_explained_beside_the_others(samples, sentence):
    shown = confusion.show(predictions(), lambda clip: samples if clip == 2 else sound(clip))
    assert numbers(shown) == [4, 6, 3]
    alert = re.search(r'<div>([^<]+)<p role="alert">([^<]+)</p></div>', shown.clips.value)
    assert alert.group(1).startswith("clip 2: truth yes, predicted no")
    assert alert.group(2).startswith(sentence)


def test_another_rate_is_played_and_drawn():
    shown = confusion.show(predictions(), sound, sample_rate=8000)
    assert "1.00 s at 8000 Hz" in shown.clips.value


def test_clicks_at_once_take_turns():
    """JupyterLab answers each control in a thread of its own."""
    inside, most = [], []

    def slowly(clip: int) -> np.ndarray:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.005)
        inside.pop()
        return sound(clip)

    shown = confusion.show(predictions(), slowly)
    pressed = [
        cell(shown, "yes", "no"),
        cell(shown, "no", "no"),
        cell(shown, "no", "<go>"),
        shown.more,
    ]
    threads = [
        threading.Thread(target=lambda button=button: [button.click() for _ in range(5)])
        for button in pressed
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert max(most) == 1
    ((truth, predicted),) = marked(shown)
    assert f"truth {truth}, predicted {predicted}:" in plain(shown.heading.value)
    assert all(f"truth {truth}, predicted {predicted}," in title for title in titles(shown))
