"""The official split, digit by digit, and a set in the official layout, whole or broken."""

import os
import string
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from course_utils.datasets import cards, speech_commands
from course_utils.datasets.speech_commands import SpeechCommands, partition

# Speakers whose part by the official hash, at 10 % and 10 %, is published or was computed.
OFFICIAL = {
    "testing": [
        "0c40e715",
        "0ea0e2f4",
        "42beb5eb",
        "44260689",
        "44715c1c",
        "022cd682",
        "096456f9",
        "0d53e045",
        "ffa76c4a",
    ],
    "validation": ["026290a7", "060cd039", "099d52ad", "ab00c4b2"],
    "training": ["a5d485dc", "pete", "bobby", "004ae714"],
}
# The same speakers' place on the scale from 0 to 100, which is where the part changes.
PERCENTAGES = {
    "foo.wav": 35.580,
    "foo_nohash_0.wav": 73.171,
    "foo_nohash_1.wav": 73.171,
    "a5d485dc_nohash_0.wav": 23.081,
    "ab00c4b2_nohash_0.wav": 3.408,
    "pete_nohash_0.wav": 35.928,
    "bobby_nohash_0.wav": 94.175,
    "004ae714_nohash_0.wav": 79.575,
    "_nohash_0.wav": 98.048,
    "": 98.048,
    "A_NOHASH_0.wav": 74.776,
    "0c40e715_nohash_0.wav": 16.395,
    "0ea0e2f4_nohash_0.wav": 18.731,
    "42beb5eb_nohash_0.wav": 10.981,
    "44260689_nohash_0.wav": 14.686,
    "44715c1c_nohash_0.wav": 18.656,
    "022cd682_nohash_0.wav": 12.084,
    "096456f9_nohash_0.wav": 19.847,
    "0d53e045_nohash_0.wav": 15.455,
    "ffa76c4a_nohash_0.wav": 12.895,
    "026290a7_nohash_0.wav": 0.682,
    "060cd039_nohash_0.wav": 7.820,
    "099d52ad_nohash_0.wav": 9.288,
}


@pytest.mark.parametrize(
    ("speaker", "part"), [(name, part) for part, names in OFFICIAL.items() for name in names]
)
def test_the_official_part_of_a_speaker(speaker, part):
    assert partition(f"{speaker}_nohash_0.wav") == part
    assert partition(Path("some/where") / f"{speaker}_nohash_7.wav") == part


@pytest.mark.parametrize(("name", "percentage"), PERCENTAGES.items())
def test_the_place_on_the_scale(name, percentage):
    assert partition(name, percentage - 0.001, 0) == "training"
    assert partition(name, 0, percentage - 0.001) == "training"
    if percentage + 0.001 < 100:
        assert partition(name, percentage + 0.001, 0) == "validation"
        assert partition(name, 0, percentage + 0.001) == "testing"


def test_counts_of_many_names():
    speakers = Counter(partition(f"{i:08x}_nohash_0.wav") for i in range(10_000))
    assert speakers == {"training": 7980, "validation": 1060, "testing": 960}
    # Without _nohash_ every name is a speaker of its own.
    plain = Counter(partition(f"some_audio_{i}.wav") for i in range(100))
    assert plain == {"training": 79, "validation": 8, "testing": 13}


@pytest.mark.parametrize("shares", [(-1, 10), (10, -0.1), (50, 50), (100, 0), (float("nan"), 1)])
def test_impossible_shares(shares):
    with pytest.raises(ValueError, match="is impossible: both must be 0 or more and their sum"):
        partition("foo.wav", *shares)


def test_no_share_at_all_is_allowed():
    assert partition("ab00c4b2_nohash_0.wav", 0, 0) == "training"


names = st.text(string.ascii_letters + string.digits + "-é", min_size=1, max_size=12)
shares = st.floats(0, 49.9)


@given(names, shares, shares, st.integers(0, 999), st.integers(0, 999))
def test_a_speaker_is_never_on_two_sides(speaker, validation, testing, one, other):
    parts = {
        partition(f"{folder}/{speaker}_nohash_{number}.wav", validation, testing)
        for folder in ("yes", "no")
        for number in (one, other)
    }
    assert len(parts) == 1


@given(names, shares, shares, shares)
def test_raising_a_share_moves_no_clip_out_of_validation(speaker, validation, testing, more):
    clip = f"{speaker}_nohash_0.wav"
    if partition(clip, validation, testing) == "validation":
        assert partition(clip, max(validation, more), 0) == "validation"
        assert partition(clip, validation, more) == "validation"
    if partition(clip, validation, testing) != "training":
        assert partition(clip, validation, max(testing, more)) != "training"


CLIPS = [
    "no/ab00c4b2_nohash_0.wav",
    "no/a5d485dc_nohash_0.wav",
    "yes/0c40e715_nohash_0.wav",
    "yes/a5d485dc_nohash_0.wav",
    "yes/a5d485dc_nohash_1.wav",
]


def touch(root, *files):
    """Make empty files."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.fixture
def root(tmp_path):
    """A set of two words and three speakers, without lists."""
    touch(tmp_path, *CLIPS, "_background_noise_/hum.wav", "_background_noise_/README.md", "LICENSE")
    return tmp_path


def relative(paths, root):
    return [path.relative_to(root).as_posix() for path in paths]


def test_words_and_clips_are_sorted(root):
    opened = SpeechCommands(root)
    assert opened.root == root and opened.words == ["no", "yes"]
    assert relative(opened.clips(), root) == sorted(CLIPS)
    assert relative(opened.clips("yes", "training"), root) == CLIPS[3:]
    assert relative(opened.clips(part="validation"), root) == CLIPS[:1]
    assert relative(opened.backgrounds(), root) == ["_background_noise_/hum.wav"]


def test_without_lists_the_hash_decides(root):
    opened = SpeechCommands(root)
    assert [opened.part_of(path) for path in opened.clips("no")] == ["training", "validation"]
    assert all(opened.part_of(path) == partition(path) for path in opened.clips())
    assert opened.summary().split_by == "hash of the speaker's name"


def test_lists_win_over_the_hash(root):
    (root / "validation_list.txt").write_text("yes/a5d485dc_nohash_0.wav\r\n\n")
    (root / "testing_list.txt").write_text("./no/ab00c4b2_nohash_0.wav\n")
    opened = SpeechCommands(root)
    assert opened.part_of(root / CLIPS[0]) == "testing"
    assert opened.part_of("yes/a5d485dc_nohash_0.wav") == "validation"
    assert opened.part_of(CLIPS[2]) == "training"  # testing by the hash
    summary = opened.summary()
    assert summary.parts == {"training": 3, "validation": 1, "testing": 1}
    assert summary.split_by == "the set's lists"


@pytest.mark.parametrize("there", ["validation_list.txt", "testing_list.txt"])
def test_one_list_alone_is_an_error(root, there):
    touch(root, there)
    with pytest.raises(ValueError, match=f"has {there} but no .*: the two belong together"):
        SpeechCommands(root)


def test_a_clip_in_both_lists_is_an_error(root):
    for name in ("validation_list.txt", "testing_list.txt"):
        (root / name).write_text(CLIPS[0])
    with pytest.raises(ValueError, match="is in both lists"):
        SpeechCommands(root)


def test_the_summary_names_what_is_missing_and_what_was_left_out(root):
    missing = [f"yes/{i:08x}_nohash_0.wav" for i in range(7)]
    (root / "validation_list.txt").write_text("\n".join(missing))
    touch(root, "testing_list.txt", "yes/._0c40e715_nohash_0.wav", "yes/notes.txt", ".git/x.wav")
    (root / "maybe").mkdir()
    summary = SpeechCommands(root, cards.load("speech_commands")).summary()
    assert (summary.words, summary.clips, summary.speakers, summary.backgrounds) == (2, 5, 3, 1)
    assert summary.listed_but_missing == tuple(missing)
    left_out = ("maybe/", "yes/._0c40e715_nohash_0.wav", "yes/notes.txt")
    assert summary.left_out == left_out
    text = str(summary)
    assert "5 clips of 2 words by 3 speakers" in text
    assert "Partial: 0.0 % of the 105,829 clips of the whole set." in text
    assert "7 listed clips are missing: yes/00000000_nohash_0.wav," in text and ", …." in text
    assert "3 files or folders were left out: maybe/," in text


def test_a_folder_of_ones_own_is_no_part_of_the_official_set(root):
    summary = SpeechCommands(root).summary()
    assert summary.official_clips is None
    assert "whole set" not in str(summary)


def test_speakers(root):
    opened = SpeechCommands(root)
    assert opened.speaker(root / CLIPS[0]) == "ab00c4b2"
    assert opened.speaker("yes/foo.wav") == "foo"


def test_unknown_names_list_the_choices(root):
    opened = SpeechCommands(root)
    with pytest.raises(ValueError, match=r"no word 'Yes' in .*: choose one of no, yes\."):
        opened.clips("Yes")
    with pytest.raises(ValueError, match="choose one of training, validation, testing"):
        opened.clips(part="test")
    with pytest.raises(ValueError, match=r"'yes/other\.wav' is not a clip"):
        opened.part_of("yes/other.wav")


@pytest.mark.parametrize("files", [[], ["_background_noise_/hum.wav"], ["yes/readme.txt"]])
def test_a_folder_without_recordings(tmp_path, files):
    touch(tmp_path, *files)
    with pytest.raises(ValueError, match=r"^No \.wav files in "):
        SpeechCommands(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"^No \.wav files in …/.*/nowhere"):
        SpeechCommands(tmp_path / "nowhere")


def test_no_background_folder_is_fine(tmp_path):
    touch(tmp_path, CLIPS[0])
    assert SpeechCommands(tmp_path).backgrounds() == []


@pytest.mark.real
def test_real_recordings():
    data_root = os.environ.get("COURSE_DATA_ROOT")
    if not data_root or not (Path(data_root) / "speech_commands").is_dir():
        pytest.skip("COURSE_DATA_ROOT names no folder with speech_commands in it")
    opened = speech_commands.open("speech_commands")
    summary = opened.summary()
    assert not (opened.root / ".unpacked.json").exists()
    assert summary.words == 35 and not summary.left_out
    assert sum(summary.parts.values()) == summary.clips == len(opened.clips())
    samples, rate = soundfile.read(opened.clips("yes")[0], dtype="int16")
    assert rate == 16_000 and samples.dtype == np.int16 and samples.ndim == 1
    by_part = {part: opened.clips(part=part) for part in speech_commands.PARTS}
    heard = [{opened.speaker(path) for path in clips} for clips in by_part.values()]
    assert not (heard[0] & heard[1] or heard[0] & heard[2] or heard[1] & heard[2])
    if summary.clips == 3819:  # the partial set that this project checks itself with
        assert summary.parts == {"training": 2434, "validation": 870, "testing": 515}
        assert "3.6 % of the 105,829 clips" in str(summary)
