"""Aligned words without a browser: what is played for which word, what is said, what is refused."""

import base64
import html
import io
import math
import re

import numpy as np
import pytest
import soundfile
from PIL import Image

from course_utils import audio
from course_utils.decoding.alignment import Span, words
from course_utils.widgets.alignment import LONGEST_S, Alignment

RATE, STEP_S = 16000, 0.02
SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, RATE + 100).astype(np.float32)
CHARACTERS = [
    Span("o", 0, 2, 0.9), Span("h", 4, 5, 0.8), Span(" ", 8, 9, 0.7), Span("<", 20, 22, 0.3),
    Span("&", 48, 51, 0.4),
]  # fmt: skip
WORDS = words(CHARACTERS)


def made(given=WORDS, samples=SOUND, rate=RATE, **settings) -> Alignment:
    return Alignment(samples, rate, given, **{"seconds_per_step": STEP_S, **settings})


def buttons(shown: Alignment) -> list[dict[str, str]]:
    """Attributes of each button, and as `text` what stands on it."""
    found = []
    for attributes, inside in re.findall(r"<button([^>]*)>(.*?)</button>", shown._page):
        named = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
        text = re.sub(r"<[^>]+>", "", inside)
        found.append({key: html.unescape(v) for key, v in {**named, "text": text}.items()})
    return found


def played(shown: Alignment) -> list[tuple[float, float]]:
    """Begin and end of what each button plays, in seconds."""
    return [
        (round(float(each["data-begin"]), 5), round(float(each["data-end"]), 5))
        for each in buttons(shown)
    ]


def test_each_word_is_played_with_a_margin_within_the_sound():
    seconds = len(SOUND) / RATE
    assert played(made()) == [(0, seconds), (0, 0.13), (0.37, seconds)]
    assert played(made(margin_s=0)) == [(0, seconds), (0, 0.1), (0.4, seconds)]
    assert played(made(WORDS[:1], seconds_per_step=0.04))[1] == (0, 0.23)


def test_the_sound_is_the_sound():
    shown = made()
    samples, rate = soundfile.read(io.BytesIO(shown._flac), dtype="float32")
    assert rate == shown._sound["rate"] == RATE and shown._sound["seconds"] == len(SOUND) / RATE
    assert samples == pytest.approx(SOUND, abs=1 / 65536)


@pytest.mark.parametrize(("rate", "context"), [(4000, 8000), (44100, 44100), (192000, 96000)])
def test_a_sound_card_is_asked_for_no_odd_rate(rate, context):
    shown = made(WORDS[:1], SOUND[:4000] if rate == 4000 else np.tile(SOUND, 4), rate)
    assert shown._sound["rate"] == context


def test_buttons_say_how_sure_a_word_is_and_doubt_is_in_the_text():
    whole, first, second = buttons(made())
    assert (whole["text"], first["text"]) == ("play all", "oh 87 %")
    assert (second["text"], second["class"]) == ("<&? 36 %", "unsure") and "class" not in first
    assert whole["data-said"] == "all of it, 1.01 s"
    assert first["data-said"] == "oh, 0.00 to 0.10 s, mean probability 87 %"
    assert second["data-said"] == "<&, 0.40 to 1.01 s, mean probability 36 %"


def test_with_characters_each_is_told():
    said = [each["data-said"] for each in buttons(made(characters=CHARACTERS))]
    assert said[1].endswith("mean probability 87 % (o 90 %, h 80 %)")
    assert said[2].endswith("mean probability 36 % (< 30 %, & 40 %)")


def test_what_is_written_is_escaped():
    shown = made([Span('<b>"', 1, 3, 0.2)], title="<i>")
    assert "<b>" not in shown._page and "<i>" not in shown._page
    assert buttons(shown)[1]["text"] == '<b>"? 20 %'


def test_the_places_of_the_axes_are_those_of_the_picture():
    shown = made()
    style = re.search(r'class="axes" style="([^"]*)"', shown._page).group(1)
    place = {key: float(v) / 100 for key, v in re.findall(r"([a-z]+):([\d.]+)%", style)}
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown._png))).convert("L"))
    height, width = pixels.shape
    # The line below the axes is as long as they are, and the longest there.
    bottom = round(height * (place["top"] + place["height"]))
    dark = np.pad((pixels[bottom - 2 : bottom + 3] < 60).any(axis=0), 1)
    begins, ends = np.flatnonzero(np.diff(dark.astype(int))).reshape(-1, 2).T
    longest = np.argmax(ends - begins)
    assert begins[longest] == pytest.approx(width * place["left"], abs=5)  # with a tick before it
    assert ends[longest] == pytest.approx(width * (place["left"] + place["width"]), abs=2)


def test_a_stored_notebook_has_the_figure_and_its_words():
    shown = made(characters=CHARACTERS, title="a clip")
    data, metadata = shown._repr_mimebundle_()
    assert data["text/plain"] == repr(shown) == "alignment: oh <&, 1.01 s"
    assert "application/vnd.jupyter.widget-view+json" in data
    Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).verify()
    alt = metadata["image/png"]["alt"]
    assert alt.startswith("Mel spectrogram of a clip: ") and "oh from 0.00 to 0.10 s" in alt
    assert f'alt="{html.escape(alt)}"' in shown._page and data["image/png"] in shown._page


def test_it_is_small_to_store():
    """A real utterance is: noise does not shrink."""
    t = np.arange(5 * RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 300 * t) * np.hanning(len(t))).astype(np.float32)
    shown = made(samples=tone)
    assert len(shown._page) < 60_000 and len(shown._flac) < len(tone)


@pytest.mark.parametrize(
    ("given", "settings", "sentence"),
    [
        ([], {}, "Found 0 spans and steps of 0.02 s; expected at least one"),
        ([], {"characters": CHARACTERS}, "Found 0 spans and steps"),
        (WORDS, {"seconds_per_step": 0}, "steps of 0 s; expected at least one span, and steps"),
        (WORDS, {"seconds_per_step": math.nan}, "steps of nan s"),
        (WORDS, {"seconds_per_step": 0.04}, "'<&' up to 2.04 s of a sound of 1.01 s; expected it"),
        (WORDS[:1], {"characters": [Span("a", 90, 91, 1.0)]}, "'a' up to 1.82 s of a sound"),
        ([Span("a", 3, 3, 1.0)], {}, "'a' in steps 3 to 3"),
        ([Span("a", 3, 4, -1.5)], {}, "with a score of -1.5"),
        (WORDS, {"margin_s": -0.1}, "margin_s=-0.1; expected 0 to 60 seconds; 0.03 is usual"),
        (WORDS, {"margin_s": math.nan}, "margin_s=nan; expected 0 to 60"),
        (WORDS, {"samples": SOUND[:300]}, "lasts 0.019 s; expected 0.025 to 60 s; give one"),
        (WORDS, {"samples": np.tile(SOUND, 60)}, f"expected 0.025 to {LONGEST_S} s"),
    ],
)
def test_what_cannot_be_shown_is_refused(given, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        made(given, **settings)


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (SOUND[None], r"The utterance has shape \(1, 16100\)"),
        (SOUND * 4, "The utterance has a peak of"),
        (np.full(9000, np.nan, np.float32), "The utterance holds NaN"),
    ],
)
def test_what_is_no_sound_is_refused(samples, sentence):
    with pytest.raises(audio.AudioError, match=sentence):
        made(samples=samples)


def test_silence_is_drawn():
    assert buttons(made(samples=np.zeros(RATE + 100, np.float32)))[1]["text"] == "oh 87 %"
