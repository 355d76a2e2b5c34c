"""What cannot be decoded is left out and named, once, before a model meets it."""

import pytest
import soundfile
from small_music import clip, rows_of, sound, write_fma

from course_utils import audio
from course_utils.datasets.genres import open_fma, readable

ROWS = rows_of()


@pytest.fixture
def fma(tmp_path):
    return write_fma(tmp_path, ROWS)


def test_a_good_set_stays_as_it_is(fma, capfd):
    tracks = open_fma(*fma)
    assert readable(tracks, 0.5) == tracks
    assert capfd.readouterr() == ("", "")  # no terminal: no bar


def test_corrupt_empty_and_short_clips_are_left_out_and_named(fma):
    sounds, _ = fma
    tracks = open_fma(*fma)
    clip(sounds, 2).write_bytes(b"")
    clip(sounds, 1003).write_bytes(b"<html>404 Not Found</html>")
    clip(sounds, 2002).write_bytes(sound()[: len(sound()) // 2])
    clip(sounds, 3002).write_bytes(sound(seconds=0.3))
    clip(sounds, 4003).unlink()
    found = readable(tracks, least_seconds=0.4)
    assert found.skipped == {
        "000002": "is empty (0 bytes)",
        "001003": "is not audio (it begins with b'<htm')",
        "002002": found.skipped["002002"],
        "003002": "is too short (0.30 s of 0.4 s)",
        "004003": "does not exist",
    }
    assert found.skipped["002002"].startswith("is truncated (has ")
    assert len(found) == 27 and not set(found.ids) & set(found.skipped)
    said = str(found.summary())
    assert "27 of the 32 listed tracks can be used." in said and "Selected" not in said
    for reason, name in (("empty", "000002"), ("truncated", "002002"), ("too short", "003002")):
        assert f"Skipped 1 (each is {reason}): {name}." in said
    for each in found:
        each.load()
    with pytest.raises(audio.AudioError, match=r"000002\.mp3 is empty"):
        tracks[0].load()


def test_clips_of_several_rates_are_fine_and_keep_theirs(fma):
    sounds, _ = fma
    clip(sounds, 2).write_bytes(sound(rate=22_050))
    clip(sounds, 3).write_bytes(sound(rate=48_000))
    found = readable(open_fma(*fma), 0.4)
    assert [found[n].load()[1] for n in range(3)] == [22_050, 48_000, 44_100] and not found.skipped
    assert soundfile.info(found[0].path).samplerate == 22_050


def test_what_was_skipped_before_stays_named(fma):
    clip(fma[0], 3).unlink()
    tracks = open_fma(*fma)
    clip(fma[0], 1002).write_bytes(b"")
    assert set(readable(tracks, 0.4).skipped) == {"000003", "001002"}


def test_a_part_that_loses_the_last_track_of_a_genre(fma):
    tracks = open_fma(*fma)
    clip(fma[0], 5).write_bytes(b"")
    said = r"^There is no testing track of Electronic in fma_small \(31 tracks\): every genre was"
    with pytest.raises(ValueError, match=said):
        readable(tracks, 0.4)
    with pytest.raises(ValueError, match=r"in fma_small \(7 tracks\)"):
        readable(tracks.part("testing"), 0.4)
    assert len(readable(tracks.part("training"), 0.4)) == 16


def test_a_set_of_which_nothing_is_left(fma):
    said = (
        r"^None of the 32 tracks of fma_small can be used \(the first, 000002, is too short"
        r" \(0\.50 s of 3 s\)\): music of at least 3 s that can be decoded was expected;"
    )
    with pytest.raises(ValueError, match=said):
        readable(open_fma(*fma))
