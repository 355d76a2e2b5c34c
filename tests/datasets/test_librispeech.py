"""Parts of LibriSpeech: what is found in a folder, and what is done with it."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from small_archives import sha256, zip_bytes
from small_librispeech import SENTENCES, flac_of_unknown_length, write_part
from torchaudio.datasets import LIBRISPEECH

from course_utils import audio, places
from course_utils.datasets import librispeech
from course_utils.datasets.librispeech import Part, Utterance, open_folder, shared
from course_utils.features.text import LETTERS

NAMES = [
    *("174-50561-0000", "174-50561-0001", "174-50561-0002"),
    *("84-121123-0000", "84-121123-0001", "84-121550-0000"),
]


def ids(part: Part) -> list[str]:
    return [each.utterance_id for each in part]


@pytest.fixture
def root(tmp_path):
    """A data root with one small part."""
    write_part(tmp_path / "LibriSpeech" / "dev-clean")
    return tmp_path


@pytest.fixture
def folder(root):
    return root / "LibriSpeech" / "dev-clean"


@pytest.fixture
def part(folder):
    return open_folder(folder)


def test_importing_it_loads_no_framework():
    code = (
        "import sys, course_utils.datasets.librispeech;"
        "print(sorted({'torch', 'torchaudio', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_part_holds_what_torchaudio_finds(root, part):
    theirs = LIBRISPEECH(root, url="dev-clean", folder_in_archive="LibriSpeech")
    assert ids(part) == NAMES and len(theirs) == len(part)
    for number, each in enumerate(part):
        path, rate, transcript, *numbers = theirs.get_metadata(number)
        assert each.path == root / "LibriSpeech" / path and rate == librispeech.SAMPLE_RATE
        assert each.transcript == transcript
        assert [int(text) for text in each.utterance_id.split("-")] == numbers
        assert (each.speaker, each.chapter) == (str(numbers[0]), str(numbers[1]))
        assert each.text == transcript.lower() and LETTERS.encode(each.text).size
        assert each.seconds == 0.05 and each.load()[0].shape == (800,)
    assert part[3].text == "go do you hear" and part.speakers == ["174", "84"]
    assert part.seconds == pytest.approx(0.3)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2)])
def test_sound_is_heard_at_16_khz_in_one_channel(folder, rate, channels):
    path = folder / "84" / "121550" / "84-121550-0000.flac"
    tone = 0.4 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
    soundfile.write(path, np.stack([tone, 0 * tone][:channels], axis=1), rate)
    said = open_folder(folder)[-1]
    samples, found = said.load()
    assert found == 16_000 and samples.shape == (16_000,) and samples.dtype == np.float32
    assert np.argmax(np.abs(np.fft.rfft(samples))) == 500 and said.seconds == 1
    assert samples[4000:12000].max() == pytest.approx(0.4 / channels, abs=0.01)


def test_dropped_characters_are_counted_and_named(tmp_path):
    texts = {("1", "2"): ["Café, no. 9", "A-B", "IT’S"]}
    part = open_folder(write_part(tmp_path / "mine", texts))
    assert [each.text for each in part] == ["cafe no", "a b", "it's"]
    assert [each.transcript for each in part] == texts["1", "2"]
    assert part.text_dropped == Counter({"\u0301": 1, ",": 1, ".": 1, "9": 1, "-": 1})
    assert part.first(2).without([part[0].utterance_id]).text_dropped == Counter("-")
    said = str(part.summary())
    assert "Texts: 5 characters dropped: " in said and "'-' (HYPHEN-MINUS)" in said


def mess_up(folder: Path) -> None:
    """Everything that can be wrong in a folder."""
    chapter = folder / "84" / "121123"
    lines = "84-121123-0002 BUT\n84-121123-0003\n84-121123-0004 9!\n\n"
    lines += "84-121123-0005 ONCE\n84-121123-0005 TWICE\n84-121123-0006 A\n84-121123-0007 A\n"
    with (chapter / "84-121123.trans.txt").open("a") as file:
        file.write(lines + "84-121123-0009 A\n84-121123-0010 A\n")
    good = (chapter / "84-121123-0000.flac").read_bytes()
    for number in (3, 4, 5, 8):
        (chapter / f"84-121123-000{number}.flac").write_bytes(good)
    (chapter / "84-121123-0006.flac").write_bytes(good[:20])
    (chapter / "84-121123-0007.flac").touch()
    (chapter / "84-121123-0009.flac").write_bytes(flac_of_unknown_length(0))
    soundfile.write(chapter / "84-121123-0010.flac", np.zeros(0), 16_000, format="WAV")
    for name in ("._84-121123-0000.flac", ".DS_Store", "84-121123-0001.wav", "84-9-0001.flac"):
        (chapter / name).write_bytes(good)
    (folder / "84" / "notes.txt").touch()
    (folder / "README").touch()
    (folder / ".DS_Store").touch()
    (folder / "7" / "8").mkdir(parents=True)
    (folder / "174" / "50561" / "174-50561.trans.txt").write_bytes(b"174-50561-0000 CAF\xe9\n")


def test_what_cannot_be_used_is_left_out_and_named(folder):
    mess_up(folder)
    part = open_folder(folder)
    assert ids(part) == ["84-121123-0000", "84-121123-0001", "84-121123-0005", "84-121550-0000"]
    assert part[2].text == "once"  # after a line without text, where torchaudio gives up
    left_out = {
        "recordings without a transcript": (*NAMES[:3], "84-121123-0008"),
        "transcripts without a recording": ("84-121123-0002",),
        "transcripts without a letter": ("84-121123-0003", "84-121123-0004"),
        "recordings without samples": ("84-121123-0007", "84-121123-0010"),
        "files that cannot be read": ("174-50561.trans.txt", "84-121123-0006", "84-121123-0009"),
        "further transcripts of a recording": ("84-121123-0005",),
        "files and folders outside the layout": (
            *("7/8", "84/121123/84-121123-0001.wav", "84/121123/84-9-0001.flac"),
            *("84/notes.txt", "README"),
        ),
    }
    assert part.summary().left_out == left_out
    said = str(part.summary())
    for reason, names in left_out.items():
        assert f"Left out, {reason}: {len(names)} ({', '.join(names)})." in said
    assert part.first(1).summary().left_out == left_out


def test_a_recording_that_does_not_say_how_long_it_is(folder):
    path = folder / "84" / "121550" / "84-121550-0000.flac"
    path.write_bytes(flac_of_unknown_length(70_000))
    said = open_folder(folder)[-1]
    assert said.seconds == 70_000 / 16_000 and len(said.load()[0]) == 70_000


def test_a_recording_that_lost_its_end_is_named_when_it_is_loaded(folder):
    path = folder / "84" / "121550" / "84-121550-0000.flac"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(audio.AudioError, match=r"84-121550-0000\.flac"):
        open_folder(folder)[-1].load()


def test_speakers_may_have_names_and_texts_any_encoding_mark(tmp_path):
    folder = write_part(tmp_path / "mine", {("anna", "one"): ["HELLO"]})
    lines = folder / "anna" / "one" / "anna-one.trans.txt"
    lines.write_bytes(b"\xef\xbb\xbf" + lines.read_bytes())
    assert [(each.speaker, each.chapter, each.text) for each in open_folder(folder)] == [
        ("anna", "one", "hello")
    ]


def test_a_folder_without_anything_usable(folder, root, tmp_path):
    said = r"^Nothing in …/LibriSpeech/dev-clean can be used \(6 recordings without a transcript\):"
    for path in folder.glob("*/*/*.txt"):
        path.unlink()
    with pytest.raises(ValueError, match=said):
        open_folder(folder)
    with pytest.raises(ValueError, match=r"\(3 files and folders outside the layout\)"):
        open_folder(folder / "84")
    with pytest.raises(ValueError, match=r"^Nothing in .*nowhere can be used \(no files\)"):
        open_folder(tmp_path / "nowhere")


def test_the_summary_of_a_partial_official_part(part):
    assert str(part.summary()) == (
        "dev-clean: 6 utterances by 2 speakers, 0.0 minutes, 21 words (17 different).\n"
        "Texts: no character dropped.\n"
        "Partial: 0.2 % of the 2,703 of the whole part."
    )
    assert repr(part) == "Part(dev-clean: 6 utterances, 2 speakers)"
    said = str(part.first(2).summary())
    assert "dev-clean: 2 utterances by 1 speakers" in said
    assert "Selected from the 6 utterances that are there." in said and "Partial: 0.2 %" in said


def test_the_summary_of_a_whole_official_part_and_of_hours():
    said = Utterance("1-2-0003", Path("x.flac"), "1", "2", "A", "a", 9000)
    text = str(Part("mine", (said,), official=1).summary())
    assert "by 1 speakers, 2.5 hours," in text and "Whole: all 1 utterances are there." in text
    assert "x.flac" not in repr(said)


def test_a_part_is_opened_by_its_name(root, monkeypatch):
    write_part(root / "LibriSpeech" / "my-own", {("1", "2"): ["A"]})
    (root / "LibriSpeech" / "train-clean-100").mkdir()
    assert ids(librispeech.open("dev-clean", root)) == NAMES
    monkeypatch.setenv(places.DATA_ROOT, str(root))
    assert ids(librispeech.open("my-own")) == ["1-2-0000"]
    for wrong in ("dev-cleen", "../LibriSpeech/dev-clean", "", "."):
        said = (
            rf"There is no part '{wrong}' in \$COURSE_DATA_ROOT/LibriSpeech: choose an official one"
            r" \(dev-clean, .* train-other-500\), a shipped one \(train-clean-mini, .*\) or another"
            r" folder there \(my-own\)\."
        )
        with pytest.raises(ValueError, match=said):
            librispeech.open(wrong)
    with pytest.raises(ValueError, match=r"folder there \(none is\)\.$"):
        librispeech.open("my-own", root / "LibriSpeech")
    with pytest.raises(ValueError, match=r"\(my-own\); for AN4, get .* an4_sphere\.tar\.gz\.$"):
        librispeech.open("dev-clean-an4")


def test_a_shipped_part_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "shipped", lambda: tmp_path / "data")
    monkeypatch.setattr(places, "cache", lambda: tmp_path / "cache")
    made = tmp_path / "made"
    for name in librispeech.MINI:
        write_part(made / name)
    files = (path for path in made.rglob("*") if path.is_file())
    archive = zip_bytes({path.relative_to(made).as_posix(): path.read_bytes() for path in files})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mini.zip").write_bytes(archive)
    about = dict.fromkeys(("title", "description", "licence", "source"), "toy")
    about |= {"name": "librispeech_mini", "archive": "mini.zip", "url": None, "sound": "flac"}
    about |= {"sha256": sha256(archive), "bytes": len(archive), "sample_rate": 16_000}
    card = tmp_path / "data" / "librispeech_mini.json"
    card.write_text(json.dumps(about | {"counts": {"utterances": 18}}))
    part = librispeech.open()
    assert part.name == "train-clean-mini" and ids(part) == NAMES and not part.left_out
    assert part[0].path.is_relative_to(tmp_path / "cache" / "librispeech_mini")
    assert len(part[0].load()[0]) == 800
    other = librispeech.open("test-clean-mini", tmp_path / "elsewhere")
    assert other[0].path.is_relative_to(tmp_path / "elsewhere" / "librispeech_mini")


def test_selections(part):
    assert ids(part.of_speakers(["84"])) == ids(part.of_speakers("84")) == NAMES[3:]
    assert ids(part.without(NAMES[1:])) == ids(part.without(iter(NAMES[1:]))) == NAMES[:1]
    assert part.without([]) == part.first(100) == part
    assert ids(part.first(2)) == NAMES[:2] and part.first(2).there == 6
    for nothing in (lambda: part.without(NAMES), lambda: part.first(0), lambda: part.first(-1)):
        with pytest.raises(ValueError, match=r"^No utterance of dev-clean is left; expected"):
            nothing()
    said = r"no speaker '8' in dev-clean \(2 such name\(s\)\); expected some of 174, 84;"
    with pytest.raises(ValueError, match=said):
        part.of_speakers(["84", "8", "9"])
    with pytest.raises(ValueError, match=r"no utterance '84' in dev-clean .* 174-50561-0000, .* …"):
        part.without("84")


def some_part(speakers: int) -> Part:
    path = Path("x.flac")
    each = [(f"{s}-1-{n}", path, f"{s}") for s in range(speakers) for n in range(2)]
    return Part("some", tuple(Utterance(*start, "1", "A", "a", 1.0) for start in each))


@given(st.integers(2, 30), st.floats(0.001, 0.999), st.integers(0, 99))
def test_a_split_shares_no_speaker_and_loses_nothing(speakers, share, seed):
    part = some_part(speakers)
    rest, held = part.split(share, seed)
    assert not shared(rest, held).speakers
    assert sorted(ids(rest) + ids(held)) == sorted(ids(part))
    assert abs(len(held.speakers) - share * speakers) <= 1
    assert part.split(share, seed) == (rest, held)


def test_the_seed_decides_who_is_held_out():
    held = {tuple(some_part(20).split(0.2, seed)[1].speakers) for seed in range(5)}
    assert len(held) == 5


@pytest.mark.parametrize(("share", "speakers"), [(0, 5), (1, 5), (float("nan"), 5), (0.5, 1)])
def test_an_impossible_split_is_refused(share, speakers):
    with pytest.raises(ValueError, match=rf"Found share={share} and {speakers} speaker\(s\) in"):
        some_part(speakers).split(share, 0)


def test_what_two_parts_share(tmp_path):
    one = open_folder(write_part(tmp_path / "one"))
    other = {("84", "9"): ["ONE"], ("5", "6"): ["go do, you hear"]}
    found = shared(one, open_folder(write_part(tmp_path / "other", other)))
    assert found.speakers == {"84"} and found.sentences == {"go do you hear"}
    assert shared(one, one).sentences == {t.lower() for texts in SENTENCES.values() for t in texts}


REAL = os.environ.get("COURSE_DATA_ROOT")


@pytest.mark.real
@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "LibriSpeech" / "train-clean-an4").is_dir(),
    reason="COURSE_DATA_ROOT names no folder with LibriSpeech/train-clean-an4 in it",
)
def test_real_recordings():
    train, dev = (librispeech.open(name) for name in ("train-clean-an4", "dev-clean-an4"))
    assert (len(train), len(dev)) == (835, 113)
    assert (len(train.speakers), len(dev.speakers)) == (65, 9)
    assert not shared(train, dev).speakers
    for part in (train, dev):
        summary = part.summary()
        assert not summary.left_out and summary.official is None and "Partial" not in str(summary)
        assert summary.text_dropped.total() == 0
        for each in part.utterances[::20]:
            samples, rate = each.load()
            assert len(samples) / rate == each.seconds
    assert 30 * 60 < train.seconds < 45 * 60


def test_sentences_that_nobody_reads(root):
    part = librispeech.open("dev-clean", root)
    assert librispeech.written_sentences(part) == []
    lines = "THE  FIRST, ONE\n\n123\nTHE SECOND\nA THIRD\n"
    (root / "LibriSpeech" / "librispeech-lm-norm.txt").write_text(lines, encoding="utf-8")
    assert librispeech.written_sentences(part) == ["the first one", "the second", "a third"]
    assert librispeech.written_sentences(part, most=1) == ["the first one"]
