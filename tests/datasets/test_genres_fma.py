"""The Free Music Archive's tables and clips: what is opened, what is skipped, what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import LabelEncoder
from small_music import clip, row, rows_of, write_clips, write_fma, write_tables

from course_utils import places
from course_utils.datasets import genres

ROWS = rows_of()
OTHERS = [
    row(7, "Blues", 900, "training", set_subset="medium"),
    row(8, "", 901, "training", set_subset="large"),
    row(9, "Rock", 902, "test", set_subset="large"),
]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data root, so that messages say where it is."""
    monkeypatch.setenv(places.DATA_ROOT, str(tmp_path))
    return tmp_path


@pytest.fixture
def fma(root):
    """Folders of the clips and of the tables."""
    sounds, metadata = write_fma(root, ROWS)
    return sounds, write_tables(metadata, ROWS + OTHERS)


def sentence(error) -> str:
    """The text of an error, after checking that it is one sentence without an absolute path."""
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and ". " not in text
    assert str(Path.home()) + "/" not in text and "/tmp/" not in text
    return text


def test_importing_it_loads_no_framework_and_no_pandas():
    code = (
        "import sys, course_utils.datasets.genres;"
        "print(sorted({'torch', 'tensorflow', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_small_subset_with_its_split_and_labels(fma):
    tracks = genres.open_fma(*fma)
    assert tracks.name == "fma_small" and tracks.labels == genres.GENRES
    assert tracks.ids == [f"{int(each['number']):06d}" for each in ROWS]
    assert [each.genre for each in tracks] == [each["track genre_top"] for each in ROWS]
    assert [each.artist for each in tracks] == tracks.artists == [e["artist id"] for e in ROWS]
    assert [each.part for each in tracks][:4] == ["training", "training", "validation", "testing"]
    assert tracks[0].path == fma[0] / "000" / "000002.mp3"
    assert tracks[0].credit == "Song 2, Artist 0" and "mp3" not in repr(tracks[0])
    assert tracks.skipped == {} and tracks.shared_artists() == set()
    samples, rate = tracks[0].load()
    assert rate == 44_100 and samples.dtype == np.float32 and samples.shape == (22_050,)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == 220  # 440 Hz in half a second


def test_class_numbers_are_those_of_a_label_encoder(fma):
    tracks = genres.open_fma(*fma)
    encoder = LabelEncoder().fit([each.genre for each in tracks])
    assert tuple(encoder.classes_) == tracks.labels == genres.GENRES
    assert tracks.classes.dtype == np.int64
    np.testing.assert_array_equal(tracks.classes, encoder.transform([e.genre for e in tracks]))


def test_the_order_of_the_rows_does_not_matter(fma):
    before = genres.open_fma(*fma)
    write_tables(fma[1], (ROWS + OTHERS)[::-1])
    assert genres.open_fma(*fma) == before


def test_a_larger_subset_includes_the_smaller_ones(root):
    medium = rows_of((*genres.GENRES, "Blues"))
    for each in medium[-4:]:
        each["set subset"] = "medium"
    sounds, metadata = write_fma(root, medium)
    write_tables(metadata, [*medium, row(9, "", 902, "test", set_subset="large")])
    found = genres.open_fma(sounds, metadata, "medium")
    assert found.labels == tuple(sorted((*genres.GENRES, "Blues"))) and len(found) == 36
    small = genres.open_fma(sounds, metadata)
    assert len(small) == 32 and small.labels == genres.GENRES
    assert small.skipped == dict.fromkeys(
        [f"008/00800{n}.mp3" for n in (2, 3, 4, 5)], "is on the disk but not listed in the subset"
    )
    with pytest.raises(ValueError, match="no subset 'tiny' of FMA: choose small, medium, large"):
        genres.open_fma(sounds, metadata, "tiny")


def test_what_is_missing_or_known_to_hold_nothing_is_named(fma):
    sounds, metadata = fma
    bad = [row(int(name), "Rock", 70, "training") for name in genres.NO_AUDIO]
    write_clips(sounds, bad[:2], b"")
    write_tables(metadata, ROWS + bad)
    clip(sounds, 3).unlink()
    (sounds / "000" / "._000002.mp3").touch()
    (sounds / "checksums").touch()
    (sounds / "extra.mp3").touch()
    tracks = genres.open_fma(sounds, metadata)
    assert len(tracks) == 31 and "000003" not in tracks.ids
    assert tracks.skipped == {
        "000003": "is listed but not on the disk",
        **dict.fromkeys(genres.NO_AUDIO, "is known to hold no audio"),
        "extra.mp3": "is on the disk but not listed in the subset",
    }
    assert str(tracks.summary()).splitlines() == [
        "fma_small: 31 tracks by 24 artists.",
        "Genres: Electronic 3, Experimental 4, Folk 4, Hip-Hop 4, Instrumental 4,"
        " International 4, Pop 4, Rock 4.",
        "Parts: training 15, validation 8, testing 8; no artist is in more than one.",
        "The official split of the small subset.",
        "31 of the 35 listed tracks can be used.",
        "Skipped 1 (each is listed but not on the disk): 000003.",
        "Skipped 3 (each is known to hold no audio): 099134, 108925, 133297.",
        "Skipped 1 (each is on the disk but not listed in the subset): extra.mp3.",
    ]


def test_of_the_whole_small_subset_7997_clips_are_used(root):
    numbers = [*range(1, 7998), *map(int, genres.NO_AUDIO)]
    splits = ["training"] * 8 + ["validation", "test"]
    rows = [row(n, genres.GENRES[i % 8], i, splits[i // 8 % 10]) for i, n in enumerate(numbers)]
    sounds, metadata = root / "fma_small", write_tables(root / "fma_metadata", rows)
    tracks = genres.open_fma(write_clips(sounds, rows, b""), metadata)
    assert len(tracks) == 7_997 and set(tracks.skipped) == set(genres.NO_AUDIO)
    sizes = [len(tracks.part(part)) for part in genres.PARTS]
    assert sum(sizes) == 7_997 and sizes[0] in range(6_397, 6_401) and 797 <= min(sizes) <= 800
    assert "7,997 of the 8,000 listed tracks can be used." in str(tracks.summary())


def test_an_artist_in_two_parts_is_refused(fma):
    leak = [dict(each) for each in ROWS]
    leak[3]["artist id"] = "0"  # of 000002 and 000003
    write_tables(fma[1], leak)
    said = (
        r"^The artist '0' of fma_small is in training \(000002, 000003\) and testing \(000005\):"
        r" every artist was expected in one part only"
    )
    with pytest.raises(ValueError, match=said) as error:
        genres.open_fma(*fma)
    sentence(error)


def test_a_genre_without_a_testing_track_is_refused(fma):
    clip(fma[0], 2005).unlink()
    said = r"^There is no testing track of Folk in fma_small \(31 tracks\): every genre was"
    with pytest.raises(ValueError, match=said) as error:
        genres.open_fma(*fma)
    sentence(error)


def test_clips_that_are_elsewhere(fma, root):
    with pytest.raises(ValueError, match=r"^None of the 32 clips that the table of x lists") as e:
        genres.open_fma(root / "nowhere", fma[1], name="x")
    assert "$COURSE_DATA_ROOT/nowhere: files such as 000/000002.mp3" in sentence(e)


@pytest.mark.parametrize("name", ["tracks.csv", "genres.csv"])
def test_a_missing_table_says_where_it_belongs_and_what_to_download(fma, name):
    (fma[1] / name).unlink()
    with pytest.raises(ValueError, match=rf"^There is no {name} in \$COURSE_DATA_ROOT/fma") as e:
        genres.open_fma(*fma)
    assert "download https://os.unil.cloud.switch.ch/fma/fma_metadata.zip (358 MB)" in sentence(e)


CHANGES = [
    ({"number": "2a"}, r"no track_id of up to six digits \(2a\)"),
    ({"number": "3"}, r"a track_id that came before \(3\)"),
    ({"set subset": "tiny"}, r"no subset among small, medium, large \(2\)"),
    ({"set split": "testing"}, r"no split among training, validation, test \(2\)"),
    ({"artist id": ""}, r"no artist \(2\)"),
    ({"track genre_top": ""}, r"no genre_top \(2\): .*; choose the subset \"small\" or"),
    ({"track genre_top": "Polka"}, r"a genre_top that is no top genre of genres\.csv \(2\)"),
    ({"track genre_top": "Avant-Garde"}, r"a genre_top that is no top genre of genres\.csv"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_a_track_that_cannot_be_used_is_refused_by_number(fma, change, said):
    write_tables(fma[1], [ROWS[0] | change, *ROWS[1:]])
    with pytest.raises(
        ValueError, match=rf"^The table \$COURSE_DATA_ROOT/.*csv has 1 r.* with {said}"
    ) as e:
        genres.open_fma(*fma)
    sentence(e)


def test_tracks_without_a_genre_are_counted_in_the_large_subset(fma):
    with pytest.raises(ValueError, match=r"has 1 row\(s\) with no genre_top \(8\)") as error:
        genres.open_fma(*fma, "large")
    assert sentence(error).endswith('choose the subset "small" or "medium".')


def test_a_row_that_ends_early(fma):
    path = fma[1] / "tracks.csv"
    write_tables(fma[1], ROWS)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.rsplit(",", 12)[0], encoding="utf-8")  # after its genre_top
    tracks = genres.open_fma(*fma)
    assert (tracks[-2].credit, tracks[-1].credit) == ("Song 7004, Artist 71", "Artist 72")
    path.write_text(text + "9000,0\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"with no subset among .* \(9000\)"):
        genres.open_fma(*fma)


BROKEN = [
    ("tracks.csv", b"", "does not begin with two rows of column names and a row 'track_id'"),
    ("tracks.csv", b",a\n,b\n2,c\n", "does not begin with two rows of column names"),
    ("tracks.csv", b",artist\n,id\ntrack_id,\n", "has no column set split, set subset, track gen"),
    ("tracks.csv", b"\xff\xfe", "cannot be read"),
    ("genres.csv", b"", "lists no genre that is its own top_level"),
    ("genres.csv", b"id,title\n2,Pop\n", "cannot be read"),
    ("genres.csv", b"\xff\xfe", "cannot be read"),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN)
def test_a_file_that_is_no_such_table(fma, name, content, said):
    (fma[1] / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"^The table .*{name} {said}") as error:
        genres.open_fma(*fma)
    sentence(error)


def test_a_table_that_lost_its_end(fma):
    path = fma[1] / "tracks.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.rindex("<p>") + 9], encoding="utf-8")  # within a quoted cell
    with pytest.raises(
        ValueError, match=r"^The table .*tracks\.csv cannot be read \(C error: EOF in"
    ) as error:
        genres.open_fma(*fma)
    sentence(error)


def test_titles_and_names_may_be_missing_or_look_like_nothing(fma):
    write_tables(fma[1], ROWS, without=("artist name", "track license"))
    assert genres.open_fma(*fma)[0].credit == "Song 2"
    write_tables(fma[1], [{**ROWS[0], "track title": "None", "artist name": "NA"}, *ROWS[1:]])
    assert genres.open_fma(*fma)[0].credit == "None, NA"


def test_an_mp3_is_decoded_without_another_program(fma, monkeypatch, tmp_path):
    def refused(*arguments, **_):
        raise AssertionError(f"{arguments} was started")

    monkeypatch.setattr(subprocess, "Popen", refused)
    monkeypatch.setenv("PATH", str(tmp_path))
    samples, _ = genres.open_fma(*fma)[0].load()
    assert len(samples) == 22_050


REAL = os.environ.get(places.DATA_ROOT)


@pytest.mark.real
@pytest.mark.skipif(
    not REAL or not (Path(REAL) / "fma_metadata" / "genres.csv").is_file(),
    reason="COURSE_DATA_ROOT names no folder with fma_metadata/genres.csv in it",
)
def test_the_real_table_of_genres():
    found = genres.top_genres(Path(REAL) / "fma_metadata")
    assert set(genres.GENRES) < set(found) and len(found) == 16
    assert found == tuple(sorted(found)) and "Avant-Garde" not in found
