"""Cards: the shipped ones are sound, and a broken one says what is wrong with it."""

import dataclasses
import json

import pytest

from course_utils import places
from course_utils.datasets import cards

GOOD = {
    "name": "toy",
    "title": "Toy | set",
    "description": "Two\nclips.",
    "licence": "CC0",
    "source": "this test",
    "archive": "toy.tar.gz",
    "url": None,
    "sha256": "0" * 64,
    "bytes": 1234567,
    "sample_rate": 16000,
    "counts": {"clips": 2, "words": {"yes": 1, "no": 1}},
}


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """An empty folder of cards."""
    monkeypatch.setattr(places, "shipped", lambda: tmp_path)
    return tmp_path


def write(place, **changes):
    """Put a card there; a change to ``...`` removes the key."""
    content = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    (place / "toy.json").write_text(json.dumps(content))


def test_a_card_is_read_and_cannot_be_changed(shipped):
    write(shipped, made_by="a script", folder="toys/small")
    card = cards.load("toy")
    assert (card.name, card.url, card.counts["clips"]) == ("toy", None, 2)
    assert card.more == {"made_by": "a script", "folder": "toys/small"}
    assert card.folder == "toys/small"
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.name = "other"


def test_defaults_of_the_keys_that_the_door_looks_for(shipped):
    write(shipped)
    assert (cards.load("toy").folder, cards.load("toy").sound) == ("toy", "wav")
    write(shipped, url="https://example.org/toy.tar.gz")
    assert cards.load("toy").sound is None
    write(shipped, sound="flac")
    assert cards.load("toy").sound == "flac"


def test_the_summary_is_a_markdown_table(shipped):
    write(shipped)
    card = cards.load("toy")
    lines = card.summary().splitlines()
    assert lines[:3] == [r"| Data set | Toy \| set |", "|---|---|", "| What | Two clips. |"]
    assert "| Recordings | 2 clips, words (1 yes, 1 no) |" in lines
    assert "| Archive | `toy.tar.gz`, 1.2 MB, shipped |" in lines
    assert card._repr_markdown_() == card.summary()


def test_an_archive_of_which_only_the_sha1_is_known(shipped):
    write(shipped, sha256=None, sha1="a" * 40)
    card = cards.load("toy")
    assert (card.sha256, card.checksum) == (None, "a" * 40)
    assert f"| SHA-1 | `{'a' * 40}` |" in card.summary().splitlines()
    write(shipped, sha1="a" * 40)
    assert cards.load("toy").checksum == "0" * 64
    assert f"| SHA-256 | `{'0' * 64}` |" in cards.load("toy").summary().splitlines()


@pytest.mark.parametrize("name", ["nothing", "../toy", "", "a b"])
def test_an_unknown_name_lists_the_choices(shipped, name):
    write(shipped)
    (shipped / "results.json").write_text("[1, 2]")
    (shipped / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"There is no data set .*: choose one of toy\."):
        cards.load(name)


def test_an_empty_folder_says_so(shipped):
    with pytest.raises(ValueError, match="no cards were found there"):
        cards.load("toy")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"licence": ...}, "licence is missing"),
        ({"bytes": "12"}, "bytes is '12'"),
        ({"bytes": True}, "bytes is True"),
        ({"sample_rate": 0}, "sample_rate is 0"),
        ({"counts": [1]}, r"counts is \[1\]"),
        ({"sha256": "ABC"}, "not 64 lower-case hexadecimal digits"),
        ({"sha256": None}, "sha1 is None, not 40 lower-case hexadecimal digits"),
        ({"sha256": None, "sha1": "0" * 64}, "sha1 is '0{64}', not 40 lower-case"),
        ({"name": "other"}, "but the file is toy.json"),
        ({"archive": "../toy.tar.gz"}, "not a plain file name"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(shipped, changes, said):
    write(shipped, **changes)
    with pytest.raises(ValueError, match=rf"The card .*toy\.json cannot be used: .*{said}"):
        cards.load("toy")


@pytest.mark.parametrize(("content", "said"), [("{", "is not JSON"), ("[]", "holds a list")])
def test_a_file_that_is_no_card(shipped, content, said):
    (shipped / "toy.json").write_text(content)
    with pytest.raises(ValueError, match=said):
        cards.load("toy")


@pytest.mark.parametrize("name", cards._names())
def test_every_card_of_the_course_is_sound(name):
    card = cards.load(name)
    assert card.licence and card.source and card.description
    assert card.url is None or card.url.startswith("https://")
    assert card.url is None or card.url.endswith("/" + card.archive)


def test_the_card_of_the_real_speech_commands():
    card = cards.load("speech_commands")
    assert sum(card.counts[part] for part in ("training", "validation", "testing")) == 105_829
    assert (card.counts["clips"], card.counts["words"], card.sample_rate) == (105_829, 35, 16_000)


def test_the_checksum_is_the_one_that_torchaudio_knows():
    from importlib.util import find_spec

    found = find_spec("torchaudio")
    if found is None:
        pytest.skip("torchaudio is not installed")
    # Read, not imported: torchaudio would load PyTorch.
    source = places.Path(found.origin).parent / "datasets" / "speechcommands.py"
    card = cards.load("speech_commands")
    assert f'{card.archive}": "{card.sha256}"' in source.read_text()
