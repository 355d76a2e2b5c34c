"""The genre sets by their names: brought in by their cards, used where they lie."""

import dataclasses
import json

import pytest
from small_archives import everything_in, sha1, sha256, zip_bytes
from small_music import rows_of, write_fma

from course_utils import places
from course_utils.datasets import cards, genres
from course_utils.datasets.download import DownloadError

ROWS = rows_of()


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty data root."""
    (tmp_path / "sets").mkdir()
    monkeypatch.setenv(places.DATA_ROOT, str(tmp_path / "sets"))
    return tmp_path / "sets"


@pytest.fixture
def packed(tmp_path):
    """A small copy of FMA as files by their names in the archives."""
    folders = write_fma(tmp_path / "made", ROWS)
    return {
        folder.name: {
            f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for path in folder.rglob("*.*")
        }
        for folder in folders
    }


@pytest.fixture
def served(server, packed, monkeypatch):
    """The two archives on the local server, and cards that know their addresses and checksums."""
    official = cards.load
    server.files |= {f"{name}.zip": zip_bytes(files) for name, files in packed.items()}
    sums = {name: sha1(server.files[f"{name}.zip"]) for name in packed}

    def load(name):
        card, url = official(name), f"{server.url}/ok/{name}.zip"
        more = {**card.more, "sha1": sums[name]}
        return dataclasses.replace(card, url=url, bytes=1000, more=more)

    monkeypatch.setattr(cards, "load", load)
    return server


def test_the_real_set_is_downloaded_once_tables_first(served, root):
    for _ in range(2):
        tracks = genres.open("fma_small")
        assert (tracks.name, len(tracks), tracks.skipped) == ("fma_small", 32, {})
    assert served.requests == ["/ok/fma_metadata.zip", "/ok/fma_small.zip"]
    assert tracks[0].path == root / "fma_small" / "000" / "000002.mp3"


def test_a_set_that_is_there_is_used_as_it_is(server, root):
    write_fma(root, ROWS)
    before = everything_in(root)
    assert len(genres.open("fma_small")) == 32
    assert len(genres.open("fma_small", root)) == 32
    assert everything_in(root) == before and not server.requests


def test_a_wrong_sha1_leaves_nothing(served, root):
    served.files["fma_metadata.zip"] += b" "
    said = (
        r"fma_metadata\.zip sent [\d,]+ bytes with the sha1 .*… was expected, so nothing was kept"
    )
    with pytest.raises(DownloadError, match=said):
        genres.open("fma_small")
    assert everything_in(root) == set() and len(served.requests) == 1


def test_no_clips_are_downloaded_for_tables_that_are_missing(served, root):
    (root / "fma_metadata").mkdir()
    (root / "fma_metadata" / "genres.csv").write_text("genre_id,title,top_level\n12,Rock,12\n")
    said = r"^There is no tracks\.csv in \$COURSE_DATA_ROOT/fma_metadata, where .*: download http"
    with pytest.raises(ValueError, match=said):
        genres.open("fma_small")
    assert not served.requests


def test_a_set_that_does_not_exist(root):
    said = r"^There is no genre set 'gtzan': choose 'fma_mini' \(shipped\) or 'fma_small' \(real\)"
    with pytest.raises(ValueError, match=said):
        genres.open("gtzan")


def test_the_shipped_set_is_unpacked_and_its_clips_stay_as_they_are(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "shipped", lambda: tmp_path / "data")
    monkeypatch.setattr(places, "cache", lambda: tmp_path / "cache")
    archive = zip_bytes({name: c for files in packed.values() for name, c in files.items()})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fma_mini.zip").write_bytes(archive)
    about = dict.fromkeys(("title", "description", "licence", "source"), "toy")
    about |= {"name": "fma_mini", "archive": "fma_mini.zip", "url": None, "sound": None}
    about |= {"sha256": sha256(archive), "bytes": len(archive), "sample_rate": 44_100}
    (tmp_path / "data" / "fma_mini.json").write_text(json.dumps(about | {"counts": {}}))
    tracks = genres.open()
    assert (tracks.name, tracks.labels, len(tracks)) == ("fma_mini", genres.GENRES, 32)
    path = tmp_path / "cache" / "fma_mini" / "fma_small" / "000" / "000002.mp3"
    assert tracks[0].path == path
    assert path.read_bytes() == packed["fma_small"]["fma_small/000/000002.mp3"]
    there = genres.open("fma_mini", tmp_path / "elsewhere")[0].path
    assert there.is_relative_to(tmp_path / "elsewhere" / "fma_mini")


def test_the_cards_of_the_real_archives():
    small, tables = cards.load("fma_small"), cards.load("fma_metadata")
    assert small.checksum == "ade154f733639d52e35e32f5593efe5be76c6d70"
    assert tables.checksum == "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"
    assert sum(small.counts[part] for part in genres.PARTS) == small.counts["tracks"] == 8_000
    assert (small.counts["genres"], small.folder, tables.folder) == (
        *(len(genres.GENRES), "fma_small", "fma_metadata"),
    )
