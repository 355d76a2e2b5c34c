"""Official parts through torchaudio's downloader, from a server on this machine."""

import errno
import shutil
import socket
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch.hub
from small_archives import everything_in, sha256, tar_bytes
from small_librispeech import write_part
from torchaudio.datasets import librispeech as source

from course_utils import places
from course_utils.datasets import librispeech
from course_utils.datasets.librispeech import official
from course_utils.datasets.staging import DownloadError

URL = "http://www.openslr.org/resources/12/dev-clean.tar.gz"


def archive_of(folder: Path, part: str = "dev-clean") -> bytes:
    """A small part as an archive, with the files that every official one has beside it."""
    made = write_part(folder / "LibriSpeech" / part).parent
    (made / "LICENSE.TXT").write_text("CC BY 4.0")
    names = sorted(path for path in made.rglob("*") if path.is_file())
    return tar_bytes({path.relative_to(folder).as_posix(): path.read_bytes() for path in names})


@pytest.fixture
def content(tmp_path_factory):
    return archive_of(tmp_path_factory.mktemp("made"))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Where the parts go: a folder that does not exist yet, on a disk with room enough."""
    monkeypatch.setitem(official._MEGABYTES, "dev-clean", 1)
    return tmp_path / "sets"


@pytest.fixture
def serve(server, content, monkeypatch):
    """Have torchaudio ask the local server, which answers in the given manner."""

    def start(manner: str, base: str | None = None, sent: bytes = content) -> list[str]:
        server.files["dev-clean.tar.gz"] = sent
        monkeypatch.setitem(source._CHECKSUMS, URL, sha256(sent))

        def redirected(url: str, path: str, hash_prefix: str) -> None:
            assert url == URL
            there = f"{base or server.url}/{manner}/dev-clean.tar.gz"
            torch.hub.download_url_to_file(there, path, hash_prefix, progress=False)

        monkeypatch.setattr(source, "download_url_to_file", redirected)
        return server.requests

    return start


def sentence(error) -> str:
    """The text of an error, after checking that it is one sentence without an absolute path."""
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and ". " not in text
    assert "/tmp/" not in text and str(Path.home()) + "/" not in text
    return text


def test_a_missing_part_is_downloaded_once(serve, root):
    requests = serve("ok")
    for _ in range(2):
        part = librispeech.open("dev-clean", root)
        assert len(part) == 6 and part.official == 2703
    assert requests == ["/ok/dev-clean.tar.gz"]
    assert {path.name for path in root.iterdir()} == {"LibriSpeech"}
    assert {path.name for path in (root / "LibriSpeech").iterdir()} == {"dev-clean", "LICENSE.TXT"}


def test_a_folder_with_nothing_in_it_does_not_count_as_there(serve, root):
    serve("ok")
    (root / "LibriSpeech" / "dev-clean").mkdir(parents=True)
    (root / "LibriSpeech" / "dev-clean" / ".DS_Store").touch()
    assert len(librispeech.open("dev-clean", root)) == 6


def test_a_part_that_is_there_is_used_as_it_is(serve, root):
    requests = serve("missing")
    write_part(root / "LibriSpeech" / "dev-clean", {("1", "2"): ["A"]})
    before = everything_in(root)
    assert "Partial: 0.0 % of the 2,703" in str(librispeech.open("dev-clean", root).summary())
    assert everything_in(root) == before and not requests


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("cut", "has not the sha256 that torchaudio expects|was cut off"),
        ("short", "has not the sha256 that torchaudio expects"),
        ("wrong", "has not the sha256 that torchaudio expects"),
        ("missing", r"www\.openslr\.org answered 404 \(Not Found\) for"),
        ("stalled", r"sent nothing for 0\.3 s while"),
    ],
)
def test_a_bad_download_leaves_nothing_and_the_next_is_good(serve, root, manner, said, monkeypatch):
    monkeypatch.setattr(official, "_TIMEOUT_S", 0.3)
    serve(manner)
    with pytest.raises(DownloadError, match=said) as error:
        librispeech.open("dev-clean", root)
    text = sentence(error)
    assert URL in text and "by hand at …/sets/dev-clean.tar.gz" in text
    assert everything_in(root) == set() and socket.getdefaulttimeout() is None
    serve("ok")
    assert len(librispeech.open("dev-clean", root)) == 6


def test_offline(serve, root):
    with socket.socket() as closed:  # bound but not listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        serve("ok", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(DownloadError, match="There is no connection to www") as error:
            librispeech.open("dev-clean", root)
    assert URL in sentence(error) and everything_in(root) == set()


def test_a_connection_that_breaks(serve, root, monkeypatch):
    serve("ok")

    def broken(*_, **__):
        raise ConnectionResetError

    monkeypatch.setattr(source, "download_url_to_file", broken)
    with pytest.raises(DownloadError, match=r"was cut off \(ConnectionResetError\)") as error:
        librispeech.open("dev-clean", root)
    sentence(error)


def test_an_error_that_is_not_about_the_download_is_not_renamed(serve, root, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("something else")

    monkeypatch.setattr(official, "LIBRISPEECH", broken)
    with pytest.raises(RuntimeError, match=r"^something else$"):
        librispeech.open("dev-clean", root)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(errno.ENOSPC, "full")])
def test_what_was_half_unpacked_does_not_count_as_there(serve, root, monkeypatch, failure):
    requests = serve("ok")
    extract, done = tarfile.TarFile.extract, []

    def interrupted(self, member, path):
        if len(done) == 3:
            raise failure
        done.append(member)
        extract(self, member, path)

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "extract", interrupted)
        expected = failure if isinstance(failure, type) else DownloadError
        with pytest.raises(expected, match=None if isinstance(failure, type) else "is full"):
            librispeech.open("dev-clean", root)
    assert len(done) == 3 and everything_in(root) == set()
    assert len(librispeech.open("dev-clean", root)) == 6 and len(requests) == 2


def test_an_archive_that_cannot_be_unpacked(serve, root, content):
    serve("ok", sent=content[: len(content) // 2])
    with pytest.raises(DownloadError, match="cannot be unpacked") as error:
        librispeech.open("dev-clean", root)
    sentence(error)
    assert everything_in(root) == set()


def test_an_archive_without_the_part(serve, root, tmp_path):
    serve("ok", sent=archive_of(tmp_path / "other", "test-clean"))
    with pytest.raises(DownloadError, match="has no files in LibriSpeech/dev-clean") as error:
        librispeech.open("dev-clean", root)
    sentence(error)
    assert everything_in(root) == set()


@pytest.mark.parametrize("linked", [True, False])
def test_an_archive_put_there_by_hand_is_used(serve, root, content, linked, monkeypatch):
    requests = serve("missing")
    root.mkdir()
    (root / "dev-clean.tar.gz").write_bytes(content)
    if not linked:

        def refused(*_):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(official.os, "link", refused)
    assert len(librispeech.open("dev-clean", root)) == 6 and not requests
    assert (root / "dev-clean.tar.gz").read_bytes() == content


def test_a_damaged_archive_put_there_by_hand_is_not_unpacked(serve, root, content):
    requests = serve("ok")
    root.mkdir()
    (root / "dev-clean.tar.gz").write_bytes(content[:-1])
    with pytest.raises(DownloadError, match=r"has the sha256 .* delete it") as error:
        librispeech.open("dev-clean", root)
    assert "…/sets/dev-clean.tar.gz" in sentence(error)
    assert everything_in(root) == {"dev-clean.tar.gz"} and not requests


def test_no_room_on_the_disk(serve, root, monkeypatch):
    requests = serve("ok")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(DownloadError, match="1 MB are free where 2 MB are needed") as error:
        librispeech.open("dev-clean", root)
    sentence(error)
    assert not requests and everything_in(root) == set()


def test_a_wrong_data_root_is_said_before_anything_is_downloaded(serve, monkeypatch):
    requests = serve("ok")
    monkeypatch.setenv(places.DATA_ROOT, "no/such/folder")
    with pytest.raises(ValueError, match="COURSE_DATA_ROOT"):
        librispeech.open("dev-clean")
    assert not requests


def test_every_official_part_has_an_address_a_checksum_and_a_size():
    assert set(librispeech.OFFICIAL) == set(official._MEGABYTES) == set(source._DATA_SUBSETS)
    ends = {url.rpartition("/")[2] for url in source._CHECKSUMS}
    assert ends == {f"{part}.tar.gz" for part in librispeech.OFFICIAL}
