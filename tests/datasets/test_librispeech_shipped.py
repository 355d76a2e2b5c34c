"""The shipped LibriSpeech mini through the door that learners use."""

from itertools import combinations

import numpy as np
import pytest
import soundfile

from course_utils.datasets import cards, librispeech


@pytest.fixture(scope="module")
def parts() -> dict[str, librispeech.Part]:
    return {name: librispeech.open(name) for name in librispeech.MINI}


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    return cards.load("librispeech_mini").counts


def test_nothing_is_left_out(parts):
    for part in parts.values():
        assert part.left_out == {} and part.text_dropped == {}
        assert "Left out" not in str(part.summary())


def test_there_is_what_the_card_says(parts, counts):
    assert {name: len(part) for name, part in parts.items()} == {
        name: counts[name] for name in librispeech.MINI
    }
    assert sum(len(part) for part in parts.values()) == counts["utterances"]
    assert sum(len(part.speakers) for part in parts.values()) == counts["speakers"]
    said = {word for part in parts.values() for each in part for word in each.text.split()}
    assert len(said) == counts["words"]
    seconds = sum(part.seconds for part in parts.values())
    assert seconds / 60 == pytest.approx(counts["minutes"], abs=0.051)


@pytest.mark.parametrize("pair", [*combinations(librispeech.MINI, 2)])
def test_parts_share_neither_speakers_nor_sentences(parts, pair):
    assert librispeech.shared(*(parts[name] for name in pair)) == (set(), set())


def test_texts_are_the_transcripts_in_lower_case(parts):
    for part in parts.values():
        for each in part:
            assert each.transcript.isupper() and each.text == each.transcript.lower()


@pytest.mark.parametrize("name", librispeech.MINI)
def test_an_utterance_is_heard(parts, name):
    first = parts[name][0]
    samples, rate = first.load()
    assert rate == librispeech.SAMPLE_RATE == 16_000 and samples.dtype == np.float32
    assert samples.ndim == 1 and len(samples) == round(first.seconds * rate)
    assert 0.05 < np.abs(samples).max() <= 1
    header = soundfile.info(first.path)
    assert (header.format, header.subtype, header.channels) == ("FLAC", "PCM_16", 1)
