"""Unpacking: whole or not at all, nothing outside the folder, sound in the official format."""

import io
import json
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from small_archives import everything_in, sha1, sha256, tar_bytes, zip_bytes

from course_utils.datasets import staging
from course_utils.datasets.archives import unpack
from course_utils.datasets.staging import DownloadError

FILES = {f"yes/{i:03}.txt": bytes([i]) * 1000 for i in range(40)}
WHOLE = {"yes", ".unpacked.json", *FILES}


@pytest.fixture
def archive(tmp_path):
    """A good archive."""
    path = tmp_path / "words.tar.gz"
    path.write_bytes(tar_bytes(FILES))
    return path


@pytest.mark.parametrize("ending", ["tar.gz", "tgz", "tar", "tar.bz2", "tar.xz", "zip"])
def test_every_kind_of_archive(tmp_path, ending):
    modes = {"tar.gz": "w:gz", "tgz": "w:gz", "tar": "w", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
    path = tmp_path / f"words.{ending}"
    path.write_bytes(
        zip_bytes({"yes/": b"", **FILES})
        if ending == "zip"
        else tar_bytes(FILES, mode=modes[ending])
    )
    folder = unpack(path, tmp_path / "sets" / "words")
    assert everything_in(folder) == WHOLE
    assert all((folder / name).read_bytes() == content for name, content in FILES.items())
    assert {item.name for item in folder.parent.iterdir()} == {"words"}
    stamp = json.loads((folder / ".unpacked.json").read_text())
    assert stamp["sha256"] == sha256(path.read_bytes()) and stamp["files"] == 40


def link(kind: bytes, name: str, target: str = "") -> tarfile.TarInfo:
    """A tar member without content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link(name: str) -> zipfile.ZipInfo:
    """A symbolic link as zip stores it."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


GOOD = {"yes/a.txt": b"a"}
UNSAFE = {
    "climbing.tar.gz": tar_bytes({**GOOD, "../outside": b"x"}),
    "deeper.tar.gz": tar_bytes({**GOOD, "yes/../../outside": b"x"}),
    "absolute.tar.gz": tar_bytes({**GOOD, "/tmp/door-outside": b"x"}),
    "windows.tar.gz": tar_bytes({**GOOD, "C:\\outside": b"x"}),
    "backslash.tar.gz": tar_bytes({**GOOD, "yes\\..\\..\\outside": b"x"}),
    "symlink.tar.gz": tar_bytes(GOOD, link(tarfile.SYMTYPE, "out", "../..")),
    "symlink_absolute.tar.gz": tar_bytes(GOOD, link(tarfile.SYMTYPE, "out", "/etc")),
    "hardlink.tar.gz": tar_bytes(GOOD, link(tarfile.LNKTYPE, "out", "../../outside")),
    "device.tar.gz": tar_bytes(GOOD, link(tarfile.CHRTYPE, "null")),
    "pipe.tar.gz": tar_bytes(GOOD, link(tarfile.FIFOTYPE, "pipe")),
    "climbing.zip": zip_bytes({**GOOD, "../outside": b"x"}),
    "absolute.zip": zip_bytes({**GOOD, "/tmp/door-outside": b"x"}),
    "symlink.zip": zip_bytes(GOOD, zip_link("out")),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_a_member_that_could_land_outside_stops_everything(tmp_path, name):
    (tmp_path / name).write_bytes(UNSAFE[name])
    with pytest.raises(DownloadError, match="so nothing was unpacked"):
        unpack(tmp_path / name, tmp_path / "a" / "b")
    assert everything_in(tmp_path) == {name, "a"}


@pytest.mark.parametrize("ending", ["tar.gz", "tar", "tar.xz", "zip"])
def test_a_damaged_archive(tmp_path, ending):
    mode = {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz"}.get(ending)
    noise = {"yes/a.bin": np.random.default_rng(1).bytes(50_000)}
    whole = tar_bytes(noise, mode=mode) if mode else zip_bytes(noise)
    path = tmp_path / f"words.{ending}"
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    damages = [whole[: len(whole) // 2], b"", b"no archive at all"]
    # A plain tar has no checksum of its contents; the card's catches that.
    for damaged in damages + ([bytes(flipped)] if ending != "tar" else []):
        path.write_bytes(damaged)
        with pytest.raises(DownloadError, match="cannot be read"):
            unpack(path, tmp_path / "words")
        assert everything_in(tmp_path) == {path.name}


def test_the_checksum_is_looked_at_first(archive, tmp_path):
    with pytest.raises(DownloadError, match=r"has the sha256 .*…, but its card expects 0000"):
        unpack(archive, tmp_path / "words", checksum="0" * 64)
    assert not (tmp_path / "words").exists()


def test_an_sha1_is_looked_at_first_too(archive, tmp_path):
    with pytest.raises(DownloadError, match=r"has the sha1 .*…, but its card expects 0000"):
        unpack(archive, tmp_path / "words", checksum="0" * 40)
    assert not (tmp_path / "words").exists()
    folder = unpack(archive, tmp_path / "words", checksum=sha1(archive.read_bytes()))
    written = folder.stat().st_ino
    stamp = json.loads((folder / ".unpacked.json").read_text())
    assert stamp["sha256"] == sha256(archive.read_bytes())
    for checksum in (sha1(archive.read_bytes()), sha256(archive.read_bytes())):
        assert unpack(archive, folder, checksum=checksum).stat().st_ino == written


def test_two_members_for_one_file(tmp_path):
    path = tmp_path / "words.zip"
    path.write_bytes(zip_bytes({"yes/a.flac": b"", "yes/a.wav": b""}))
    with pytest.raises(DownloadError, match=r"would write 'yes/a\.wav' twice"):
        unpack(path, tmp_path / "words", sound="wav")


def test_a_folder_of_somebody_else_is_not_replaced(archive, tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "thesis.txt").touch()
    with pytest.raises(DownloadError, match="is in the way"):
        unpack(archive, tmp_path / "words")
    assert (tmp_path / "words" / "thesis.txt").exists()


def test_no_room_on_the_disk(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=40 * 4096 - 1))
    with pytest.raises(DownloadError, match="is full"):
        unpack(archive, tmp_path / "words")
    assert everything_in(tmp_path) == {archive.name}


def encoded(samples: np.ndarray, rate: int, kind: str) -> bytes:
    """A recording as FLAC or Opus."""
    buffer = io.BytesIO()
    form, subtype = {"flac": ("FLAC", "PCM_16"), "opus": ("OGG", "OPUS")}[kind]
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def tone(rate: int, level: float = 0.5) -> np.ndarray:
    """A second of 440 Hz, float32, shape (rate,)."""
    return (level * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)


def unpacked_sound(tmp_path, files, **options):
    path = tmp_path / "words.tar.gz"
    path.write_bytes(tar_bytes(files))
    return unpack(path, tmp_path / "words", **options)


def test_flac_comes_out_bit_for_bit(tmp_path):
    samples = np.random.default_rng(2).integers(-32768, 32768, 16000, dtype=np.int16)
    files = {"yes/a.flac": encoded(samples, 16000, "flac"), "list.txt": b"yes/a.wav\n"}
    folder = unpacked_sound(tmp_path, files, sound="wav", sample_rate=16000)
    assert everything_in(folder) == {"yes", "yes/a.wav", "list.txt", ".unpacked.json"}
    found, rate = soundfile.read(folder / "yes" / "a.wav", dtype="int16")
    assert rate == 16000 and np.array_equal(found, samples)
    header = (folder / "yes" / "a.wav").read_bytes()[:44]
    # RIFF, a 16-byte PCM fmt chunk, then data: what TensorFlow's decoder accepts.
    assert (header[:4], header[16:22], header[36:40]) == (b"RIFF", b"\x10\0\0\0\1\0", b"data")


@pytest.mark.parametrize("rate", [16000, 48000])
def test_opus_comes_out_in_the_length_and_rate_of_the_card(tmp_path, rate):
    files = {"yes/a.opus": encoded(tone(rate), rate, "opus")}
    folder = unpacked_sound(tmp_path, files, sound="wav", sample_rate=16000)
    found, written = soundfile.read(folder / "yes" / "a.wav", dtype="float32")
    assert written == 16000 and found.shape == (16000,)
    # Opus keeps the waveform, not the samples.
    assert np.corrcoef(found[1000:-1000], tone(16000)[1000:-1000])[0, 1] > 0.99


def test_a_loud_recording_does_not_wrap_around(tmp_path):
    square = np.sign(tone(16000)).astype(np.float32)
    files = {"yes/a.opus": encoded(square, 16000, "opus")}
    folder = unpacked_sound(tmp_path, files, sound="wav", sample_rate=16000)
    found, _ = soundfile.read(folder / "yes" / "a.wav", dtype="float32")
    inside = np.abs(square + np.roll(square, 3) + np.roll(square, -3)) == 3
    assert np.all((found * square)[1000:-1000][inside[1000:-1000]] > 0)


def test_sound_that_is_official_already_is_left_alone(tmp_path):
    files = {
        "a.flac": encoded(tone(16000), 16000, "flac"),
        "b.opus": encoded(tone(16000), 16000, "opus"),
    }
    folder = unpacked_sound(tmp_path, files, sound="flac", sample_rate=16000)
    assert everything_in(folder) == {"a.flac", "b.flac", ".unpacked.json"}
    assert (folder / "a.flac").read_bytes() == files["a.flac"]
    assert soundfile.info(folder / "b.flac").subtype == "PCM_16"


def test_without_a_wish_sound_stays_as_it_is(tmp_path):
    files = {"a.opus": encoded(tone(16000), 16000, "opus")}
    assert (unpacked_sound(tmp_path, files) / "a.opus").read_bytes() == files["a.opus"]


def test_sound_that_is_none(tmp_path):
    with pytest.raises(DownloadError, match=r"'a' in the archive .* cannot be decoded"):
        unpacked_sound(tmp_path, {"yes/a.opus": b"noise"}, sound="wav")
    assert everything_in(tmp_path) == {"words.tar.gz"}


SLOW_CHILD = """
import sys, time
from pathlib import Path
from course_utils.datasets import archives
write = archives._write
def slowly(*arguments):
    time.sleep(float(sys.argv[3]))
    write(*arguments)
archives._write = slowly
archives.unpack(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def child(archive, folder, pause: float) -> subprocess.Popen:
    """Another process that unpacks, pausing before every file."""
    arguments = [sys.executable, "-c", SLOW_CHILD, str(archive), str(folder), str(pause)]
    return subprocess.Popen(arguments)


def wait_for(condition, seconds: float = 30) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_a_killed_unpacking_leaves_no_folder_and_the_next_one_cleans_up(archive, tmp_path):
    folder = tmp_path / "sets" / "words"
    process = child(archive, folder, 0.2)
    try:
        wait_for(lambda: len(list(tmp_path.glob("sets/.words.*/made/yes/*.txt"))) >= 2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (left,) = folder.parent.iterdir()
    assert left.name.startswith(".words.") and not folder.exists()
    unpack(archive, folder)
    assert everything_in(folder) == WHOLE
    assert list(folder.parent.iterdir()) == [folder]


def test_another_process_at_work_is_not_disturbed(archive, tmp_path):
    folder = tmp_path / "sets" / "words"
    process = child(archive, folder, 0.02)
    try:
        wait_for(lambda: list(tmp_path.glob("sets/.words.*/made/yes/*.txt")))
        unpack(archive, folder)
        assert everything_in(folder) == WHOLE
        inode = folder.stat().st_ino
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert folder.stat().st_ino == inode  # who comes second leaves the folder of the first alone
    assert list(folder.parent.iterdir()) == [folder]


def test_many_processes_renew_an_outdated_folder_at_once(archive, tmp_path):
    folder = tmp_path / "sets" / "words"
    old = tmp_path / "old.tar.gz"
    old.write_bytes(tar_bytes({"old.txt": b""}))
    unpack(old, folder)
    processes = [child(archive, folder, 0) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert everything_in(folder) == WHOLE
    assert list(folder.parent.iterdir()) == [folder]


def test_whose_leftovers_are_removed(tmp_path, monkeypatch):
    here, me = staging._host(), staging.os.getpid()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = {
        "dead": f".words.{here}.{gone.pid}.abc.partial",
        "mine": f".words.{here}.{me}.abc.partial",
        "foreign": f".words.far-away.{gone.pid}.abc.partial",
        "other set": f".words_mini.{here}.{gone.pid}.abc.partial",
    }
    for name in names.values():
        (tmp_path / name).mkdir()
    staging._remove_leftovers(tmp_path / "words")
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == set(names.values()) - {names["dead"]}
    monkeypatch.setattr(staging, "_FOREIGN_LEFTOVER_AFTER_S", -1)
    staging._remove_leftovers(tmp_path / "words")
    assert [path.name for path in tmp_path.iterdir()] == [names["other set"]]
