"""The spectrogram explorer without a browser: controls, words, sounds of one's own."""

import base64
import datetime
import html
import re
import threading
import time
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from PIL import Image

from course_utils import audio, features
from course_utils.widgets import explorer, view
from course_utils.widgets.explorer import Explorer
from course_utils.widgets.view import Setting, View, _table

RATE = 16000


def sweep(seconds: float = 1.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A tone that rises from 200 Hz to a third of the rate, with a little noise."""
    t = np.arange(int(seconds * rate)) / rate
    rising = np.sin(2 * np.pi * (200 * t + rate / 7 * t**2 / seconds))
    noise = np.random.default_rng(seed).normal(0, 0.01, len(t))
    return (0.4 * rising * np.hanning(len(t)) + noise).clip(-1, 1).astype(np.float32)


def wav_bytes(samples: np.ndarray, rate: int = RATE) -> bytes:
    memory = BytesIO()
    soundfile.write(memory, samples, rate, format="WAV")
    return memory.getvalue()


@pytest.fixture
def clips(tmp_path):
    """Three sound files: one second at 16 kHz, another word, 8 kHz."""
    sounds = {
        "yes 1": (sweep(), RATE),
        "no 1": (sweep(seed=1)[::-1].copy(), RATE),
        "telephone": (sweep(rate=8000), 8000),
    }
    for name, (samples, rate) in sounds.items():
        audio.save(tmp_path / f"{name}.wav", samples, rate)
    return {name: tmp_path / f"{name}.wav" for name in sounds}


@pytest.fixture
def shown(clips):
    return Explorer(clips)


def picture(shown: Explorer) -> str:
    return re.search(r'src="data:image/png;base64,([^"]+)"', shown.picture.value).group(1)


def alt(shown: Explorer) -> str:
    return html.unescape(re.search(r'<img alt="([^"]*)"', shown.picture.value).group(1))


def message(shown: Explorer) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", shown.message.value))


def opened(name: str, content: bytes) -> tuple[dict]:
    """What ipywidgets makes of a file that a learner opens."""
    return (
        {
            "name": name,
            "type": "audio/wav",
            "size": len(content),
            "content": memoryview(content),
            "last_modified": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
        },
    )


def test_it_opens_with_a_picture_its_words_and_a_player(shown):
    Image.open(BytesIO(base64.b64decode(picture(shown)))).verify()
    assert "spectrogram of 1.00 s of sound, window 25 ms, stride 5 ms: 196 frames" in alt(shown)
    assert "<audio controls" in shown.player.value and "yes 1" in shown.player.value
    assert shown.message.value == ""


@pytest.mark.parametrize(
    ("control", "value", "kind"),
    [
        ("kind", "mel", "spectrogram"),
        ("kind", "MFCC", "mel"),
        ("window", 60, "spectrogram"),
        ("window", 60, "mel"),
        ("window", 60, "MFCC"),
        ("stride", 20, "spectrogram"),
        ("stride", 20, "MFCC"),
        ("mels", 20, "mel"),
        ("mels", 20, "MFCC"),
        ("floor", -30, "spectrogram"),
        ("floor", -30, "mel"),
        ("hertz", (1000, 4000), "spectrogram"),
        ("hertz", (1000, 4000), "mel"),
        ("hertz", (1000, 4000), "MFCC"),
        ("clip", "no 1", "spectrogram"),
        ("clip", "no 1", "MFCC"),
    ],
)
def test_a_control_changes_the_picture_and_putting_it_back_brings_the_picture_back(
    shown, control, value, kind
):
    shown.kind.value = kind
    before, words = picture(shown), alt(shown)
    turned = getattr(shown, control)
    old, turned.value = turned.value, value
    assert picture(shown) != before and shown.message.value == ""
    if control != "floor":  # it changes what is visible, not what was measured
        assert alt(shown) != words
    turned.value = old
    assert (picture(shown), alt(shown)) == (before, words)


@pytest.mark.parametrize(
    ("kind", "without_effect"),
    [("spectrogram", ["mels"]), ("mel", []), ("MFCC", ["floor"])],
)
def test_a_control_without_effect_is_greyed_out(shown, kind, without_effect):
    shown.kind.value = kind
    assert [name for name in ("mels", "floor") if getattr(shown, name).disabled] == without_effect
    for name in without_effect:
        before = picture(shown)
        getattr(shown, name).value += 5
        assert picture(shown) == before


def test_another_clip_brings_its_own_player(shown):
    before = shown.player.value
    shown.clip.value = "no 1"
    assert shown.player.value != before and "no 1" in shown.player.value


def test_the_player_plays_the_clip(shown, clips, tmp_path):
    source = re.search(r"base64,([^\"]+)", shown.player.value).group(1)
    (tmp_path / "played").write_bytes(base64.b64decode(source))
    samples, rate = audio.load(tmp_path / "played")
    expected, expected_rate = audio.load(clips["yes 1"])
    assert rate == expected_rate and np.array_equal(samples, expected)


@pytest.mark.parametrize("kind", view.KINDS)
def test_the_words_are_escaped(shown, monkeypatch, kind):
    monkeypatch.setattr(View, "describe", lambda *_: 'a "loud" <script>alert(1)</script> & tone')
    shown.kind.value = "mel" if kind == "spectrogram" else "spectrogram"
    shown.kind.value = kind
    assert "<script>" not in shown.picture.value
    assert alt(shown) == 'a "loud" <script>alert(1)</script> & tone'
    assert picture(shown)


def test_a_window_longer_than_the_clip_is_explained_and_the_picture_stays(tmp_path):
    audio.save(tmp_path / "short.wav", sweep(0.1), RATE)
    shown = Explorer({"short": tmp_path / "short.wav"})
    before = shown.picture.value
    for kind in view.KINDS:
        shown.kind.value, shown.window.value = kind, 99
        before = shown.picture.value
        shown.window.value = 101
        assert shown.picture.value == before
        said = "The sound is shorter than one window, so there is no frame to show; choose a"
        assert message(shown).startswith(said) and 'role="alert"' in shown.message.value
        shown.window.value = 25
        assert shown.picture.value != before and shown.message.value == ""


@pytest.mark.parametrize("kind", view.KINDS)
def test_every_corner_of_the_controls_draws_something(shown, kind):
    shown.kind.value = kind
    for clip in ("yes 1", "telephone"):
        shown.clip.value = clip
        for window in (shown.window.min, shown.window.max):
            shown.window.value = window
            for stride, mels in ((shown.stride.min, shown.mels.max), (50, shown.mels.min)):
                shown.stride.value, shown.mels.value = stride, mels
                assert shown.message.value == "", (clip, window, stride, mels)
                assert f"window {window} ms, stride {stride} ms" in alt(shown)
        shown.window.value = 25


@pytest.mark.parametrize("kind", view.KINDS)
@pytest.mark.parametrize("where", [0, 4000, 8000])
def test_a_range_dragged_to_one_point_still_draws(shown, kind, where):
    shown.kind.value = kind
    shown.hertz.value = (where, where)
    assert shown.message.value == "" and f"{kind} of 1.00 s" in alt(shown)


def test_few_mel_bands_give_few_coefficients(shown):
    shown.kind.value = "MFCC"
    shown.mels.value = 8
    assert "frames by 7 rows, value from" in alt(shown)  # the level, coefficient 0, is left out


@pytest.mark.parametrize("kind", view.KINDS)
def test_silence_is_drawn(tmp_path, kind):
    audio.save(tmp_path / "silence.wav", np.zeros(RATE, np.float32), RATE)
    shown = Explorer({"silence": tmp_path / "silence.wav"})
    shown.kind.value = kind
    assert shown.message.value == "" and f"{kind} of 1.00 s" in alt(shown)


def test_the_range_follows_the_sample_rate(shown):
    assert shown.hertz.max == 8000
    shown.clip.value = "telephone"
    assert shown.hertz.max == 4000 and shown.hertz.value == (0, 4000)
    shown.clip.value = "yes 1"
    assert shown.hertz.max == 8000 and shown.hertz.value == (0, 8000)


def test_a_chosen_range_stays_when_the_clip_changes(shown):
    shown.hertz.value = (500, 3000)
    shown.clip.value = "no 1"
    assert shown.hertz.value == (500, 3000)
    shown.hertz.value = (5000, 7000)
    shown.clip.value = "telephone"
    assert shown.hertz.value[1] == 4000 and shown.message.value == ""


def test_a_file_of_ones_own_is_shown_and_can_be_found_again(shown):
    content = wav_bytes(sweep(0.5, 22050), 22050)
    shown.upload.value = opened("my <b>voice</b>.wav", content)
    assert shown.clip.value == "my <b>voice</b>.wav"
    assert "spectrogram of 0.50 s" in alt(shown) and shown.message.value == ""
    assert "<b>" not in shown.player.value and "voice" in shown.player.value
    assert shown.hertz.max == 11025
    own = picture(shown)
    shown.clip.value = "yes 1"
    assert picture(shown) != own
    shown.clip.value = "my <b>voice</b>.wav"
    assert picture(shown) == own


def test_the_same_file_can_be_opened_again(shown):
    """It may have been recorded anew in between."""
    shown.upload.value = opened("mine.wav", wav_bytes(sweep(0.5)))
    own = picture(shown)
    shown.clip.value = "no 1"
    shown.upload.value = opened("mine.wav", wav_bytes(sweep(0.5)))
    assert picture(shown) == own
    shown.upload.value = opened("mine.wav", wav_bytes(sweep(0.7)))
    assert "0.70 s" in alt(shown)
    assert list(shown.clip.options).count("mine.wav") == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.wav", b"these are not the samples you look for", "is not audio"),
        ("empty.wav", b"", "is empty (0 bytes)"),
        ("cut.wav", wav_bytes(sweep())[:5000], "is truncated"),
        ("a <i>b</i>.wav", b"rubbish, rubbish", "is not audio"),
        ("../../up.wav", b"rubbish, rubbish", "is not audio"),
        ("n" * 300 + ".wav", b"rubbish, rubbish", "is not audio"),
    ],
)
def test_rubbish_is_explained_by_its_own_name_and_nothing_is_lost(shown, name, content, said):
    before = (shown.picture.value, shown.player.value, shown.clip.value, shown.clip.options)
    shown.upload.value = opened(name, content)
    assert message(shown).startswith(f"{name} {said}")
    assert "<i>" not in shown.message.value
    assert before == (
        shown.picture.value, shown.player.value, shown.clip.value, shown.clip.options,
    )  # fmt: skip
    shown.window.value += 1
    assert shown.message.value == "" and shown.picture.value != before[0]


def test_a_long_sound_is_cut_and_the_cut_is_named(shown):
    content = wav_bytes(sweep(explorer._LONGEST_S + 5, 4000), 4000)
    shown.upload.value = opened("song.wav", content)
    assert message(shown) == "song.wav lasts 35.0 s; these are the first 30 s of it."
    assert "spectrogram of 30.00 s" in alt(shown)
    shown.window.value += 1
    assert "first 30 s" in message(shown), "the note stays as long as the sound"
    shown.clip.value = "yes 1"
    assert shown.message.value == ""


def test_a_clip_that_cannot_be_read_is_explained(clips, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    shown = Explorer({**clips, "broken": tmp_path / "broken.wav"})
    before = picture(shown)
    shown.clip.value = "broken"
    assert "broken.wav" in message(shown) and picture(shown) == before


def test_a_first_clip_that_cannot_be_read_does_not_break_the_controls(clips, tmp_path):
    shown = Explorer({"gone": tmp_path / "gone.wav", **clips})
    assert "gone.wav does not exist" in message(shown)
    shown.window.value += 1
    assert "gone.wav does not exist" in message(shown)
    shown.clip.value = "yes 1"
    assert shown.message.value == "" and picture(shown)


def test_controls_that_move_at_once_take_turns(shown, monkeypatch):
    """JupyterLab answers each control in a thread of its own."""
    inside, most, describe = [], [], View.describe

    def slowly(self, *given) -> str:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return describe(self, *given)

    monkeypatch.setattr(View, "describe", slowly)

    def turn(control, values) -> None:
        for value in values:
            control.value = value

    moves = [
        (shown.window, range(30, 40)),
        (shown.kind, ["mel", "MFCC", "spectrogram", "mel"]),
        (shown.clip, ["no 1", "telephone", "yes 1", "no 1"]),
    ]
    threads = [threading.Thread(target=turn, args=move) for move in moves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert max(most) == 1
    last = (picture(shown), alt(shown))
    shown.redraw()
    assert (picture(shown), alt(shown)) == last and "window 39 ms" in last[1]


def test_no_clips_are_refused():
    with pytest.raises(ValueError, match="got no clips; expected at least one"):
        Explorer({})


def test_a_data_set_gives_a_few_clips_of_every_word(clips):
    paths = [clips["yes 1"], clips["no 1"], clips["telephone"], clips["yes 1"]]
    words = SimpleNamespace(
        words=["no", "yes"], clips=lambda word: paths if word == "yes" else paths[:1]
    )
    options = explorer.show(words).clip.options
    assert list(options) == ["no 1", "yes 1", "yes 2", "yes 3"]
    options = explorer.show(words, first="yes").clip.options
    assert list(options) == ["yes 1", "yes 2", "yes 3", "no 1"]


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
@pytest.mark.parametrize("kind", ["spectrogram", "mel"])
def test_a_tone_appears_at_its_frequency(rate, kind):
    hertz = 1500
    samples = (0.5 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.float32)
    found = _table(samples, rate, Setting(kind=kind, low_hz=200, high_hz=3500))
    row = int(found.values.mean(axis=0).argmax())
    assert found.labels == sorted(found.labels, key=float)
    at = np.interp(row, found.ticks, [float(label) for label in found.labels])
    assert at == pytest.approx(hertz, abs=50 if kind == "spectrogram" else 120)
    assert found.limits[1] - found.limits[0] == pytest.approx(70)
    assert found.unit == "power (dB)" and "Hz" in found.axis


@pytest.mark.parametrize("kind", view.KINDS)
def test_a_range_beyond_half_the_rate_is_cut_there(kind):
    found = _table(sweep(rate=8000), 8000, Setting(kind=kind, high_hz=8000))
    cut = _table(sweep(rate=8000), 8000, Setting(kind=kind, high_hz=4000))
    assert np.array_equal(found.values, cut.values) and found.labels == cut.labels


def test_a_frequency_stands_at_the_mel_band_around_it():
    found = _table(sweep(), RATE, Setting(kind="mel", window_ms=250, n_mels=20))
    peaks = features.mel_filterbank(2049, RATE, 20, 0, 8000).argmax(axis=0) * RATE / 4096
    assert found.labels == ["100", "500", "1000", "2000", "4000"]
    there = np.interp(found.ticks, np.arange(20), peaks)
    assert there == pytest.approx([float(label) for label in found.labels], abs=5)


def test_a_click_appears_at_its_time():
    samples = np.zeros(11025, np.float32)
    samples[8269] = 1  # 0.75 s
    held = View()
    held.hold(samples, 11025)
    setting = Setting(window_ms=10, stride_ms=1)
    held.draw(setting)
    left, right, *_ = held._image.get_extent()
    loud = _table(samples, 11025, setting).values.max(axis=1)
    frames = np.flatnonzero(loud > loud.max() - 6)
    middle = left + (frames.mean() + 0.5) * (right - left) / len(loud)
    assert middle == pytest.approx(0.75, abs=0.001)
    assert held._axis.get_xlim() == held._wave.get_xlim() == (0, 1)


def test_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="kind 'chroma'; expected spectrogram, mel, MFCC"):
        _table(sweep(), RATE, Setting(kind="chroma"))
