"""AN4 in LibriSpeech's layout: a tiny copy of CMU's archive, converted."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_archives import everything_in, tar_bytes

from course_utils import places
from course_utils.datasets import librispeech
from course_utils.datasets.librispeech import an4
from course_utils.datasets.staging import DownloadError

TRAIN = [f"m{letter}{letter}x" for letter in "abcdefghij"]  # ten voices: two are held out
TEST = ["fcaw", "aaaa"]  # CMU's test voices are not in CMU's training part
NAMES = ["an10-{}-b", "an9-{}-b", "cen1-{}-b"]
TEXTS = ["ENTER SIX", "rubout G M", "O APOSTROPHE H"]


def sound(name: str) -> np.ndarray:
    """16-bit samples that no other recording has."""
    return np.random.default_rng(list(name.encode())).integers(-9000, 9000, 800).astype(np.int16)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """CMU's folder: SPHERE in the training part, big-endian samples alone in the test part."""
    monkeypatch.setenv(places.DATA_ROOT, str(tmp_path))
    made = tmp_path / "an4"
    (made / "etc").mkdir(parents=True)
    for part, place, voices in (("train", "an4_clstk", TRAIN), ("test", "an4test_clstk", TEST)):
        lines = []
        for voice in voices:
            (made / "wav" / place / voice).mkdir(parents=True)
            for name, text in zip((name.format(voice) for name in NAMES), TEXTS, strict=True):
                file = made / "wav" / place / voice / name
                big = {"subtype": "PCM_16", "endian": "BIG"}
                if part == "train":
                    soundfile.write(f"{file}.sph", sound(name), 16_000, format="NIST", **big)
                    lines.append(f"<s> {text} </s> ({name})\n")
                else:  # where CMU leaves the marks out
                    Path(f"{file}.raw").write_bytes(sound(name).astype(">i2").tobytes())
                    lines.append(f"{text} ({name})\n")
        (made / "etc" / f"an4_{part}.transcription").write_text("".join(lines))
        (made / "etc" / f"an4_{part}.fileids").touch()
    return made


def archive_of(folder: Path) -> Path:
    files = (path for path in folder.rglob("*") if path.is_file())
    packed = {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in files}
    archive = folder.parent / "an4_sphere.tar.gz"
    archive.write_bytes(tar_bytes(packed))
    return archive


@pytest.mark.parametrize("packed", [True, False])
def test_three_parts_with_every_recording(folder, tmp_path, packed, capsys):
    root = tmp_path / "root"
    made = an4.convert(archive_of(folder) if packed else folder, root)
    assert list(made) == ["train-clean-an4", "dev-clean-an4", "test-clean-an4"]
    numbers = {voice: str(9000 + n) for n, voice in enumerate([*TRAIN, *sorted(TEST)])}
    held = [TRAIN[0], TRAIN[9]]
    for part, voices in zip(made, ([*TRAIN[1:9]], held, TEST), strict=True):
        opened = librispeech.open(part, root)
        assert opened.left_out == {} and opened[0].path.is_relative_to(made[part])
        assert opened.speakers == sorted(numbers[voice] for voice in voices)
        said = {each.utterance_id: each for each in opened}
        assert len(said) == 3 * len(voices)
        for voice in voices:
            ids = [f"{numbers[voice]}-{rest}" for rest in ("1-0000", "1-0001", "2-0000")]
            for name, text, key in zip(NAMES, TEXTS, ids, strict=True):
                samples, rate = soundfile.read(said[key].path, dtype="int16")
                assert rate == 16_000 and np.array_equal(samples, sound(name.format(voice)))
                assert said[key].transcript == text.upper()
                assert soundfile.info(said[key].path).subtype == "PCM_16"
    listed = (root / "LibriSpeech" / "AN4-SPEAKERS.TXT").read_text().splitlines()
    assert listed[1] == "9000 | dev-clean-an4 | maax" and len(listed) == 13
    assert listed[11:] == ["9010 | test-clean-an4 | aaaa", "9011 | test-clean-an4 | fcaw"]
    assert capsys.readouterr().out.splitlines() == [
        "$COURSE_DATA_ROOT/root/LibriSpeech/train-clean-an4: 24 recordings, 8 speakers",
        "$COURSE_DATA_ROOT/root/LibriSpeech/dev-clean-an4: 6 recordings, 2 speakers",
        "$COURSE_DATA_ROOT/root/LibriSpeech/test-clean-an4: 6 recordings, 2 speakers",
        "nothing left out",
    ]
    assert len(everything_in(root)) == 2 + 3 + 12 * (1 + 2 + 2 + 3)  # and nothing else


def test_what_cannot_be_used_is_left_out_and_named(folder, capsys):
    voice = folder / "wav" / "an4_clstk" / TRAIN[1]
    lines = folder / "etc" / "an4_train.transcription"
    text = lines.read_text().replace(f"<s> ENTER SIX </s> (an10-{TRAIN[2]}-b)\n", "<s> </s> (x)\n")
    lines.write_text(text + "\nno name\n<s> GO </s> (an1-gone-b)\n")
    sphere = (voice / f"an9-{TRAIN[1]}-b.sph").read_bytes()
    (voice / f"an9-{TRAIN[1]}-b.sph").write_bytes(sphere[:1024])  # the header alone
    (voice / f"an10-{TRAIN[1]}-b.sph").write_bytes(b"not a sound")
    (voice / f"._cen1-{TRAIN[1]}-b.sph").touch()  # what macOS leaves
    (voice / f"cen1-{TRAIN[1]}-b.wav").touch()  # what other recipes leave
    (folder / "wav" / "an4test_clstk" / "fcaw" / "cen1-fcaw-b.raw").write_bytes(b"")
    made = an4.convert(folder, folder.parent)
    parts = [librispeech.open_folder(made[part]) for part in an4.PARTS]
    assert [len(part) for part in parts] == [21, 6, 5] and not any(p.left_out for p in parts)
    assert [each.utterance_id for each in parts[0].of_speakers("9001")] == ["9001-2-0000"]
    assert capsys.readouterr().out.splitlines()[3:] == [
        "left out, lines without words or name: 2 (<s> </s> (x), no name)",
        f"left out, recordings without a transcript: 1 (an10-{TRAIN[2]}-b)",
        "left out, transcripts without a recording: 1 (an1-gone-b)",
        "left out, recordings that are unreadable or empty: 3"
        f" (an10-{TRAIN[1]}-b, an9-{TRAIN[1]}-b, cen1-fcaw-b)",
    ]


def test_a_part_that_is_there_is_not_touched(folder, tmp_path):
    there = tmp_path / "LibriSpeech" / "dev-clean-an4" / "mine"
    there.mkdir(parents=True)
    official = tmp_path / "LibriSpeech" / "SPEAKERS.TXT"
    official.write_text("LibriSpeech's own")
    said = (
        r"^There is \$COURSE_DATA_ROOT/LibriSpeech/dev-clean-an4 already: use it, or move it away"
    )
    with pytest.raises(DownloadError, match=said):
        an4.convert(folder, tmp_path)
    assert everything_in(official.parent) == {"SPEAKERS.TXT", "dev-clean-an4", "dev-clean-an4/mine"}
    there.rmdir()
    an4.convert(folder, tmp_path)
    assert official.read_text() == "LibriSpeech's own"


def _without_texts(folder):
    (folder / "etc" / "an4_test.transcription").unlink()
    return folder, r"^\$COURSE_DATA_ROOT/an4 has no etc/an4_test\.transcription: CMU's an4_sphere"


def _without_test_sound(folder):
    os.rename(folder / "wav" / "an4test_clstk", folder / "wav" / "elsewhere")
    return (
        folder,
        r"/an4 has nothing for test-clean-an4 \(left out, transcripts without a record.*: 6",
    )


def _without_anything(folder):
    for path in folder.glob("etc/*.transcription"):
        path.write_text("")
    for path in folder.rglob("*-b.*"):
        path.unlink()
    return (
        folder,
        r"for train-clean-an4, dev-clean-an4, test-clean-an4 \(no sound\): CMU's an4_sphere",
    )


def _nowhere(folder):
    return folder / "nowhere", r"^\$COURSE_DATA_ROOT/an4/nowhere has no etc/an4_train.* correct the"


def _damaged(folder):
    archive = archive_of(folder)
    archive.write_bytes(archive.read_bytes()[:-30])
    return archive, r"^The archive \$COURSE_DATA_ROOT/an4_sphere\.tar\.gz cannot be read"


def _another(folder):
    archive = folder.parent / "an4_sphere.tar.gz"
    archive.write_bytes(tar_bytes({"LibriSpeech/README": b"no"}))
    return archive, r"has no files in 'an4': it is not the expected archive"


WRONG = [_without_texts, _without_test_sound, _without_anything, _nowhere, _damaged, _another]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_an4_is_one_sentence_and_nothing_is_written(folder, tmp_path, wrong):
    source, said = wrong(folder)
    with pytest.raises(DownloadError, match=said) as raised:
        an4.convert(source, tmp_path / "root")
    assert "\n" not in str(raised.value) and not everything_in(tmp_path / "root")


def test_a_failure_on_the_way_leaves_nothing(folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DownloadError, match=r"^The disk of \$COURSE_DATA_ROOT/root/.* is full"):
        an4.convert(folder, tmp_path / "root")
    assert not everything_in(tmp_path / "root")


def test_the_command(folder, tmp_path, capsys, monkeypatch):
    an4.main([str(folder)])  # to the data root
    assert "test-clean-an4: 6 recordings, 2 speakers\n" in capsys.readouterr().out
    command = [sys.executable, "-m", "course_utils.datasets.librispeech.an4"]
    command += [folder / "nowhere", "--root", tmp_path / "root"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert "nowhere has no etc/an4_train" in done.stderr and done.stderr.count("\n") == 1
    monkeypatch.setenv(places.DATA_ROOT, str(tmp_path / "missing"))
    with pytest.raises(SystemExit, match=r"^COURSE_DATA_ROOT is .* which is missing"):
        an4.main([str(folder)])
