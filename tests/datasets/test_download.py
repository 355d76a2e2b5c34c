"""The way in from a server and from the shipped archives, with everything that can go wrong."""

import dataclasses
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from small_archives import everything_in, sha1, sha256, tar_bytes

from course_utils import places
from course_utils.datasets import download as door
from course_utils.datasets import speech_commands
from course_utils.datasets.cards import Card
from course_utils.datasets.download import DownloadError, download, fetch

CONTENT = bytes(range(256)) * 1024
FILES = {"./yes/a_nohash_0.wav": b"RIFF", "./no/b_nohash_0.wav": b"RIFF", "./LICENSE": b"CC BY"}
ARCHIVE = tar_bytes(FILES)


@pytest.fixture
def target(tmp_path):
    """Where a download goes: a folder that does not exist yet."""
    return tmp_path / "sets" / "words.tar.gz"


def sentence(error) -> str:
    """The text of an error, after checking that it is one sentence without an absolute path."""
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and ". " not in text
    assert str(places.Path.home()) + "/" not in text and "/tmp/" not in text
    return text


def test_a_good_download_is_kept_and_not_repeated(server, target, capfd):
    server.files["words.tar.gz"] = CONTENT
    for _ in range(2):
        assert download(f"{server.url}/ok/words.tar.gz", target, sha256(CONTENT)) == target
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert everything_in(target.parent) == {"words.tar.gz"}
    assert capfd.readouterr() == ("", "")  # no terminal: no progress bar


def test_a_slow_server_is_waited_for(server, target):
    server.files["words.tar.gz"] = CONTENT
    download(f"{server.url}/slow/words.tar.gz", target, sha256(CONTENT), timeout=0.5)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("cut", r"was cut off after [\d,]+ bytes"),
        ("short", r"sent 131,072 bytes with the sha256 .* was expected"),
        ("wrong", r"sent 262,144 bytes with the sha256 .* was expected"),
        ("missing", r"answered 404 \(Not Found\) for"),
        ("stalled", r"sent nothing for 0\.3 s"),
    ],
)
def test_a_bad_download_leaves_nothing_and_the_next_one_is_good(server, target, manner, said):
    server.files["words.tar.gz"] = CONTENT
    url = f"{server.url}/{manner}/words.tar.gz"
    with pytest.raises(DownloadError, match=said) as error:
        download(url, target, sha256(CONTENT), timeout=0.3)
    text = sentence(error)
    assert url in text and "by hand at …/sets/words.tar.gz" in text
    assert everything_in(target.parent) == set()
    download(f"{server.url}/ok/words.tar.gz", target, sha256(CONTENT))
    assert target.read_bytes() == CONTENT


def test_a_download_of_which_only_the_sha1_is_known(server, target):
    server.files["words.tar.gz"] = CONTENT
    with pytest.raises(DownloadError, match=r"with the sha1 .* was expected, so nothing") as error:
        download(f"{server.url}/wrong/words.tar.gz", target, sha1(CONTENT))
    assert sha1(CONTENT)[:16] in sentence(error) and everything_in(target.parent) == set()
    for _ in range(2):
        download(f"{server.url}/ok/words.tar.gz", target, sha1(CONTENT))
    assert target.read_bytes() == CONTENT and len(server.requests) == 2


def test_offline(target, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:  # bound but not listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/words.tar.gz"
        with pytest.raises(DownloadError, match="There is no connection to 127") as error:
            download(url, target, sha256(CONTENT))
    assert url in sentence(error)
    assert everything_in(target.parent) == set()


def test_a_damaged_file_is_not_left_in_place(server, target):
    target.parent.mkdir()
    target.write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError):
        download(f"{server.url}/missing/words.tar.gz", target, sha256(CONTENT))
    assert not target.exists()


def test_no_room_on_the_disk(server, target, monkeypatch):
    server.files["words.tar.gz"] = CONTENT
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000))
    said = "is full: 2 MB are free where 9 MB are needed"
    with pytest.raises(DownloadError, match=said) as error:
        download(f"{server.url}/ok/words.tar.gz", target, sha256(CONTENT), size=9_000_000)
    sentence(error)
    assert server.requests == [] and everything_in(target.parent) == set()


def test_a_disk_that_fills_up_on_the_way(server, target, monkeypatch):
    def full(url, partial, *_):
        places.Path(partial).write_bytes(CONTENT)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(door, "_stream", full)
    with pytest.raises(DownloadError, match="is full") as error:
        download(f"{server.url}/ok/words.tar.gz", target, sha256(CONTENT))
    sentence(error)
    assert everything_in(target.parent) == set()


def test_a_place_that_cannot_be_written(server, tmp_path):
    (tmp_path / "sets").touch()
    with pytest.raises(DownloadError, match="cannot be written") as error:
        download(f"{server.url}/ok/a", tmp_path / "sets" / "a", sha256(CONTENT))
    sentence(error)


def card(archive: bytes, url: str | None = None, **more) -> Card:
    """A card for a small archive."""
    about = dict.fromkeys(("title", "description", "licence", "source"), "toy")
    return Card(
        name="toy",
        archive="toy.tar.gz",
        url=url,
        sha256=sha256(archive),
        bytes=len(archive),
        sample_rate=16000,
        counts={"clips": 2},
        more=more,
        **about,
    )


@pytest.fixture
def real(server):
    """The card of a real set on the local server."""
    server.files["toy.tar.gz"] = ARCHIVE
    return card(ARCHIVE, "https://example.invalid/toy.tar.gz")


def test_a_real_set_is_downloaded_once_into_the_data_root(server, real, tmp_path, monkeypatch):
    monkeypatch.setenv(places.DATA_ROOT, str(tmp_path))
    for _ in range(2):
        folder = fetch(real, base_url=f"{server.url}/ok/")
        assert folder == tmp_path / "toy"
    assert server.requests == ["/ok/toy.tar.gz"]
    assert everything_in(tmp_path) == {
        *("toy.tar.gz", "toy", "toy/.unpacked.json", "toy/LICENSE"),
        *("toy/yes", "toy/yes/a_nohash_0.wav", "toy/no", "toy/no/b_nohash_0.wav"),
    }
    assert speech_commands.SpeechCommands(folder).words == ["no", "yes"]


def test_a_real_set_of_which_only_the_sha1_is_known(server, real, tmp_path):
    known = dataclasses.replace(real, sha256=None, more={"sha1": sha1(ARCHIVE)})
    folder = fetch(known, tmp_path, base_url=f"{server.url}/ok")
    assert json.loads((folder / ".unpacked.json").read_text())["sha256"] == sha256(ARCHIVE)
    other = dataclasses.replace(known, more={"sha1": "0" * 40, "folder": "other"})
    with pytest.raises(DownloadError, match="with the sha1") as error:
        fetch(other, tmp_path, base_url=f"{server.url}/ok")
    sentence(error)
    assert not (tmp_path / "other").exists()


def test_an_archive_put_there_by_hand_is_used(server, real, tmp_path):
    (tmp_path / "toy.tar.gz").write_bytes(ARCHIVE)
    assert (fetch(real, tmp_path, base_url=f"{server.url}/ok") / "LICENSE").read_bytes() == b"CC BY"
    assert server.requests == []


def test_a_set_that_is_already_there_is_used_as_it_is(server, real, tmp_path):
    clip = tmp_path / "toy" / "yes" / "c_nohash_0.wav"
    clip.parent.mkdir(parents=True)
    clip.touch()
    before = everything_in(tmp_path)
    (tmp_path / "toy").chmod(0o555)
    tmp_path.chmod(0o555)
    try:
        assert fetch(real, tmp_path, base_url=f"{server.url}/ok") == tmp_path / "toy"
    finally:
        tmp_path.chmod(0o755)
        (tmp_path / "toy").chmod(0o755)
    assert everything_in(tmp_path) == before and server.requests == []


def test_an_empty_folder_does_not_count_as_there(server, real, tmp_path):
    (tmp_path / "toy").mkdir()
    assert (fetch(real, tmp_path, base_url=f"{server.url}/ok") / "LICENSE").exists()


def test_a_set_inside_its_archive(server, tmp_path):
    archive = tar_bytes({"Libri/dev/1.txt": b"1", "Libri/README": b"r"})
    server.files["toy.tar.gz"] = archive
    nested = card(archive, "https://example.invalid/", folder="Libri/dev", inside="Libri/dev")
    folder = fetch(nested, tmp_path, base_url=f"{server.url}/ok")
    assert folder == tmp_path / "Libri" / "dev"
    assert everything_in(folder) == {"1.txt", ".unpacked.json"}


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of shipped archives, and a cache beside it."""
    monkeypatch.setattr(places, "shipped", lambda: tmp_path / "data")
    monkeypatch.setattr(places, "cache", lambda: tmp_path / "cache")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_a_shipped_set_is_unpacked_into_the_cache_once(shipped, tmp_path, capfd):
    (shipped / "toy.tar.gz").write_bytes(ARCHIVE)
    folder = fetch(card(ARCHIVE))
    assert folder == tmp_path / "cache" / "toy"
    written = (folder / "LICENSE").stat()
    os.unlink(shipped / "toy.tar.gz")  # not even looked at the second time
    assert fetch(card(ARCHIVE)) == folder
    assert (folder / "LICENSE").stat() == written
    assert capfd.readouterr() == ("", "")


def test_a_changed_shipped_archive_is_unpacked_anew(shipped, tmp_path):
    for content in (b"old", b"new"):
        archive = tar_bytes({"yes/x.txt": content})
        (shipped / "toy.tar.gz").write_bytes(archive)
        folder = fetch(card(archive))
        assert (folder / "yes" / "x.txt").read_bytes() == content
    assert {path.name for path in folder.parent.iterdir()} == {"toy"}


def test_a_shipped_archive_that_is_missing_or_damaged(shipped):
    with pytest.raises(DownloadError, match="is missing") as error:
        fetch(card(ARCHIVE))
    sentence(error)
    (shipped / "toy.tar.gz").write_bytes(ARCHIVE[:-1])
    with pytest.raises(DownloadError, match="its card expects") as error:
        fetch(card(ARCHIVE))
    sentence(error)
    assert not places.cache().exists()


def test_a_wrong_data_root_is_said_before_anything_is_downloaded(server, real, monkeypatch):
    monkeypatch.setenv(places.DATA_ROOT, "no/such/folder")
    with pytest.raises(ValueError, match="COURSE_DATA_ROOT"):
        fetch(real, base_url=f"{server.url}/ok")
    assert server.requests == []


def test_speech_commands_opens_through_the_door(shipped, monkeypatch):
    (shipped / "toy.tar.gz").write_bytes(ARCHIVE)
    described = dataclasses.asdict(card(ARCHIVE))
    del described["more"]
    (shipped / "toy.json").write_text(json.dumps(described))
    opened = speech_commands.open("toy")
    assert "Whole: all 2 clips are there." in str(opened.summary())


def test_a_killed_download_leaves_nothing_for_long(server, target):
    server.files["words.tar.gz"] = CONTENT
    url = f"{server.url}/stalled/words.tar.gz"
    code = (
        "import sys; from course_utils.datasets.download import download;"
        "download(sys.argv[1], sys.argv[2], sys.argv[3])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, url, str(target), sha256(CONTENT)])
    try:
        end = time.monotonic() + 30
        while not server.requests and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    assert server.requests and not target.exists()
    assert len(list(target.parent.iterdir())) == 1
    download(f"{server.url}/ok/words.tar.gz", target, sha256(CONTENT))
    assert everything_in(target.parent) == {"words.tar.gz"}
