"""Windows of tracks: their bookkeeping, their cache, and what is refused."""

import os
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from small_windows import LABELS, Pieces, random_windows, write_tracks

from course_utils import audio, progress
from course_utils.datasets.genres import windows as genre_windows
from course_utils.datasets.genres.windows import Windows, pieces_of, prepare


@pytest.fixture(autouse=True)
def silent():
    """A warning that no test expects is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def tracks(tmp_path):
    return write_tracks(tmp_path / "sounds")


def same(found: Windows, expected: Windows) -> None:
    for name in ("x", "classes", "tracks"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    about = [(each.labels, each.ids, each.artists) for each in (found, expected)]
    assert about[0] == about[1]


def test_windows_are_those_of_each_track_in_order(tracks):
    front_end = Pieces()
    found = prepare(tracks, front_end)
    expected = [front_end(audio.load(each.path, 8000)[0]) for each in tracks]
    np.testing.assert_array_equal(found.x, np.concatenate(expected))
    counts = [len(x) for x in expected]
    assert len(set(counts)) > 1 and len(found) == sum(counts)
    assert found.tracks.tolist() == np.repeat(range(7), counts).tolist()
    assert found.classes.tolist() == [number % 3 for number in found.tracks]
    assert found.x.dtype == np.float32 and found.classes.dtype == found.tracks.dtype == np.int64
    assert (found.labels, found.ids, found.artists) == (
        LABELS, tuple(tracks.ids), tuple(tracks.artists)
    )  # fmt: skip
    assert found.track_classes.tolist() == [0, 1, 2, 0, 1, 2, 0] and found.shape == (50, 1)


def test_sounds_are_resampled_to_the_rate_of_the_front_end(tracks):
    front_end = Pieces(sample_rate=4000)
    prepare(tracks, front_end)
    assert sorted(front_end.seen) == [round(4000 * (0.03 + 0.01 * n)) for n in range(7)]


def test_more_tracks_than_are_prepared_at_a_time(tmp_path):
    tracks = write_tracks(tmp_path, genre_windows._AHEAD + 3, 0.01)
    order = np.random.default_rng(0).permutation(len(tracks)).tolist()
    found = list(pieces_of(tracks, Pieces(), order))
    assert [place for place, _ in found] == order
    for place, x in found:
        np.testing.assert_array_equal(x, Pieces()(audio.load(tracks[place].path, 8000)[0]))


def test_there_is_a_bar(tracks, monkeypatch):
    shown = []
    real = progress.bar
    monkeypatch.setattr(genre_windows, "bar", lambda *args: shown.append(args) or real(*args))
    prepare(tracks, Pieces())
    assert shown == [(7, "preparing", "track", True)]


def test_windows_of_another_selection(tracks):
    whole = prepare(tracks, Pieces())
    some = replace(tracks, tracks=(tracks[5], tracks[2], tracks[3]))
    same(whole.of(some), prepare(some, Pieces()))
    shuffled = tracks.with_shuffled_labels(1)
    assert shuffled.classes.tolist() != tracks.classes.tolist()
    same(whole.of(shuffled), prepare(shuffled, Pieces()))
    with pytest.raises(ValueError, match=r"^4 tracks have no windows, the first of them 000000;"):
        prepare(some, Pieces()).of(tracks)


def test_importing_it_loads_no_framework():
    code = "import sys; from course_utils.datasets.genres import windows, window_cache; "
    code += "sys.exit(bool({'tensorflow', 'torch', 'pandas', 'librosa'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- what is refused


def test_a_damaged_track_is_named(tracks):
    tracks[4].path.write_bytes(tracks[4].path.read_bytes()[:100])
    with pytest.raises(audio.AudioError, match=r"^Track 000004 \(Pop\) cannot be prepared: ") as no:
        prepare(tracks, Pieces())
    assert "000004.wav" in str(no.value) and str(no.value).endswith("genres.readable does.")


def test_a_missing_track_is_named(tracks, tmp_path):
    tracks[6].path.unlink()
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(audio.AudioError, match=r"^Track 000006 \(Folk\) cannot be prepared: "):
            prepare(tracks, Pieces(), cache)
    assert not (tmp_path / "cache").exists()


def test_a_track_that_is_too_short_is_named(tracks):
    with pytest.raises(audio.AudioError, match=r"^Track 000000 .*The sound holds 240 samples"):
        prepare(tracks, Pieces(length=300))


def test_no_tracks():
    with pytest.raises(ValueError, match=r"^There are no tracks to prepare; expected at least"):
        list(pieces_of([], Pieces()))


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda x: x[:, :-1], r"has windows of shape \(\d+, 49, 1\) and type float32"),
        (lambda x: x[:0], r"has windows of shape \(0, 50, 1\) and type float32"),
        (lambda x: x.astype(np.float64), r"has windows of shape .* and type float64"),
        (lambda x: x * np.float32("nan"), "has windows with NaN or infinity; expected finite"),
    ],
    ids=["shape", "none", "type", "not finite"],
)
def test_a_front_end_that_gives_something_else(tracks, monkeypatch, spoil, found):
    real = Pieces.__call__
    monkeypatch.setattr(Pieces, "__call__", lambda self, samples: spoil(real(self, samples)))
    with pytest.raises(ValueError, match=f"^Track 000000 {found}"):
        prepare(tracks, Pieces())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: {"x": w.x[:0], "classes": [], "tracks": []}, "with at least one window"),
        (lambda w: {"x": w.x.astype(np.float64)}, "and type float64; expected float32"),
        (lambda w: {"classes": w.classes[1:]}, "There are 36 windows, 35 classes and"),
        (lambda w: {"tracks": w.tracks[1:]}, "35 track numbers"),
        (lambda w: {"artists": w.artists[1:]}, "12 ids and 11 artists"),
        (lambda w: {"classes": w.classes + 1}, "A class is 4; expected a number from 0 to 3"),
        (lambda w: {"classes": w.classes - 1}, "A class is -1; expected a number from 0 to 3"),
        (lambda w: {"classes": w.classes / 2}, "A class is float64; expected whole numbers"),
        (lambda w: {"tracks": w.tracks + 1}, "A track number is 12; expected a number from 0 to"),
        (lambda w: {"classes": np.arange(36) % 4}, "has windows of several classes; expected"),
        (lambda w: {"tracks": w.tracks % 4}, "Track 000004 has no windows; expected at least"),
    ],
)
def test_windows_that_do_not_fit_together(change, sentence):
    made = random_windows()
    with pytest.raises(ValueError, match=sentence) as no:
        replace(made, **change(made))
    assert str(no.value).count("\n") == 0 and str(no.value).endswith(".")


# ---------------------------------------------------------------- the cache


def kept(folder) -> list:
    return sorted(folder.iterdir())


def test_windows_come_from_the_cache(tracks, tmp_path):
    first = prepare(tracks, Pieces(), tmp_path / "cache")
    (path,) = kept(tmp_path / "cache")
    assert path.name.startswith("small_pieces_") and path.suffix == ".npz"
    front_end = Pieces()
    same(prepare(tracks, front_end, str(tmp_path / "cache")), first)
    assert front_end.seen == []
    same(prepare(tracks, Pieces()), first)


def test_other_settings_and_other_tracks_have_their_own(tracks, tmp_path):
    some = replace(tracks, tracks=tracks.tracks[:4])
    for each, front_end in ((tracks, Pieces()), (tracks, Pieces(gain=0.5)), (some, Pieces())):
        same(prepare(each, front_end, tmp_path / "cache"), prepare(each, front_end))
    assert len(kept(tmp_path / "cache")) == 3


def test_shuffled_labels_take_the_same_windows(tracks, tmp_path):
    prepare(tracks, Pieces(), tmp_path / "cache")
    shuffled, front_end = tracks.with_shuffled_labels(1), Pieces()
    found = prepare(shuffled, front_end, tmp_path / "cache")
    assert front_end.seen == [] and found.track_classes.tolist() == shuffled.classes.tolist()


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flip(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def foreign(path) -> None:
    np.savez(path, something=np.zeros(3))


@pytest.mark.parametrize("spoil", [cut, flip, foreign])
def test_a_damaged_cache_is_rebuilt_and_said(tracks, tmp_path, spoil):
    first = prepare(tracks, Pieces(), tmp_path / "cache")
    (path,) = kept(tmp_path / "cache")
    spoil(path)
    front_end = Pieces()
    with pytest.warns(UserWarning, match=r"small_pieces_\w+\.npz is damaged; its windows are") as w:
        same(prepare(tracks, front_end, tmp_path / "cache"), first)
    assert len(front_end.seen) == 7 and w[0].filename == __file__
    same(prepare(tracks, Pieces(), tmp_path / "cache"), first)


def test_windows_of_changed_files_are_computed_anew_and_said(tracks, tmp_path):
    prepare(tracks, Pieces(), tmp_path / "cache")
    sound = tracks[2].path.read_bytes()
    tracks[2].path.write_bytes(sound[:44] + sound[:43:-1])
    os.utime(tracks[2].path, (1, 1))
    with pytest.warns(UserWarning, match="is of files that have changed; its windows are computed"):
        found = prepare(tracks, Pieces(), tmp_path / "cache")
    same(found, prepare(tracks, Pieces()))


def test_a_cache_with_other_contents_is_rebuilt_and_said(tracks, tmp_path):
    first = prepare(tracks, Pieces(), tmp_path / "cache")
    (path,) = kept(tmp_path / "cache")
    with np.load(path) as found:
        np.savez(path, x=found["x"][1:], counts=found["counts"], files=found["files"])
    with pytest.warns(UserWarning, match="holds other windows than its name says"):
        same(prepare(tracks, Pieces(), tmp_path / "cache"), first)


def test_windows_are_not_lost_when_the_cache_cannot_be_written(tracks, tmp_path):
    (tmp_path / "cache").touch()  # a file where a folder is wanted
    with pytest.warns(UserWarning, match=r"^The windows are not kept in .*; make room there") as w:
        found = prepare(tracks, Pieces(), tmp_path / "cache")
    same(found, prepare(tracks, Pieces()))
    assert w[0].filename == __file__
