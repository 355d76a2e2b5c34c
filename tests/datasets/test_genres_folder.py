"""A learner's own music: a folder per genre, split by artist."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_music import sound, touch_folder

from course_utils import places
from course_utils.datasets.genres import PARTS, Track, open_folder
from course_utils.datasets.genres.folder import _split

ENDINGS = ("wav", "mp3", "flac", "ogg")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the music is: below the data root, so that messages say where."""
    monkeypatch.setenv(places.DATA_ROOT, str(tmp_path))
    return tmp_path / "music"


def test_every_format_is_opened_and_decoded(folder):
    for n, ending in enumerate(ENDINGS * 2):
        path = folder / ("Jazz", "Polka")[n // 4] / f"artist {n % 4}" / f"song.{ending}"
        path.parent.mkdir(parents=True)
        path.write_bytes(sound(ending, rate=(44_100, 22_050)[n // 4]))
    tracks = open_folder(folder)
    assert (tracks.name, tracks.labels, tracks.skipped) == ("music", ("Jazz", "Polka"), {})
    assert tracks.ids[0] == "Jazz/artist 0/song.wav" and tracks[0].credit == "song"
    assert {each.artist for each in tracks} == {f"artist {n}" for n in range(4)}
    for each in tracks:
        samples, rate = each.load()
        assert rate == (44_100 if each.genre == "Jazz" else 22_050)
        assert samples.dtype == np.float32 and len(samples) / rate == pytest.approx(0.5, abs=0.06)
    assert {each.part for each in tracks} == set(PARTS) and not tracks.shared_artists()


def test_tracks_without_an_artist_are_artists_of_their_own(folder):
    names = [f"{genre}/{n}.mp3" for genre in ("A", "B", "C") for n in range(10)]
    names += ["A/me/1.mp3", "A/me/2.mp3", "B/7.wav"]
    tracks = open_folder(touch_folder(folder, names))
    assert len(set(tracks.artists)) == 31 and tracks.artists.count("me") == 2
    assert tracks.artists.count("B/7") == 2  # as WAV and as MP3 it is one piece of music
    assert "31 of 33 tracks are in no artist's folder and count as an artist each" in str(
        tracks.summary()
    )
    assert "Parts drawn by artist, seed 0." in str(tracks.summary())
    whole = [f"{genre}/{n}/{n}.mp3" for genre in ("A", "B") for n in range(10)]
    assert "artist's folder" not in str(open_folder(touch_folder(folder / "x", whole)).summary())


def test_everything_else_is_skipped_and_named(folder):
    names = [f"{genre}/{n}/album/song.MP3" for genre in ("A", "B") for n in range(3)]
    names += ["notes.txt", "song.mp3", "A/cover.jpg", "A/1/song.m4a", "C/readme.md"]
    names += ["A/._song.mp3", ".git/song.mp3", "A/.hidden/song.mp3"]
    touch_folder(folder, names)
    (folder / "D" / "deep").mkdir(parents=True)
    tracks = open_folder(folder)
    assert len(tracks) == 6 and tracks.labels == ("A", "B")
    assert tracks.skipped == {
        "A/1/song.m4a": "is not WAV, MP3, FLAC or OGG",
        "A/cover.jpg": "is not WAV, MP3, FLAC or OGG",
        "C/": "holds no music",
        "C/readme.md": "is not WAV, MP3, FLAC or OGG",
        "D/": "holds no music",
        "notes.txt": "is in no genre's folder",
        "song.mp3": "is in no genre's folder",
    }


def test_an_artist_of_two_genres_is_in_one_part(folder):
    names = [f"{genre}/{n}/{i}.ogg" for genre in ("A", "B") for n in range(8) for i in range(3)]
    tracks = open_folder(touch_folder(folder, names), 20, 20)
    assert len(set(tracks.artists)) == 8 and not tracks.shared_artists()
    tracks.check_genres()


def test_the_seed_decides_who_is_where(folder):
    names = [f"{genre}/{n}.mp3" for genre in ("A", "B") for n in range(20)]
    touch_folder(folder, names)
    first = open_folder(folder, seed=1)
    assert open_folder(folder, seed=1) == first and first.ids == open_folder(folder, seed=2).ids
    testing = {tuple(open_folder(folder, seed=seed).part("testing").ids) for seed in range(5)}
    assert len(testing) == 5


def test_a_part_may_be_left_out(folder):
    touch_folder(folder, [f"{genre}/{n}.mp3" for genre in ("A", "B") for n in range(2)])
    assert [each.part for each in open_folder(folder, 0, 50)].count("testing") == 2
    with pytest.raises(ValueError, match="No track of music is left"):
        open_folder(folder, 0, 50).part("validation")


artists = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=0, max_size=60)


@given(artists, st.integers(0, 99), st.sampled_from([(10, 10), (20, 20), (5, 15)]))
def test_every_genre_is_in_every_part_near_its_share(sizes, seed, percentages):
    sizes = [*sizes, *((genre, 1) for genre in range(4) for _ in range(3))]
    tracks = [
        Track(f"{a}/{n}", Path(), "ABCD"[genre], f"{a}", "")
        for a, (genre, count) in enumerate(sizes)
        for n in range(count)
    ]
    held = dict(zip(PARTS[1:], (share / 100 for share in percentages), strict=True))
    shares = {"training": 1 - sum(held.values()), **held}
    parts = _split(tracks, tuple("ABCD"), shares, seed, Path())
    assert set(parts) == {each.artist for each in tracks}
    there = defaultdict(int)
    for each in tracks:
        there[parts[each.artist], each.genre] += 1
    for genre in "ABCD":
        total = sum(there[part, genre] for part in PARTS)
        for part, share in shares.items():
            assert there[part, genre] >= 1
            assert abs(there[part, genre] - share * total) < 9  # the largest artist


def test_large_artists_are_trained_on(folder):
    names = [
        f"{g}/{a}/{n}.mp3"
        for g in "AB"
        for a, count in (("x", 50), ("y", 40))
        for n in range(count)
    ]
    names += [f"{g}/{n}.mp3" for g in "AB" for n in range(10)]
    for seed in range(5):
        parts = {
            each.artist: each.part for each in open_folder(touch_folder(folder, names), seed=seed)
        }
        assert parts["x"] == parts["y"] == "training"


def test_too_few_artists(folder):
    names = [f"{genre}/{n}/song.mp3" for genre in ("A", "B") for n in range(3)]
    touch_folder(folder, [*names, "C/0/a.mp3", "C/1/b.mp3"])
    said = (
        r"^C in \$COURSE_DATA_ROOT/music has 2 artists and none of them is left for testing: every"
        r" genre was expected in each of the 3 parts, .*; add artists, set a percentage to 0, or"
    )
    with pytest.raises(ValueError, match=said) as error:
        open_folder(folder)
    assert "\n" not in str(error.value)
    assert len(open_folder(folder, 0, 30)) == 8


@pytest.mark.parametrize("names", [[], ["A/a.mp3"], ["A/a.mp3", "B/b.m4a"], ["a.mp3", "b.mp3"]])
def test_a_folder_that_is_no_set_of_genres(folder, names):
    said = r"^\$COURSE_DATA_ROOT/music has [01] genres with music .* at least two folders named by"
    with pytest.raises(ValueError, match=said):
        open_folder(touch_folder(folder, names))


@pytest.mark.parametrize("shares", [(50, 50), (-1, 10), (10, float("nan"))])
def test_an_impossible_split(folder, shares):
    with pytest.raises(ValueError, match="is impossible: both must be 0 or more"):
        open_folder(folder, *shares)
